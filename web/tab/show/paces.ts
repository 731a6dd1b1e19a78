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
