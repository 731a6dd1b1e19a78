import { hertzNeeded } from '../problem/channel.ts';
import { type Fleet, passSeconds, runBits } from '../problem/fleet.ts';
import { statedBound } from '../problem/stated-bound.ts';
import type { BlockTable } from '../problem/table.ts';
import { crunchAt } from './crunch.ts';

/**
 * No plan with one block per device is faster, however the bandwidth is shared: the best allocation if every device had the whole
 * bandwidth for itself. O(K N).
 */
export function wholeBandwidthBound(table: BlockTable): number {
  const answer = crunchAt(table, table.bandwidthHz);
  return answer ? statedBound(answer.latencySeconds) : Infinity;
}

/** No plan in which a device trains any set of blocks is faster: at T every block takes at least the hertz of its cheapest device. */
export function blockSetBound(table: BlockTable, reachedSeconds: number): number {
  const { depths, computeSeconds, uploadBits, law, coefficient, bandwidthHz } = table;
  return bisectBound(0, reachedSeconds, (limitSeconds) => {
    const least = new Float64Array(depths).fill(Infinity);
    for (let k = 0, entry = 0; k < coefficient.length; k++) {
      for (let b = 0; b < depths; b++, entry++) {
        const seconds = limitSeconds - computeSeconds[entry]!;
        if (seconds < 0) continue;
        const needed = hertzNeeded(law, coefficient[k]!, uploadBits[b]!, seconds);
        if (needed < least[b]!) least[b] = needed;
      }
    }
    return least.reduce((a, b) => a + b, 0) > bandwidthHz;
  });
}

/** A bound below this part of what was reached says nothing, and the search for it would go on to the end of float64. */
const NOTHING = 1e-12;

/** Largest T for which `impossible` was shown, between a bound that is known and a latency that was reached. */
function bisectBound(known: number, reached: number, impossible: (limitSeconds: number) => boolean): number {
  let low = known;
  let high = reached;
  while (high - low > 1e-4 * high && high > NOTHING * reached) {
    const middle = (low + high) / 2;
    if (impossible(middle)) low = middle;
    else high = middle;
  }
  return statedBound(low);
}

/**
 * No plan in which neighbouring layers form one block per device is faster, whatever the grouping and the bandwidth: at T every layer
 * takes at least the hertz that its cheapest device would need for it alone.
 */
export function groupedBound(fleet: Fleet, reachedSeconds: number): number {
  return bisectBound(0, reachedSeconds, (limit) => leastHertz(fleet, limit) > fleet.bandwidthHz);
}

function leastHertz(fleet: Fleet, limitSeconds: number): number {
  let total = 0;
  for (let block = 0; block <= fleet.blocks; block++) {
    const bits = block === 0 ? fleet.headBits : runBits(fleet, block - 1, block);
    let least = Infinity;
    for (let k = 0; k < fleet.devices.length; k++) {
      if (fleet.deepestHeld[k]! < block) continue;
      const seconds = limitSeconds - passSeconds(fleet, k, fleet.samples, block);
      least = Math.min(least, hertzNeeded(fleet.law, fleet.coefficient[k]!, bits, seconds));
    }
    total += least;
  }
  return total;
}
