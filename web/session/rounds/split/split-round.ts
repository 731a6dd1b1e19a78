import type { CutDigests } from '../../../../signaling/protocol/exchange/stage-messages.ts';
import type { Block, OrderTag, Step } from '../../../../signaling/protocol/round.ts';
import type { GradientPart } from '../../../../worker/api/batch.ts';
import type { Order, RoundState } from '../round.ts';
import type { Places } from './places.ts';

/** A device that could take a stage over. */
export interface Spare {
  readonly device: string;
  /** Seconds until it could begin, by number of the order: 0 where it holds the run; no entry where it cannot hold it. */
  readonly readyIn: ReadonlyMap<number, number>;
}

/** A pass that ended, as its stage says. */
export interface Passed {
  readonly microBatch: number;
  readonly direction: 'up' | 'down';
  readonly sinceSeconds: number;
  readonly seconds: number;
  /** When its input had come from the neighbour. */
  readonly cameSeconds?: number;
}

/** What came of one giving out of a stage. */
export interface StageTiming {
  readonly order: Order;
  readonly computeSeconds: number | null;
  /** What went over its cuts, as it says. */
  readonly cuts: CutDigests | null;
  readonly doneMs: number;
  readonly lastPartMs: number;
  readonly uploadBits: number;
}

export interface SplitRound {
  readonly round: RoundState;
  /** The latest giving out of every stage, whether it is done or not. */
  readonly places: Places;
  readonly spares: readonly Spare[];
  /** Until when each order is waited for before its device counts as late, by number. */
  readonly untilMs: ReadonlyMap<number, number>;
  /** Seconds by number of the order after which the host has all of it, by the schedule. */
  readonly finishSeconds: ReadonlyMap<number, number>;
  /** By number and epoch (`givenOf`). */
  readonly passes: ReadonlyMap<string, readonly Passed[]>;
  readonly late: ReadonlySet<string>;
  readonly failures: ReadonlyMap<string, number>;
  readonly doubted: ReadonlySet<number>;
  readonly timings: readonly StageTiming[];
  /** With the number of the order that each is of. */
  readonly parts: readonly (GradientPart & { readonly order: number })[];
  /** Loss sums of the orders with the head, by number. */
  readonly losses: ReadonlyMap<number, number>;
  /** Whether no device can do what is owed: the room has to be laid out anew. */
  readonly isOver: boolean;
}

interface From {
  readonly device: string;
  readonly tag: OrderTag;
  readonly atMs: number;
}

export type SplitEvent =
  | {
      readonly type: 'devices';
      readonly lost: readonly string[];
      readonly spares: readonly Spare[];
      readonly atMs: number;
    }
  | ({
      readonly type: 'gradient';
      readonly block: Block;
      readonly gradient: Float32Array;
      readonly bits: number;
    } & From)
  | ({
      readonly type: 'done';
      readonly lossSum: number;
      readonly computeSeconds: number;
      readonly cuts?: CutDigests | undefined;
    } & From)
  | ({ readonly type: 'passed'; readonly passes: readonly Passed[] } & From)
  | ({ readonly type: 'failed'; readonly sentence: string } & From)
  /** About once a second. */
  | { readonly type: 'tick'; readonly atMs: number };

export type Why = 'lost its link' | 'is late' | 'failed' | 'tries again' | 'sent values that are not finite';

export type SplitEffect =
  | { readonly type: 'send'; readonly order: Order }
  /** The stage below or above the order's is another device now, or the same one in another epoch. */
  | { readonly type: 'rewire'; readonly order: Order; readonly side: 'below' | 'above'; readonly to: Order }
  | { readonly type: 'abandon'; readonly device: string; readonly tag: OrderTag }
  | { readonly type: 'moved'; readonly from: string; readonly to: string; readonly why: Why }
  | { readonly type: 'trouble'; readonly device: string; readonly sentence: string }
  | { readonly type: 'activity' }
  | { readonly type: 'complete' }
  /** Nobody who is free can do this stage. Nothing was merged: the round is done again when the room has another layout. */
  | { readonly type: 'interrupted'; readonly order: Order; readonly why: Why }
  | { readonly type: 'give-up'; readonly device: string; readonly sentence: string };

export type Stepped = ReturnType<Step<SplitRound, SplitEvent, SplitEffect>>;
