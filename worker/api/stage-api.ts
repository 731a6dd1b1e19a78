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

/** When a pass of a micro-batch began and ended here, in seconds since the stage began; waiting for its input is not part of it. */
export interface StageOperation {
  readonly kind: 'forward' | 'backward';
  readonly microBatch: number;
  readonly startSeconds: number;
  readonly endSeconds: number;
}

type Gradient = Extract<WorkPart, { kind: 'gradient' }>;
type Done = Extract<WorkPart, { kind: 'done' }> & { readonly operations: readonly StageOperation[] };

export type StagePart = StageValues | Gradient | Done;

/** Some samples on their way up through one stage, without dropout. */
export interface StageChunk {
  readonly run: UnitRun;
  readonly tokens: number;
  readonly lengths: Int32Array;
  /** (B,T) of the stage with the embeddings; null elsewhere. */
  readonly ids: Int32Array | null;
  /** What came from the stage below; null for the one with the embeddings. */
  readonly hidden: Float32Array | null;
}
