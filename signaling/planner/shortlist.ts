import { uploadSeconds } from './problem/channel.ts';
import { type Fleet, passSeconds, runBits } from './problem/fleet.ts';

/** Searches look at so many devices at most; a larger fleet is cut to those that are quick at something. */
const MAX_DEVICES = 256;
const PER_BLOCK = 6;
const WHOLE_MODEL = 24;

/**
 * Rows of the devices that searches look at, ascending: all of a room; of a huge fleet the quickest for one layer of every depth and the
 * quickest for the whole model with many or few samples, and the host.
 */
export function shortlist(fleet: Fleet): readonly number[] {
  const { devices, blocks, samples, deepestHeld, law, coefficient, bandwidthHz } = fleet;
  const all = [...devices.keys()];
  if (all.length <= MAX_DEVICES) return all;
  const chosen = new Set([fleet.host]);
  const take = (count: number, block: number, carried: number, bits: number, hertz: number) => {
    const seconds = Float64Array.from(all, (k) =>
      deepestHeld[k]! < block
        ? Infinity
        : passSeconds(fleet, k, carried, block) + uploadSeconds(law, coefficient[k]!, hertz, bits),
    );
    const quickest = all.filter((k) => seconds[k]! < Infinity).sort((a, b) => seconds[a]! - seconds[b]! || a - b);
    for (const k of quickest.slice(0, count)) chosen.add(k);
  };
  for (let block = 1; block <= blocks; block++) {
    const bits = runBits(fleet, block - 1, block);
    take(PER_BLOCK, block, samples, bits, bandwidthHz / blocks);
    // All that crunch can need for one layer per device.
    take(blocks - block + 1, block, samples, bits, bandwidthHz / all.length);
  }
  for (const part of [1, 4, 16]) {
    const carried = Math.max(1, Math.round(samples / part));
    take(WHOLE_MODEL, blocks, carried, runBits(fleet, -1, blocks), bandwidthHz / part);
  }
  return [...chosen].sort((a, b) => a - b);
}
