import * as v from 'valibot';
import { MAX_DEVICES_IN_ROOM, MAX_LAYERS, MAX_ROUNDS, MAX_SAMPLES_PER_ROUND } from './limits.ts';

/**
 * The words of a round, for everybody who takes part in one.
 *
 *   work   which blocks' gradients, over which samples, and how many at a time. A plan is work for every device.
 *   order  work that is owed in one round, with a number that it keeps until all of it has come, whoever does it.
 *   part   what comes back for an order: the gradient of one block, or the report that ends it.
 *   epoch  counts the times that orders of a round were given out. An order that goes to another device, or to the same one again,
 *          keeps its number and takes the epoch of that moment; what carries an earlier one belongs to nobody and is dropped.
 *   course counts the times that rounds were undone, to be repeated: a round of a later course comes after every round of an earlier one,
 *          whatever their numbers. It is part of the epoch, whose counting goes on from `firstEpoch(course)`.
 *   term   counts who has been host, one after the other: one more each time that somebody takes a session up. Parts for an earlier
 *          host are dropped, and so are its orders.
 *   step   what a round is made of: a function from a state and an event to the next state and the effects that follow. Clocks, links
 *          and workers are at its rim; they turn into events, and effects into what they do.
 *
 * Work crosses four borders, and each adds what the other side cannot know: the planner's answer the predicted costs (`plan.ts`), the
 * host's ledger the device and the epoch (`Order` in `web/session/rounds/round.ts`), the link the version of the parameters and the
 * samples' tokens (`data-messages.ts`), the worker the samples themselves (`WorkOrder` in `worker/api/work.ts`).
 */
export type Step<State, Event, Effect> = (
  state: State,
  event: Event,
) => { readonly state: State; readonly effects: readonly Effect[] };

const index = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(max));
const count = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(max));
const layer = index(MAX_LAYERS - 1);
const MAX_COUNTER = 2 ** 31;

/** A layer's adapters, by the layer's index from the embeddings, or the classification head. */
export const BlockSchema = v.union([layer, v.literal('head')]);
export type Block = v.InferOutput<typeof BlockSchema>;

/** Positions within a round's samples: from `start`, `count` of them. */
export interface SampleRange {
  readonly start: number;
  readonly count: number;
}

export interface Work {
  /** Layer indices as Hugging Face counts them (0 is next to the embeddings), ascending. May be empty when `head` is set. */
  readonly layers: readonly number[];
  /** Whether the classification head's gradient is part of it. */
  readonly head: boolean;
  readonly samples: SampleRange;
  /** The most samples that pass through the model at once. */
  readonly microBatch: number;
  /** Layers keep their inputs alone and go forward again on the way back, for want of memory; absent where they need not. */
  readonly recompute?: boolean | undefined;
}

/** The fields of `Work` in a message. */
export const WORK_FIELDS = {
  layers: v.pipe(v.array(layer), v.maxLength(MAX_LAYERS)),
  head: v.boolean(),
  samples: v.strictObject({ start: index(MAX_SAMPLES_PER_ROUND), count: index(MAX_SAMPLES_PER_ROUND) }),
  microBatch: count(MAX_SAMPLES_PER_ROUND),
  recompute: v.optional(v.boolean()),
};

export const TermSchema = count(MAX_COUNTER);
export const RoundNumberSchema = index(MAX_ROUNDS);

const EPOCHS_OF_A_COURSE = 2 ** 16;
/** Of the giving out with which a round of this course begins; courses count from 0. */
export const firstEpoch = (course: number): number => course * EPOCHS_OF_A_COURSE + 1;
export const courseOf = ({ epoch }: Pick<OrderTag, 'epoch'>): number => Math.floor(epoch / EPOCHS_OF_A_COURSE);
export const MAX_COURSE = Math.floor(MAX_COUNTER / EPOCHS_OF_A_COURSE) - 1;

/** Which giving out of which order: on every order, on every part of it, and on what is said about it. */
export const OrderTagSchema = v.strictObject({
  term: TermSchema,
  round: RoundNumberSchema,
  /** From 1 within its round; a plan has one piece of work for a device at most. */
  order: count(MAX_DEVICES_IN_ROOM),
  epoch: count(MAX_COUNTER),
});
export type OrderTag = v.InferOutput<typeof OrderTagSchema>;

/** Which run of the dev set: a term counts its evaluations, an evaluation its chunks from 0. */
export const ChunkTagSchema = v.strictObject({
  term: TermSchema,
  evaluation: count(MAX_COUNTER),
  chunk: index(MAX_COUNTER),
});
export type ChunkTag = v.InferOutput<typeof ChunkTagSchema>;
