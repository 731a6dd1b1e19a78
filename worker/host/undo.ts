import type { HostState } from './host-state.ts';

/** Before what comes next changes anything. */
export function keepSnapshot({ round, snapshots, learner, best }: HostState): void {
  snapshots.keep(round, learner, best);
}

/** Makes the host what it was after `round`, or after the nearest round before that it can go back to; answers which. */
export function undoTo(host: HostState, round: number): number {
  const found = host.snapshots.goBack(round, host.learner);
  if (found === null) return host.round;
  host.round = found.round;
  host.digest = null;
  const later = host.scores.findIndex((score) => score.round > found.round);
  if (later >= 0) host.scores.splice(later);
  if (host.best !== null && host.best.round > found.round) host.best = found.besides;
  if (host.scored !== null && host.scored.round > found.round) host.scored = null;
  return found.round;
}
