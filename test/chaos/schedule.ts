import { drawsFrom, type RandomSource } from '../../signaling/planner/algorithms/random.ts';
import type { LieName } from '../process/lies.ts';
import { FAULTS, type FaultKind, PHASES, type Phase } from './cells.ts';

/** Lies that a few rounds cannot hide: an old copy of the parameters does no harm while it is still within the tolerance. */
export const LIES_TOLD = {
  whole: ['scaled by 1.05', 'sign flipped', 'zeroed', 'noise of a tenth', 'flipped labels', 'false loss'],
  /** Such as every stage can tell, whichever it is. */
  split: ['scaled by 1.05', 'sign flipped', 'zeroed', 'noise of a tenth', 'false cuts'],
} as const satisfies Readonly<Record<string, readonly LieName[]>>;

/** What is drawn of a fault beside its cell. */
export type Manner =
  | { readonly kind: 'kill' }
  /** `ofHost`: it is the host that stops. */
  | { readonly kind: 'stop'; readonly seconds: number; readonly ofHost: boolean }
  | { readonly kind: 'cut'; readonly seconds: number }
  | { readonly kind: 'delay'; readonly seconds: number; readonly ms: number }
  | { readonly kind: 'loss'; readonly seconds: number; readonly share: number }
  | { readonly kind: 'server'; readonly seconds: number }
  /** `returns`: from its checkpoint, as who it was; otherwise somebody new comes in its place. */
  | { readonly kind: 'host'; readonly returns: boolean }
  | { readonly kind: 'liar'; readonly lie: LieName }
  | { readonly kind: 'staller'; readonly seconds: number }
  | { readonly kind: 'memory'; readonly times: number };

/** One fault: at the first time from `round` on that the room is in `phase`, it strikes. */
export interface Planned {
  readonly round: number;
  readonly phase: Phase;
  readonly manner: Manner;
  /** In [0, 1): which of those that it may meet. */
  readonly victim: number;
}

export interface ScheduleRequest {
  readonly seed: number;
  readonly rounds: number;
  /** Scores are due after every so many rounds. */
  readonly evaluateEvery: number;
  readonly cells: readonly (readonly [Phase, FaultKind])[];
  readonly lies?: readonly LieName[];
  /** Of the stop that lasts longest, exactly. */
  readonly longestStopSeconds: number;
}

/** Rounds in front of the first fault and after the last one, in which it is found out and mended. */
export const QUIET_ROUNDS = { before: 2, after: 12 } as const;
/** A liar is found within three rounds of its own, but they are done again; all else is over when the round is. */
const ROUNDS_OF: Readonly<Record<'liar' | 'other', number>> = { liar: 5, other: 2 };
/** Longer than the host waits for anybody whose part is late (15 s), and than what it waits for in an evaluation (10 s). */
const STALL_SECONDS = [17, 20] as const;

export const ALL_CELLS: readonly (readonly [Phase, FaultKind])[] = PHASES.flatMap((phase) =>
  FAULTS.map((fault) => [phase, fault] as const),
);

/** So many cells of each kind of fault, and each phase about as often: a shorter trial. */
export function someCells(
  seed: number,
  faults: readonly FaultKind[] = FAULTS,
  each = 1,
): readonly (readonly [Phase, FaultKind])[] {
  const draw = drawsFrom(seed);
  const order = draw.shuffle(PHASES);
  // Neighbours in the list of phases, so that no kind has one twice.
  return draw
    .shuffle(faults)
    .flatMap((fault, i) =>
      Array.from({ length: each }, (_, n) => [order[(i * each + n) % order.length]!, fault] as const),
    );
}

/**
 * The faults of a run, in the order of their rounds: each cell once, spread over the rounds as far as they reach. Evaluations come every so many
 * rounds and checkpoints about as often, so that their faults are spread over those; all others follow each other.
 */
export function scheduled(request: ScheduleRequest): readonly Planned[] {
  const { seed, rounds, evaluateEvery, cells, longestStopSeconds, lies = LIES_TOLD.whole } = request;
  const draw = drawsFrom(seed);
  const last = rounds - QUIET_ROUNDS.after;
  let isFirstStop = true;
  // Mostly short ones, and one of the longest.
  const stopSeconds = (): number => {
    const seconds = isFirstStop ? longestStopSeconds : 1 + Math.floor((longestStopSeconds - 1) * draw.uniform() ** 4);
    isFirstStop = false;
    return seconds;
  };
  const planned = draw
    .shuffle(cells)
    .map(([phase, kind]) => ({ phase, manner: mannerOf(kind, draw, stopSeconds, lies), victim: draw.uniform() }));

  const rare = { evaluation: 0, checkpoint: evaluateEvery >> 1 } as const;
  const placed: Planned[] = [];
  for (const phase of ['evaluation', 'checkpoint'] as const) {
    const own = planned.filter((one) => one.phase === phase);
    const slots: number[] = [];
    for (let round = evaluateEvery + rare[phase]; round <= last; round += evaluateEvery) slots.push(round);
    // Of the last ones a fault that is late could miss its phase.
    const early = slots.slice(0, Math.max(own.length, slots.length - 2));
    const chosen = spread(draw, early, own.length).sort((a, b) => a - b);
    own.forEach((one, i) => {
      placed.push({ ...one, round: chosen[i]! });
    });
  }

  const others = planned.filter(({ phase }) => phase !== 'evaluation' && phase !== 'checkpoint');
  const needed = others.map(({ manner }) => ROUNDS_OF[manner.kind === 'liar' ? 'liar' : 'other']);
  const total = needed.reduce((sum, count) => sum + count, 0);
  const room = last - QUIET_ROUNDS.before;
  if (total > room) throw new Error(`${cells.length} faults need ${total + rounds - room} rounds.`);
  let at = 0;
  others.forEach((one, i) => {
    placed.push({ ...one, round: 1 + QUIET_ROUNDS.before + Math.floor((at * room) / Math.max(1, total)) });
    at += needed[i]!;
  });
  return placed.sort((a, b) => a.round - b.round);
}

/** So many of the slots, each once while there are enough. */
function spread(draw: RandomSource, slots: readonly number[], count: number): number[] {
  if (slots.length === 0 && count > 0) throw new Error('There are too few rounds for an evaluation.');
  const chosen: number[] = [];
  while (chosen.length < count) chosen.push(...draw.shuffle(slots).slice(0, count - chosen.length));
  return chosen;
}

function mannerOf(kind: FaultKind, draw: RandomSource, stopSeconds: () => number, lies: readonly LieName[]): Manner {
  const between = (least: number, most: number): number => least + draw.below(most - least + 1);
  switch (kind) {
    case 'kill':
      return { kind };
    case 'stop':
      return { kind, seconds: stopSeconds(), ofHost: draw.uniform() < 0.25 };
    case 'cut':
      return { kind, seconds: between(2, 9) };
    case 'delay':
      return { kind, seconds: between(3, 6), ms: between(50, 600) };
    case 'loss':
      return { kind, seconds: between(3, 6), share: between(5, 30) / 100 };
    case 'server':
      return { kind, seconds: between(0, 3) };
    case 'host':
      return { kind, returns: draw.uniform() < 0.4 };
    case 'liar':
      return { kind, lie: lies[draw.below(lies.length)]! };
    case 'staller':
      return { kind, seconds: between(...STALL_SECONDS) };
    case 'memory':
      return { kind, times: between(1, 3) };
  }
}
