import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, globals } from 'webgpu';
import { Gpu } from '../../worker/engine/webgpu/device/gpu.ts';
import { openDevice } from '../../worker/engine/webgpu/device/open-device.ts';

/** WebGPU in Node: Dawn on whatever Vulkan driver the machine has, Mesa's software driver in CI. */
if (process.env.XDG_RUNTIME_DIR === undefined) {
  process.env.XDG_RUNTIME_DIR = join(tmpdir(), 'tabloom-runtime');
  mkdirSync(process.env.XDG_RUNTIME_DIR, { recursive: true, mode: 0o700 });
}
Object.assign(globalThis, globals);

export const dawn: GPU = create([]);

export async function openGpu(): Promise<Gpu> {
  const { device } = await openDevice(dawn);
  return new Gpu(device);
}
