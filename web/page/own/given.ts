import type { RoundReport } from '../../../signaling/protocol/room-view.ts';

/** What one device has done for the session, added up over rounds. */
export interface Given {
  readonly rounds: number;
  readonly samples: number;
  readonly seconds: number;
  readonly uploadBits: number;
  /** Samples times the layers that they went through, up and down again: with frozen weights both ways cost the same. */
  readonly work: number;
}

/** What everybody has given, those that left included. */
export interface Tally {
  /** The last round that is in it. */
  readonly through: number;
  /** Rounds of which it is not told who did what: a latecomer's history is thinned. */
  readonly untold: number;
  readonly devices: ReadonlyMap<string, Given>;
  readonly work: number;
}

export const NOTHING_GIVEN: Tally = { through: 0, untold: 0, devices: new Map(), work: 0 };

/** The tally after further rounds. Costs what was added, not what there is; after a rewind everything is added up anew. */
export function tallied(tally: Tally, rounds: readonly RoundReport[], layers: number): Tally {
  const last = rounds.at(-1)?.round ?? 0;
  if (last === tally.through) return tally;
  if (last < tally.through) return tallied(NOTHING_GIVEN, rounds, layers);
  let first = rounds.length;
  while (first > 0 && rounds[first - 1]!.round > tally.through) first--;
  const devices = new Map(tally.devices);
  let { work } = tally;
  let told = 0;
  for (const report of rounds.slice(first)) {
    if (report.devices.length === 0) continue;
    told++;
    const seen = new Set<string>();
    for (const entry of report.devices) {
      const before = devices.get(entry.device);
      const done = entry.samples * (layers + entry.deepestDepth);
      work += done;
      devices.set(entry.device, {
        // Work that was taken over has an entry of its own.
        rounds: (before?.rounds ?? 0) + (seen.has(entry.device) ? 0 : 1),
        samples: (before?.samples ?? 0) + entry.samples,
        seconds: (before?.seconds ?? 0) + entry.computeSeconds,
        uploadBits: (before?.uploadBits ?? 0) + entry.uploadBits,
        work: (before?.work ?? 0) + done,
      });
      seen.add(entry.device);
    }
  }
  return { through: last, untold: tally.untold + (last - tally.through - told), devices, work };
}

/** 0 to 1 of all the work that was told; null of a device that has done none. */
export function shareOf(tally: Tally, device: string): number | null {
  const given = tally.devices.get(device);
  return given === undefined || tally.work === 0 ? null : given.work / tally.work;
}
