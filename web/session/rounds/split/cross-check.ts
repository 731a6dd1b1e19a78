import type { CutDigests } from '../../../../signaling/protocol/exchange/stage-messages.ts';
import type { Order } from '../round.ts';
import { neighbourOf, type Places, stageOf } from './places.ts';

/** A stage at the end of a round, as it says itself. */
export interface SettledStage {
  readonly order: Order;
  /** What went over its cuts; null where it says nothing. */
  readonly cuts: CutDigests | null;
  /** It was given out more than once in the round: what neighbours had of an earlier device they kept. */
  readonly isMoved: boolean;
}

type Direction = 'up' | 'down';

/** Two neighbours say otherwise of what went between them. */
export interface Disagreement {
  readonly lower: Order;
  readonly upper: Order;
  readonly direction: Direction;
  /** Who says other than what the host saw; null where it did not see it. */
  readonly liars: readonly string[] | null;
}

/** Digest of what the host saw go from one stage to another; null where it did not see all of it. */
export type Seen = (from: Order, to: Order, direction: Direction) => string | null;

/**
 * Where stages disagree with their neighbours. Both ends say what went over a cut; who says otherwise lies, or the other does, which only
 * somebody can tell who saw it. Stages that changed hands are left out, for what came from two devices is nobody's word.
 */
export function disagreements(stages: readonly SettledStage[], seen: Seen): readonly Disagreement[] {
  const places: Places = stages.map(({ order }) => order);
  const found: Disagreement[] = [];
  for (const { order: lower, cuts: low, isMoved } of stages) {
    const above = neighbourOf(places, lower, 'above');
    const upper = stages.find(({ order }) => order === above);
    if (upper === undefined || isMoved || upper.isMoved) continue;
    const words: readonly (readonly [Direction, Order, Order, string | null, string | null])[] = [
      ['up', lower, upper.order, low?.toAbove ?? null, upper.cuts?.fromBelow ?? null],
      ['down', upper.order, lower, upper.cuts?.toBelow ?? null, low?.fromAbove ?? null],
    ];
    for (const [direction, from, to, said, heard] of words) {
      const truth = seen(from, to, direction);
      const isKnown = truth !== null;
      // Nothing goes up out of a last stage, or down below what is trained; where both keep silent of what went, the host may have seen it.
      if (said === heard && (!isKnown || said === truth)) continue;
      const liars = isKnown ? [said === truth ? [] : [from.device], heard === truth ? [] : [to.device]].flat() : null;
      found.push({ lower, upper: upper.order, direction, liars });
    }
  }
  return found;
}

/** Whether what a stage was given, and what it gave, is known for certain: it and its neighbours stayed who they were. */
export function isOpaque(stages: readonly SettledStage[], { order, cuts, isMoved }: SettledStage): boolean {
  const places: Places = stages.map((one) => one.order);
  const beside = (['below', 'above'] as const).map((side) => neighbourOf(places, order, side));
  return isMoved || cuts === null || stages.some((one) => one.isMoved && beside.includes(one.order));
}

/** The cuts of a stage by side and way, whose word it is that is asked for, and whether it is what the stage computes with. */
export const CUTS = [
  { side: 'below', direction: 'up', of: 'fromBelow', isInput: true },
  { side: 'above', direction: 'down', of: 'fromAbove', isInput: true },
  { side: 'above', direction: 'up', of: 'toAbove', isInput: false },
  { side: 'below', direction: 'down', of: 'toBelow', isInput: false },
] as const;

export const microBatchesOf = (order: Order): number => stageOf(order).microBatches;
