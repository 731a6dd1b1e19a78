import { median } from '../../../signaling/protocol/median.ts';
import type { RoundReport } from '../../../signaling/protocol/room-view.ts';

/** Rounds that a pace is taken over, and how many there have to be to speak of a change. */
const FIRST_ROUNDS = 10;
const LAST_ROUNDS = 5;
const LEAST_ROUNDS = 25;
/** Of a long session, how far back its beginning is looked for. */
const LOOK_BACK = 400;
/** Less is what devices do anyhow. */
const SLOWER = 1.4;

/**
 * How many times slower a device has become since it began, by its own seconds for a sample and layer, so that another plan does not
 * show; null where it has not, or where too little is known.
 */
export function slowedDown(rounds: readonly RoundReport[], device: string, layers: number): number | null {
  const costs: number[] = [];
  for (const { devices } of rounds.slice(-LOOK_BACK)) {
    let seconds = 0;
    let work = 0;
    for (const entry of devices) {
      if (entry.device !== device) continue;
      seconds += entry.computeSeconds;
      work += entry.samples * (layers + entry.deepestDepth);
    }
    if (work > 0) costs.push(seconds / work);
  }
  if (costs.length < LEAST_ROUNDS) return null;
  const first = median(costs.slice(0, FIRST_ROUNDS));
  const times = first === 0 ? 1 : median(costs.slice(-LAST_ROUNDS)) / first;
  return times < SLOWER ? null : times;
}
