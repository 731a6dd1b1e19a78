import type { Runtime } from './runtime.ts';
export async function webgpuRuntime(): Promise<Runtime> {
  throw new Error('later');
}
