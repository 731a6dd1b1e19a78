import { windowCap } from '../../protocol/pipeline/stages.ts';
import type { Rows } from './rows.ts';

/**
 * What the messages of any pipelines take on a medium that all stages share, one after the other: no round is over sooner, as every stage that
 * sends has a part of the airtime in proportion to what it sends. A shortest path over runs that fit some device with one sample, devices as
 * often as it likes; several pipelines send for each sample what one of them does, so that the cheapest way for all is below them.
 */
export function mediumBound({ problem, units, low, samples, rate, host, gradientBitsBelow }: Rows): number {
  const { split, devices } = problem;
  const ofOne = { ...split, samples: 1 };
  const bitsOf = (cut: number) => samples * (cut === units - 1 ? split.headCutBits : split.hiddenBits);
  const least = new Float64Array(units + 1).fill(Infinity);
  least[0] = 0;
  for (let from = 0; from < units; from++)
    for (let to = from + 1; to <= units; to++)
      for (const [k, device] of devices.entries()) {
        if (windowCap(ofOne, { device, run: { from, to } }, 1) < 1) continue;
        const up = to === units ? 0 : bitsOf(to);
        const down = from > low ? bitsOf(from) : 0;
        const gradients = k === host ? 0 : gradientBitsBelow[to]! - gradientBitsBelow[from]!;
        least[to] = Math.min(least[to]!, least[from]! + (up + down + gradients) / rate[k]!);
      }
  return least[units]!;
}
