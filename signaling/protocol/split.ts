import * as v from 'valibot';
import { MAX_DEVICES_IN_ROOM, MAX_LAYERS, MAX_SAMPLES_PER_ROUND } from './limits.ts';

/**
 * A split room: no device need hold the whole model. The model of L layers is a row of *units*: 0 the embeddings, 1..L the layers (a
 * layer's index + 1), L+1 the head. A *run* is some of them in a row; a *stage* is a device and its run; stages in order are a *pipeline*.
 * Hidden states go up from stage to stage, their gradient goes down to the lowest trained layer.
 */
export interface UnitRun {
  readonly from: number;
  /** Not included. */
  readonly to: number;
}

/** What of a model a device holds. */
export interface ModelPart {
  readonly embeddings: boolean;
  /** Layers `from` up to, not including, `to`, counted from the embeddings. */
  readonly layers: { readonly from: number; readonly to: number };
  readonly head: boolean;
}

export const unitCount = (layers: number): number => layers + 2;

export const wholeRun = (layers: number): UnitRun => ({ from: 0, to: unitCount(layers) });

export const wholePart = (layers: number): ModelPart => ({
  embeddings: true,
  layers: { from: 0, to: layers },
  head: true,
});

/** The part that a run of units of a model of `layers` layers is. */
export function partOf({ from, to }: UnitRun, layers: number): ModelPart {
  const first = Math.min(Math.max(from, 1), layers + 1) - 1;
  return {
    embeddings: from === 0,
    layers: { from: first, to: Math.max(first, Math.min(to, layers + 1) - 1) },
    head: to === unitCount(layers),
  };
}

/** Whether whoever holds `held` can do the work of `run`. */
export const holdsRun = (held: UnitRun | null | undefined, run: UnitRun): boolean =>
  held !== null && held !== undefined && held.from <= run.from && held.to >= run.to;

/** Sizes of the micro-batches of `samples` samples in `microBatches` ones: the first of them have one more where they do not come out even. */
export const microBatchSizes = (samples: number, microBatches: number): readonly number[] =>
  Array.from(
    { length: microBatches },
    (_, j) => Math.floor(samples / microBatches) + (j < samples % microBatches ? 1 : 0),
  );

const unit = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_LAYERS + 2));
const index = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_DEVICES_IN_ROOM - 1));
const count = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_SAMPLES_PER_ROUND));

export const UnitRunSchema = v.pipe(
  v.strictObject({ from: unit, to: unit }),
  v.check(({ from, to }) => from < to, 'a run of one unit at least'),
);

/** A device's place in a pipeline. */
export const StageSchema = v.pipe(
  v.strictObject({
    pipeline: index,
    /** From the embeddings up. */
    index,
    from: unit,
    to: unit,
    /** Micro-batches that may be between their forward and their backward pass here; 0 where nothing goes backward. */
    window: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_SAMPLES_PER_ROUND)),
    /** Of the whole pipeline: into so many are its samples cut. */
    microBatches: count,
  }),
  v.check(({ from, to }) => from < to, 'a stage of one unit at least'),
);
export type Stage = v.InferOutput<typeof StageSchema>;

/** What hidden states, and nothing else, are rounded to on their way up and down. */
export const HIDDEN_STATES = ['f32', 'f16'] as const;
export type HiddenStates = (typeof HIDDEN_STATES)[number];
