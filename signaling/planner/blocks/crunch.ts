import { uploadSeconds } from '../problem/channel.ts';
import type { Refusal } from '../problem/load.ts';
import type { BlockTable } from '../problem/table.ts';
import {
  type BlockAnswer,
  bottleneckByMatching,
  type Candidates,
  smallestPerDepth,
  type Upload,
} from './bottleneck.ts';

/**
 * CRUNCH (Cutting, RecoUNting, CHecking), exact for block allocation at fixed bandwidth, in its quickest form. Where every row rises with
 * depth, Hall's condition on nested sets says that a threshold t works iff for every depth b at least N - b + 1 devices have T[k,b] <= t.
 * The smallest such t is therefore the largest over b of the (N - b + 1)-th smallest entry of column b: one pass, O(K N).
 * Rows that are not monotone go to threshold search with maximum matching.
 * `seconds` is (K,N), Infinity where impossible, `upload` is added to it. Null when no allocation is finite.
 */
export function crunch(
  seconds: Float64Array,
  depths: number,
  ids: readonly string[],
  upload?: Upload,
): BlockAnswer | null {
  const { candidates, rowsRise } = smallestPerDepth(seconds, depths, ids, (depth) => depths - depth + 1, upload);
  if (rowsRise) return deepestFirst(candidates, 'crunch, sorted thresholds');
  return bottleneckByMatching(smallestPerDepth(seconds, depths, ids, () => depths, upload).candidates);
}

/** Crunch on a table of blocks when every device sends over `hertz`. */
export function crunchAt(table: BlockTable, hertz: number): BlockAnswer | null {
  const { depths, ids, computeSeconds, uploadBits: bits, law, coefficient } = table;
  const secondsPerBit = coefficient.map((one) => uploadSeconds(law, one, hertz, 1));
  return crunch(computeSeconds, depths, ids, { secondsPerBit, bits });
}

/** Deepest depth first, each takes its quickest free device: of N - b + 1 candidates at most N - b are taken already. */
export function deepestFirst(candidates: readonly Candidates[], solver: string): BlockAnswer | null {
  const depths = candidates.length;
  const taken = new Set<number>();
  const allocation = new Array<number>(depths);
  let latencySeconds = 0;
  for (let depth = depths; depth >= 1; depth--) {
    const { devices, seconds } = candidates[depth - 1]!;
    if (devices.length < depths - depth + 1) return null;
    const at = devices.findIndex((candidate) => !taken.has(candidate));
    taken.add(devices[at]!);
    allocation[depth - 1] = devices[at]!;
    latencySeconds = Math.max(latencySeconds, seconds[at]!);
  }
  return { allocation, latencySeconds, solver };
}

/**
 * Why no allocation exists: the depth that nobody can hold, or the run of depths that too few can. `entries` is (K,N), finite where
 * possible; `what` ends the sentence.
 */
export function whyInfeasible(
  computeSeconds: Float64Array,
  coefficient: Float64Array,
  uploadBits: Float64Array,
): Refusal['reason'] {
  const depths = uploadBits.length;
  const devices = coefficient.length;
  const holders = new Array<number>(depths).fill(0);
  const senders = new Array<number>(depths).fill(0);
  for (let k = 0, entry = 0; k < devices; k++) {
    for (let b = 0; b < depths; b++, entry++) {
      if (computeSeconds[entry] === Infinity) continue;
      holders[b]!++;
      if (uploadBits[b] === 0 || coefficient[k]! > 0) senders[b]!++;
    }
  }
  const unheld = depthsWhere(holders, (count) => count === 0);
  if (unheld.length > 0) {
    const rest = unheld.length > 1 ? ` (nor ${list(unheld.slice(1))})` : '';
    return `no device's memory can hold depth ${unheld[0]}${rest}; add a device with more memory or train fewer layers`;
  }
  const unsent = depthsWhere(senders, (count) => count === 0);
  if (unsent.length > 0) {
    return `depth ${unsent[0]} fits only on devices whose link carries nothing; give one of them a working link`;
  }
  if (devices < depths) {
    return `depth 1 to depth ${depths} need one device each, but there are only ${devices}; add devices or merge blocks`;
  }
  for (let b = depths; b >= 1; b--) {
    if (senders[b - 1]! < depths - b + 1) {
      const what =
        b === depths ? `depth ${b} needs a device` : `depths ${b} to ${depths} need ${depths - b + 1} devices`;
      return `${what}, but only ${senders[b - 1]} can hold depth ${b}; add a device with more memory`;
    }
  }
  return `depth ${depths} and the depths before it have no set of different devices that holds them all; add a device with more memory`;
}

function depthsWhere(counts: readonly number[], test: (count: number) => boolean): number[] {
  return counts.flatMap((count, b) => (test(count) ? [b + 1] : []));
}

function list(depths: readonly number[]): string {
  return depths.length > 12 ? `${depths.length} others` : depths.map((depth) => `depth ${depth}`).join(', ');
}
