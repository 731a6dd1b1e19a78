import { installNodeWebGpu } from '../../../worker/node/node-webgpu.ts';
import { countGpuBytes } from './gpu-bytes.ts';
import { countGpuWork } from './gpu-work.ts';
import { copySharedWrites } from './shared-writes.ts';

/** WebGPU in this process, counted from outside; null, or why there is none. */
export async function openBenchGpu(dawnFlags: readonly string[] = []): Promise<string | null> {
  const { absent } = await installNodeWebGpu(dawnFlags);
  if (absent !== null) return absent;
  copySharedWrites();
  countGpuBytes();
  countGpuWork();
  // jax-js looks at a browser's name, which Node 20 does not have.
  if (navigator.userAgent === undefined) Object.defineProperty(navigator, 'userAgent', { value: 'node' });
  return null;
}
