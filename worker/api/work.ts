import type { Block, Work } from '../../signaling/protocol/round.ts';
import type { TokenBatch } from './batch.ts';

/** One order as the worker gets it, with its samples: forward over `batch`, backward down to the deepest layer of `layers`. */
export interface WorkOrder extends Omit<Work, 'samples'> {
  readonly round: number;
  readonly batch: TokenBatch;
  /** Sizes of micro-batches of neighbouring samples, which together are all; unless given, they are cut as suits the engine. */
  readonly microBatchSizes?: readonly number[];
  readonly dropout: { readonly probability: number; readonly seed: number };
}

export type WorkPart =
  /** `gradient` is the sum over the order's samples of d(sample loss)/d(parameter), laid out as the block's slice of ParameterLayout. */
  | { readonly kind: 'gradient'; readonly block: Block; readonly gradient: Float32Array }
  | {
      readonly kind: 'done';
      readonly lossSum: number;
      readonly computeSeconds: number;
      readonly forwardSeconds: number;
      /** The device's memory gave out on the way: what it states of itself is less from now on. */
      readonly gaveOut?: true;
    };
