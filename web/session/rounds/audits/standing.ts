import type { ToldStandings } from '../../../../signaling/protocol/exchange/audit-messages.ts';
import { auditChance, NEWCOMER_ROUNDS } from './chance.ts';

/** Rounds that can be undone: of as many the host keeps snapshots. */
export const UNDO_ROUNDS = 64;
/** Devices that are remembered, those that left included: the oldest makes room. */
const MAX_REMEMBERED = 256;

/** One round's contribution of a device; `run` tells a round that was repeated from what it was before. */
interface Contribution {
  readonly round: number;
  readonly run: number;
}

/** What is known of a device's honesty. */
export interface Standing {
  /** Rounds of it that were found right. */
  readonly right: number;
  /** Audits of it that are under way, in rounds. */
  readonly pending: number;
  /** Rounds since the last one that was audited. */
  readonly since: number;
  /** Rounds with parts of it that nobody has found right, ascending; of the last that can be undone. */
  readonly unaudited: readonly Contribution[];
  /** Those that others found right, and who. */
  readonly confirmed: readonly (Contribution & { readonly by: readonly string[] })[];
}

export type Standings = ReadonlyMap<string, Standing>;

const NEW: Standing = { right: 0, pending: 0, since: 0, unaudited: [], confirmed: [] };

export const standingOf = (standings: Standings, device: string): Standing => standings.get(device) ?? NEW;

function put(standings: Standings, device: string, standing: Standing): Standings {
  const next = new Map(standings);
  next.delete(device);
  next.set(device, standing);
  for (const oldest of next.keys()) {
    if (next.size <= MAX_REMEMBERED) break;
    next.delete(oldest);
  }
  return next;
}

/** Whether this round of a device is audited; `draw` is even in 0 to 1. */
export function isDue({ right, pending, since }: Standing, share: number, draw: number): boolean {
  return right + pending < NEWCOMER_ROUNDS || draw < auditChance(since + 1, share);
}

/** A device gave parts to a round, which are audited or not. */
export function afterRound(
  standings: Standings,
  device: string,
  contribution: Contribution,
  isAudited: boolean,
): Standings {
  const before = standingOf(standings, device);
  const oldest = contribution.round - UNDO_ROUNDS;
  return put(standings, device, {
    ...before,
    pending: before.pending + (isAudited ? 1 : 0),
    since: isAudited ? 0 : before.since + 1,
    unaudited: [...before.unaudited, contribution].filter(({ round }) => round > oldest),
    confirmed: before.confirmed.filter(({ round }) => round > oldest),
  });
}

/** Its contribution was found right; or nobody could say, where `by` is empty. */
export function afterAudit(standings: Standings, device: string, run: number, by: readonly string[]): Standings {
  const before = standings.get(device);
  if (before === undefined) return standings;
  const pending = Math.max(0, before.pending - 1);
  if (by.length === 0) return put(standings, device, { ...before, pending });
  const found = before.unaudited.find((one) => one.run === run);
  return put(standings, device, {
    ...before,
    pending,
    right: before.right + 1,
    unaudited: before.unaudited.filter((one) => one !== found),
    confirmed: found === undefined ? before.confirmed : [...before.confirmed, { ...found, by }],
  });
}

/** Without a liar, and without what it said of others. */
export function withoutLiar(standings: Standings, liar: string): Standings {
  const next = new Map<string, Standing>();
  for (const [device, standing] of standings) {
    if (device === liar) continue;
    const void_ = standing.confirmed.filter(({ by }) => by.includes(liar));
    next.set(device, {
      ...standing,
      confirmed: standing.confirmed.filter((one) => !void_.includes(one)),
      unaudited: [...standing.unaudited, ...void_.map(({ round, run }) => ({ round, run }))].sort(
        (a, b) => a.run - b.run,
      ),
    });
  }
  return next;
}

/** Rounds after `round` never were. */
export function undone(standings: Standings, round: number): Standings {
  return new Map(
    [...standings].map(([device, standing]) => [
      device,
      {
        ...standing,
        unaudited: standing.unaudited.filter((one) => one.round <= round),
        confirmed: standing.confirmed.filter((one) => one.round <= round),
      },
    ]),
  );
}

/** What a host tells of these devices, for whoever leads after it. */
export const toldOf = (standings: Standings, devices: readonly string[]): ToldStandings['devices'] =>
  devices.flatMap((device) => {
    const standing = standings.get(device);
    if (standing === undefined) return [];
    const { right, since, unaudited } = standing;
    const told = { right: Math.min(right, NEWCOMER_ROUNDS), since, unaudited: unaudited[0]?.round ?? null };
    return [{ device, ...told }];
  });
