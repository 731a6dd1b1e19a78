import type { Profile } from '../../../signaling/protocol/profile.ts';

type EngineName = Profile['engine'];

/** On how many processors devices of one page compute: they have one graphics processor between them. */
export const processorsFor = (engine: EngineName, cores: number): number => (engine === 'webgpu' ? 1 : cores);

/** On how many of them a device computes at once: on several cores where the page is isolated (worker/engine/onnx/wasm-runtime.ts). */
export const threadsOf = (engine: EngineName, cores: number, isolated: boolean): number =>
  engine === 'webgpu' || !isolated ? 1 : Math.min(4, Math.ceil(cores / 2));

/**
 * How many times longer everything takes because devices of one computer compute at the same time. One that is `slowdown` times slower rests for
 * all but a part 1 / slowdown of its time; beyond `processors` such parts they wait for each other.
 */
export function processorShare(slowdowns: readonly number[], processors: number): number {
  const busy = slowdowns.reduce((sum, slowdown) => sum + 1 / slowdown, 0);
  return Math.max(1, busy / Math.max(1, processors));
}
