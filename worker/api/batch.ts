import type { Block, SampleRange } from '../../signaling/protocol/round.ts';

/** Token ids of some samples, padded to the longest; what an engine trains or evaluates on. */
export interface TokenBatch {
  /** (B,T) row-major, padded with the model's pad id. */
  readonly ids: Int32Array;
  /** (B) count of real tokens in each row. Masked padding is everything after it. */
  readonly lengths: Int32Array;
  /** (B) class index, or the target value for regression; (B,labels) zeros and ones where a sample has any of several labels. */
  readonly labels: Float32Array;
  /** (B) position of each sample within its round; keys the dropout generator, so that any device draws the same mask. */
  readonly positions: Int32Array;
  readonly tokens: number;
}

/** A device's contribution to a round: the gradient of one block, summed over the losses of a run of samples. */
export interface GradientPart {
  readonly block: Block;
  readonly samples: SampleRange;
  /** Laid out as the block's slice of ParameterLayout. */
  readonly gradient: Float32Array;
}

/** A part of a round whose gradient is of no use. */
export type FaultyPart = Pick<GradientPart, 'block' | 'samples'>;
