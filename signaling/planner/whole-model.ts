import { shareBandwidth } from './bandwidth.ts';
import { hertzNeeded } from './channel.ts';
import { chainLoads, computeSeconds, type Fleet, linkBits, whyNoChain } from './fleet.ts';
import type { Load, Refusal, Solution } from './load.ts';

/** Plans in which every device that works trains the whole model: alone, or on its part of the samples. */

type Found = Pick<Solution, 'loads' | 'hertz' | 'latencySeconds' | 'solver'>;

function alone(fleet: Fleet, device: number, solver: string): Found {
  const loads = chainLoads(fleet, [{ device, from: -1, to: fleet.layers }], { start: 0, count: fleet.samples });
  return { loads, ...shareBandwidth(fleet.law, loads, fleet.bandwidthHz), solver };
}

/** The host trains alone. */
export function offload(fleet: Fleet): Found | Refusal {
  const solver = 'the host alone';
  const { id } = fleet.devices[fleet.host]!;
  const held = fleet.deepestHeld[fleet.host]!;
  if (held < fleet.layers) {
    return {
      reason: `the host "${id}" can not hold depth ${Math.max(held + 1, 1)}; choose a policy that shares`,
      solver,
    };
  }
  const found = alone(fleet, fleet.host, solver);
  return Number.isFinite(found.latencySeconds)
    ? found
    : { reason: `the link of the host "${id}" carries nothing`, solver };
}

/** The best device trains alone. */
export function single(fleet: Fleet): Found | Refusal {
  const solver = 'best single device';
  let best: Found | null = null;
  for (let device = 0; device < fleet.devices.length; device++) {
    if (fleet.deepestHeld[device]! < fleet.layers) continue;
    const found = alone(fleet, device, solver);
    if (found.latencySeconds < (best?.latencySeconds ?? Infinity)) best = found;
  }
  return best ?? { reason: whyNoChain(fleet), solver };
}

/** At most so many units of samples are told apart when they are dealt out; a unit is one sample in rounds up to that size. */
const MAX_SAMPLE_UNITS = 64;

/**
 * Every device that works trains the whole model on its part of the samples. At a threshold T the least bandwidth for D samples is a
 * knapsack over the devices, solved by dynamic programming; each answer's own latency is the next threshold, until none is lower.
 */
export function dataParallel(fleet: Fleet): Found | Refusal {
  const start = single(fleet);
  const solver = 'samples by dynamic programming';
  if ('reason' in start) return { ...start, solver };
  let best: Found = { ...start, solver };
  for (;;) {
    const counts = dealSamples(fleet, best.latencySeconds);
    if (!counts) return best;
    const loads = wholeModelLoads(fleet, counts);
    const shares = shareBandwidth(fleet.law, loads, fleet.bandwidthHz);
    if (!(shares.latencySeconds < best.latencySeconds * (1 - 1e-12))) return best;
    best = { loads, ...shares, solver };
  }
}

function wholeModelLoads(fleet: Fleet, counts: Int32Array): Load[] {
  const loads: Load[] = [];
  let start = 0;
  counts.forEach((count, device) => {
    if (count === 0) return;
    loads.push(...chainLoads(fleet, [{ device, from: -1, to: fleet.layers }], { start, count }));
    start += count;
  });
  return loads;
}

/** (K) samples that finish within the limit at the least bandwidth; null when they can not or when it is more than there is. */
function dealSamples(fleet: Fleet, limitSeconds: number): Int32Array | null {
  const { samples, devices, law, coefficient } = fleet;
  const unit = Math.ceil(samples / MAX_SAMPLE_UNITS);
  const units = Math.ceil(samples / unit);
  const bits = linkBits(fleet, -1, fleet.layers);
  const workers = [...devices.keys()].filter((k) => fleet.deepestHeld[k] === fleet.layers);
  let hertz = new Float64Array(units + 1).fill(Infinity);
  hertz[0] = 0;
  const taken: Int16Array[] = [];
  for (const device of workers) {
    const next = Float64Array.from(hertz);
    const choice = new Int16Array(units + 1);
    for (let take = 1; take <= units; take++) {
      const seconds = limitSeconds - computeSeconds(fleet, device, Math.min(take * unit, samples), fleet.layers);
      const price = hertzNeeded(law, coefficient[device]!, bits, seconds);
      if (price > fleet.bandwidthHz) break;
      for (let dealt = take; dealt <= units; dealt++) {
        const total = hertz[dealt - take]! + price;
        if (total < next[dealt]!) {
          next[dealt] = total;
          choice[dealt] = take;
        }
      }
    }
    hertz = next;
    taken.push(choice);
  }
  if (!(hertz[units]! <= fleet.bandwidthHz)) return null;
  const counts = new Int32Array(devices.length);
  let left = units;
  for (let i = workers.length - 1; i >= 0; i--) {
    const take = taken[i]![left]!;
    counts[workers[i]!] = take * unit;
    left -= take;
  }
  // The last unit may be a part of one.
  const over = units * unit - samples;
  const heaviest = counts.indexOf(Math.max(...counts));
  counts[heaviest] = counts[heaviest]! - over;
  return counts;
}
