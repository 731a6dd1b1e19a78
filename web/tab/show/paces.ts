import { computeSeconds } from '../../../signaling/protocol/cost-model.ts';
import type { Measured } from '../../session/rounds/model-worker.ts';

/** What a round of the fastest device alone is made to last: long enough to be seen. */
const ROUND_SECONDS = 2;
const MOST_SLOWDOWN = 60;

/** How many times slower than this computer the fastest device is made, so that a round can be watched and several devices have room. */
export function commonSlowdown(measured: Measured, layers: number, samples: number): number {
  const seconds = computeSeconds(measured, layers, samples, layers);
  return Math.min(MOST_SLOWDOWN, Math.max(1, ROUND_SECONDS / Math.max(seconds, 1e-6)));
}

type EngineName = Measured['engine'];

/** On how many processors devices of one page compute: they have one graphics processor between them. */
export const processorsFor = (engine: EngineName, cores: number): number => (engine === 'webgpu' ? 1 : cores);

/** On how many of them a device computes at once: on several cores where the page is isolated (worker/engine/onnx/wasm-runtime.ts). */
export const threadsOf = (engine: EngineName, cores: number, isolated: boolean): number =>
  engine === 'webgpu' || !isolated ? 1 : Math.min(4, Math.ceil(cores / 2));
