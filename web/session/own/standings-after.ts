import type { ToldStandings } from '../../../signaling/protocol/exchange/audit-messages.ts';
import { type Standing, type Standings, UNDO_ROUNDS } from '../rounds/audits/standing.ts';

interface After {
  /** What the host told last; null for nothing. */
  readonly told: Omit<ToldStandings, 'type' | 'term'> | null;
  /** The round after which another one leads. */
  readonly round: number;
  /** Who gave something to the rounds so far. */
  readonly rounds: readonly { readonly round: number; readonly devices: readonly { readonly device: string }[] }[];
}

/**
 * What is known of devices where another one leads: what the host had told, and that nobody checked what they gave since. A host that told of rounds
 * that are not there any more had undone some: which of those that are there were checked nobody knows then.
 */
export function standingsAfter({ told, round, rounds }: After): Standings {
  const known = told !== null && told.round <= round + 1 ? told : { round: 0, devices: [] };
  const standings = new Map<string, Standing>();
  const put = (device: string, { right, since }: Pick<Standing, 'right' | 'since'>, unaudited: number | null): void => {
    const isThere = unaudited !== null && unaudited > round - UNDO_ROUNDS && unaudited <= round;
    const contributions = isThere ? [{ round: unaudited, run: 0 }] : [];
    standings.set(device, { right, since, pending: 0, unaudited: contributions, confirmed: [] });
  };
  for (const { device, right, since, unaudited } of known.devices) put(device, { right, since }, unaudited);
  const later = rounds.filter((one) => one.round > known.round && one.round > round - UNDO_ROUNDS);
  for (const { round: first, devices } of later.sort((a, b) => a.round - b.round))
    for (const { device } of devices) {
      const before = standings.get(device);
      if (before === undefined || before.unaudited.length === 0) put(device, before ?? { right: 0, since: 0 }, first);
    }
  return standings;
}
