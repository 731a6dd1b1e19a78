import type { UnitRun } from '../../signaling/protocol/split.ts';
import type { WorkPart } from './work.ts';

/**
 * One stage of a pipeline in one round, as the worker gets it. Its samples are in the order of its micro-batches, the same in every stage;
 * what goes from stage to stage is given and pulled apart from it.
 */
export interface StageOrder {
  readonly round: number;
  readonly run: UnitRun;
  /** Layers of the run whose gradients are wanted, ascending; and whether the head's is. */
  readonly layers: readonly number[];
  readonly head: boolean;
  /** The lowest trained layer of the whole model, to which the gradient goes down. */
  readonly lowest: number;
  readonly microBatchSizes: readonly number[];
  /** Micro-batches that may be between their forward and their backward pass; of no meaning where nothing goes backward. */
  readonly window: number;
  /** Nothing is kept between the two but the input: the layers go forward again. */
  readonly recompute: boolean;
  readonly tokens: number;
  /** (D) real tokens, and (D) positions within the round, which key the dropout. */
  readonly lengths: Int32Array;
  readonly positions: Int32Array;
  /** (D,T) of the stage with the embeddings; null elsewhere. */
  readonly ids: Int32Array | null;
  /** (D), or (D,labels), of the stage with the head; null elsewhere. */
  readonly labels: Float32Array | null;
  readonly dropout: { readonly probability: number; readonly seed: number };
}

/**
 * Hidden states of one micro-batch going up, or their gradient coming down: (rows,C), the real tokens of its samples one after the other;
 * before the head (samples,C), the first token of each. Whoever is given one computes with it, whoever made one says it.
 */
export interface StageValues {
  readonly kind: 'hidden' | 'dHidden';
  readonly microBatch: number;
  readonly values: Float32Array;
}

/** A pass of a micro-batch that has ended here; waiting for its input is not part of it. */
export interface StagePass {
  readonly kind: 'passed';
  readonly direction: 'up' | 'down';
  readonly microBatch: number;
  /** From the moment when the stage was begun. */
  readonly sinceSeconds: number;
  readonly seconds: number;
  /** When its input had come from the neighbour, counted likewise; none where the pass has no such input. */
  readonly cameSeconds?: number;
}

/** Pulled like the parts of an order; a pass is told of before what it made. */
export type StagePart = StageValues | StagePass | WorkPart;

/** The trained values of a run: the head's first where it has the head, then its trained layers' in ascending order. */
export interface StageParameters {
  readonly layers: readonly number[];
  readonly head: boolean;
  readonly values: Float32Array;
}

/** Some samples on their way up through one stage, without dropout. */
export interface StageChunk {
  readonly run: UnitRun;
  readonly tokens: number;
  readonly lengths: Int32Array;
  /** (B,T) of the stage with the embeddings; null elsewhere. */
  readonly ids: Int32Array | null;
  /** What came from the stage below; null for the one with the embeddings. */
  readonly hidden: Float32Array | null;
  /** For this chunk alone; those of the orders are back afterwards. */
  readonly parameters: StageParameters;
}
