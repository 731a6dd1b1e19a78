import * as v from 'valibot';
import { DeviceIdSchema } from '../ids.ts';
import {
  MAX_DEVICES_IN_ROOM,
  MAX_LAYERS,
  MAX_ROUNDS,
  MAX_SAMPLES_PER_ROUND,
  MAX_TOKENS_PER_SAMPLE,
} from '../limits.ts';
import { type Block, ChunkTagSchema, OrderTagSchema, RoundNumberSchema, TermSchema, WORK_FIELDS } from '../round.ts';
import { HIDDEN_STATES, StageSchema, unitCount } from '../split.ts';
import { AuditTagSchema } from './audit-tag.ts';
import type { FrameTensor } from './frames.ts';
import { boundedInts, finiteFloats } from './tensor-checks.ts';

/** What host and stages of a split room, and stages and their neighbours, say to each other. */

const whole = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(max));
const count = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(max));
const fraction = v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(1));
const seconds = v.pipe(v.number(), v.finite(), v.minValue(0));
const epoch = whole(2 ** 31);
const index = whole(MAX_DEVICES_IN_ROOM - 1);
const microBatch = whole(MAX_SAMPLES_PER_ROUND - 1);
const direction = v.picklist(['up', 'down']);
/** A power of two by which f16 values were multiplied; 1 for f32. */
const scale = v.pipe(v.number(), v.finite(), v.gtValue(0));

/** Another stage of the pipeline: who it is, and the epoch of the order under which it works; whether all goes by way of the host. */
const neighbour = v.strictObject({ device: DeviceIdSchema, epoch, relayed: v.exactOptional(v.literal(true)) });
export type Neighbour = v.InferOutput<typeof neighbour>;

/** Devices that one report tells of; what more there are comes with the next. */
export const MAX_SENT_TO = 8;
const bytes = whole(2 ** 50);
/** What a stage has sent to others since it last said so, in bytes of hidden states and their gradients; what went by way of the host apart. */
export const SentSchema = v.pipe(
  v.array(v.strictObject({ to: DeviceIdSchema, bytes, relayedBytes: bytes })),
  v.maxLength(MAX_SENT_TO),
);

const digest = v.nullable(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)));
/**
 * What went over a stage's cuts in a round as it says itself, as digests (`cut-digest.ts`): of all micro-batches, by side and way. Null where
 * nothing goes that way.
 */
export const CutDigestsSchema = v.strictObject({
  fromBelow: digest,
  toBelow: digest,
  fromAbove: digest,
  toAbove: digest,
});
export type CutDigests = v.InferOutput<typeof CutDigestsSchema>;

/** What is seen at a stage's cut: its side, which way it goes, and which micro-batch. */
const CUT_FIELDS = { side: v.picklist(['below', 'above']), direction };

const RUN_FIELDS = {
  stage: StageSchema,
  /** Samples of the micro-batches, in their order; the rows of all tensors are in it, too. */
  sizes: v.pipe(v.array(count(MAX_SAMPLES_PER_ROUND)), v.minLength(1), v.maxLength(MAX_SAMPLES_PER_ROUND)),
  /** Version of the parameters. */
  version: whole(MAX_ROUNDS),
  /** Whether the parameters of the stage's trained blocks come with it. */
  parameters: v.boolean(),
  tokens: count(MAX_TOKENS_PER_SAMPLE),
  codec: v.picklist(HIDDEN_STATES),
};

const STAGE_FIELDS = {
  ...RUN_FIELDS,
  /** The stage towards the embeddings, null for the first; and towards the head, null for the last. */
  below: v.nullable(neighbour),
  above: v.nullable(neighbour),
};

const TRAINED_FIELDS = {
  /** Trained layers of the run, ascending; and the lowest trained layer of the whole model, to which the gradient goes down. */
  layers: WORK_FIELDS.layers,
  head: v.boolean(),
  /** The number of layers where the head alone is trained. */
  lowest: whole(MAX_LAYERS),
  recompute: WORK_FIELDS.recompute,
  dropout: v.strictObject({ probability: fraction, seed: whole(2 ** 32 - 1) }),
};

export const STAGE_MESSAGES = [
  v.strictObject({
    type: v.literal('stage-order'),
    tag: OrderTagSchema,
    ...STAGE_FIELDS,
    ...TRAINED_FIELDS,
    share: fraction,
    /** The stage keeps what it is sent until the round is over, and reports the digests of what went over its cuts. */
    checked: v.exactOptional(v.literal(true)),
  }),
  /** What a stage did in an earlier round, to be computed again: with the parameters of then, of inputs that follow as `shown`. */
  v.strictObject({
    type: v.literal('stage-audit'),
    tag: AuditTagSchema,
    round: RoundNumberSchema,
    ...RUN_FIELDS,
    ...TRAINED_FIELDS,
  }),
  /** Host to stage: all that went this way over this cut in the round is wanted, whether it said it or was told it. */
  v.strictObject({ type: v.literal('show'), tag: OrderTagSchema, ...CUT_FIELDS }),
  /**
   * One micro-batch of it: from a stage that was asked to show it, to a device that computes a stage again (its input), and from that (its
   * output).
   */
  v.strictObject({
    type: v.literal('shown'),
    tag: v.union([OrderTagSchema, AuditTagSchema]),
    ...CUT_FIELDS,
    microBatch,
    codec: v.picklist(HIDDEN_STATES),
    scale,
  }),
  v.strictObject({ type: v.literal('stage-evaluate'), tag: ChunkTagSchema, ...STAGE_FIELDS }),
  /**
   * Hidden states going up, or their gradient coming down, of one micro-batch: from stage to stage, or over the host where these two cannot
   * meet. `epoch` is that of the receiver's order.
   */
  v.strictObject({
    type: v.literal('hidden'),
    from: DeviceIdSchema,
    to: DeviceIdSchema,
    of: v.union([
      v.strictObject({ term: TermSchema, round: RoundNumberSchema, pipeline: index, epoch }),
      ChunkTagSchema,
    ]),
    /** The receiver's index in its pipeline. */
    stage: index,
    /** From 0. */
    microBatch,
    direction,
    codec: v.picklist(HIDDEN_STATES),
    scale,
  }),
  /** A stage's neighbour is another device now, which may need everything of this round again. */
  v.strictObject({ type: v.literal('rewire'), tag: OrderTagSchema, side: v.picklist(['below', 'above']), neighbour }),
  /** The round is over: what stages keep of it, to say it again, may go. */
  v.strictObject({ type: v.literal('merged'), term: TermSchema, round: RoundNumberSchema }),
  /**
   * Stage to host: passes that ended since the last such message, in their order, so that it is known who waits for whom. `sinceSeconds` counts
   * from the moment when the order came to the pass's beginning, by the device's own clock.
   */
  v.strictObject({
    type: v.literal('passed'),
    tag: OrderTagSchema,
    passes: v.pipe(
      v.array(
        v.strictObject({
          ...{ microBatch, direction, sinceSeconds: seconds, seconds },
          cameSeconds: v.exactOptional(seconds),
        }),
      ),
      v.minLength(1),
      v.maxLength(256),
    ),
  }),
] as const;

/** A header of one of these types. */
type Header = v.InferOutput<(typeof STAGE_MESSAGES)[number]>;
export type StageHeader<T extends Header['type'] = Header['type']> = Extract<Header, { type: T }>;
type Work = StageHeader<'stage-order' | 'stage-evaluate' | 'stage-audit'>;

export interface StageSizes {
  readonly layers: number;
  readonly hiddenSize: number;
  readonly vocabSize: number;
  readonly labelsPerSample: number;
  /** Undefined for a layer that is not trained. */
  readonly blockLength: (block: Block) => number | undefined;
}

/** Trained blocks of a run, in the order in which their parameters travel: the head's first, then the layers', ascending. */
export function trainedBlocks(
  { from, to }: { readonly from: number; readonly to: number },
  { layers, blockLength }: Pick<StageSizes, 'layers' | 'blockLength'>,
): readonly Block[] {
  const inner: Block[] = Array.from({ length: layers }, (_, layer) => layer).filter(
    (layer) => from <= layer + 1 && layer + 1 < to && blockLength(layer) !== undefined,
  );
  return to === unitCount(layers) ? ['head', ...inner] : inner;
}

/** Why this is no stage of the session's model, as a sentence. */
function impossible(header: Work, sizes: StageSizes): string | null {
  const { stage } = header;
  const units = unitCount(sizes.layers);
  if (stage.to > units) return `A stage is to hold unit ${stage.to - 1}; the model's are 0 to ${units - 1}.`;
  if (header.sizes.length !== stage.microBatches)
    return `A stage has ${header.sizes.length} micro-batches where its pipeline has ${stage.microBatches}.`;
  if (stage.window > stage.microBatches) return 'A stage has a window of more micro-batches than there are.';
  if (header.type === 'stage-audit') {
    if (!header.parameters) return 'A stage is to be computed again without its parameters.';
  } else {
    const { below, above } = header;
    if ((below === null) !== (stage.from === 0)) return 'The first stage, and it alone, has no stage below it.';
    if ((above === null) !== (stage.to === units)) return 'The last stage, and it alone, has no stage above it.';
  }
  if (header.type === 'stage-evaluate') return null;
  const blocks = trainedBlocks(stage, sizes);
  const layers = blocks.filter((block) => block !== 'head');
  if (header.head !== blocks.includes('head') || header.layers.join() !== layers.join())
    return 'A stage is to train other blocks than the trained ones of its run.';
  const lowest = Array.from({ length: sizes.layers }, (_, i) => i).find((i) => sizes.blockLength(i) !== undefined);
  return header.lowest === (lowest ?? sizes.layers) ? null : 'A stage is told of another lowest trained layer.';
}

/** Checks a stage's order or chunk and its tensors; gives back how many tensors there must be. @throws Error with one sentence */
export function checkStageWork(t: readonly FrameTensor[], header: Work, sizes: StageSizes): number {
  const why = impossible(header, sizes);
  if (why !== null) throw new Error(why);
  const samples = header.sizes.reduce((sum, size) => sum + size, 0);
  if (samples > MAX_SAMPLES_PER_ROUND) throw new Error('A stage is given more samples than a round has.');
  let at = 0;
  boundedInts(t[at++], samples, { min: 1, max: header.tokens }, 'Lengths');
  const isTraining = header.type !== 'stage-evaluate';
  if (isTraining) boundedInts(t[at++], samples, { max: MAX_SAMPLES_PER_ROUND }, 'Positions');
  if (header.stage.from === 0) boundedInts(t[at++], samples * header.tokens, { max: sizes.vocabSize - 1 }, 'Token ids');
  if (isTraining && header.head) finiteFloats(t[at++], samples * sizes.labelsPerSample, 'The labels');
  if (header.parameters) {
    const blocks = trainedBlocks(header.stage, sizes);
    const length = blocks.reduce<number>((sum, block) => sum + (sizes.blockLength(block) ?? 0), 0);
    finiteFloats(t[at++], length, 'The parameters');
  }
  return at;
}

/** Bits of the largest f16 value, without its sign. */
const MAX_FINITE_HALF = 0x7bff;

/** Packed rows of one micro-batch; how many rows there must be is known to who has its lengths. @throws Error with one sentence */
export function checkHidden(tensor: FrameTensor | undefined, header: StageHeader<'hidden'>, hiddenSize: number): void {
  if (header.from === header.to) throw new Error('Hidden states go from a device to itself.');
  if ('chunk' in header.of && header.direction === 'down') throw new Error('Nothing comes down in an evaluation.');
  checkRows(tensor, header, hiddenSize);
}

/** @throws Error with one sentence */
export function checkRows(
  tensor: FrameTensor | undefined,
  { codec, scale }: Pick<StageHeader<'shown'>, 'codec' | 'scale'>,
  hiddenSize: number,
): void {
  if (codec === 'f32' ? scale !== 1 : !Number.isInteger(Math.log2(scale)))
    throw new Error('Hidden states are scaled by what is no power of two.');
  if (codec === 'f32' ? !(tensor instanceof Float32Array) : !(tensor instanceof Uint16Array))
    throw new Error('Hidden states are missing.');
  if (tensor === undefined || tensor.length === 0 || tensor.length % hiddenSize !== 0)
    throw new Error('Hidden states are no rows.');
  if (tensor instanceof Float32Array) finiteFloats(tensor, tensor.length, 'A hidden state');
  else
    for (let i = 0; i < tensor.length; i++)
      if ((tensor[i]! & 0x7fff) > MAX_FINITE_HALF)
        throw new Error('A hidden state holds a value that is not a finite number.');
}
