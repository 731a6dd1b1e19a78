import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface NodeWebGpu {
  /** Null where `navigator.gpu` works now, else a sentence that says what is missing. */
  readonly absent: string | null;
  /** Lets the process end. */
  release(): void;
}

/**
 * Gives a Node process `navigator.gpu` by Dawn, the WebGPU of Chromium, where the package `webgpu` is installed and finds a Vulkan,
 * Metal or Direct3D driver; `dawnFlags` are its own. Dawn settles its promises when the event loop turns but does not turn it, so a timer does, until `release`.
 */
export async function installNodeWebGpu(dawnFlags: readonly string[] = []): Promise<NodeWebGpu> {
  const turning = setInterval(() => undefined, 1);
  const absent = await install(dawnFlags);
  if (absent !== null) clearInterval(turning);
  return { absent, release: () => clearInterval(turning) };
}

async function install(dawnFlags: readonly string[]): Promise<string | null> {
  // Vulkan's loader complains without one.
  if (process.platform === 'linux' && process.env.XDG_RUNTIME_DIR === undefined) {
    process.env.XDG_RUNTIME_DIR = join(tmpdir(), 'tabloom-runtime');
    mkdirSync(process.env.XDG_RUNTIME_DIR, { recursive: true, mode: 0o700 });
  }
  try {
    const { create, globals } = await import('webgpu');
    Object.assign(globalThis, globals);
    const gpu = create([...dawnFlags]);
    if ((await gpu.requestAdapter()) === null) return 'WebGPU finds no graphics driver on this machine.';
    // Node 20 has no navigator at all.
    const navigator: object = Reflect.get(globalThis, 'navigator') ?? {};
    Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });
    Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true, writable: true });
    return null;
  } catch {
    return 'WebGPU needs the package "webgpu" in Node, which is not installed or does not run here.';
  }
}
