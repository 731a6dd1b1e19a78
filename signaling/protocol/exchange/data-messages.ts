import * as v from 'valibot';
import { DeviceIdSchema } from '../ids.ts';
import { MAX_LAYERS, MAX_ROUNDS, MAX_SAMPLES_PER_ROUND, MAX_TOKENS_PER_SAMPLE } from '../limits.ts';
import { parse } from '../messages.ts';
import { SentenceSchema } from '../room-view.ts';
import {
  type Block,
  BlockSchema,
  ChunkTagSchema,
  OrderTagSchema,
  RoundNumberSchema,
  TermSchema,
  WORK_FIELDS,
} from '../round.ts';
import { HIDDEN_STATES, StageSchema } from '../split.ts';
import { type DataFrame, encodeFrame, type FrameTensor } from './frames.ts';

const whole = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(max));
const id = whole(2 ** 31);
const seconds = v.pipe(v.number(), v.finite(), v.minValue(0));
const fraction = v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(1));
const samples = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_SAMPLES_PER_ROUND));
const tokens = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_TOKENS_PER_SAMPLE));

const layer = whole(MAX_LAYERS - 1);
/** Another stage of the pipeline: who it is, and the epoch of the order under which it works. */
const neighbour = v.strictObject({ device: DeviceIdSchema, epoch: whole(2 ** 31) });
export type Neighbour = v.InferOutput<typeof neighbour>;
const STAGE_FIELDS = {
  stage: StageSchema,
  /** Samples of the micro-batches, in their order; the rows of all tensors are in it, too. */
  sizes: v.pipe(v.array(samples), v.minLength(1), v.maxLength(MAX_SAMPLES_PER_ROUND)),
  /** Version of the parameters. */
  version: whole(MAX_ROUNDS),
  /** Whether the parameters of the stage's trained blocks come with it. */
  parameters: v.boolean(),
  tokens,
  codec: v.picklist(HIDDEN_STATES),
  /** The stage towards the embeddings, null for the first; and towards the head, null for the last. */
  below: v.nullable(neighbour),
  above: v.nullable(neighbour),
};

/**
 * What host and device say to each other, and in a split room devices to their neighbours, headers only. Tensors that go with them, in this order:
 * order: ids (samples.count*tokens) i32, lengths i32, labels (samples.count, or times the labels) f32, positions i32, and when `parameters`
 * is true the flat parameters f32;
 * stage-order: lengths i32 and positions i32 (all samples), ids i32 where the stage has the embeddings, labels f32 where it has the head, and when
 * `parameters` is true those of its trained blocks f32, the head's first, then the layers' in ascending order; stage-evaluate: lengths, ids
 * likewise, and parameters likewise; hidden: the packed rows, f32 or the bits of f16 values;
 * evaluate: ids, lengths, and the parameters likewise; gradient: the block's slice f32; logits: (count, labels) f32; probe: any f32.
 */
export const DataHeaderSchema = v.variant('type', [
  v.strictObject({ type: v.literal('ping'), sentMs: v.pipe(v.number(), v.finite()) }),
  v.strictObject({ type: v.literal('pong'), sentMs: v.pipe(v.number(), v.finite()) }),
  v.strictObject({ type: v.literal('probe'), probe: id }),
  v.strictObject({ type: v.literal('probed'), probe: id }),
  v.strictObject({
    type: v.literal('order'),
    tag: OrderTagSchema,
    ...WORK_FIELDS,
    /** Version of the parameters that the gradient is taken at. */
    version: whole(MAX_ROUNDS),
    parameters: v.boolean(),
    tokens,
    share: fraction,
    dropout: v.strictObject({ probability: fraction, seed: whole(2 ** 32 - 1) }),
  }),
  v.strictObject({
    type: v.literal('stage-order'),
    tag: OrderTagSchema,
    ...STAGE_FIELDS,
    /** Trained layers of the run, ascending; and the lowest trained layer of the whole model, to which the gradient goes down. */
    layers: WORK_FIELDS.layers,
    head: v.boolean(),
    lowest: layer,
    recompute: WORK_FIELDS.recompute,
    share: fraction,
    dropout: v.strictObject({ probability: fraction, seed: whole(2 ** 32 - 1) }),
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
      v.strictObject({ term: TermSchema, round: RoundNumberSchema, pipeline: whole(64), epoch: id }),
      ChunkTagSchema,
    ]),
    /** The receiver's index in its pipeline. */
    stage: whole(64),
    /** From 0. */
    microBatch: whole(MAX_SAMPLES_PER_ROUND),
    direction: v.picklist(['up', 'down']),
    codec: v.picklist(HIDDEN_STATES),
    /** A power of two by which f16 values were multiplied; 1 for f32. */
    scale: v.pipe(v.number(), v.finite(), v.gtValue(0)),
  }),
  /** A stage's neighbour is another device now, which may need everything of this round again. */
  v.strictObject({ type: v.literal('rewire'), tag: OrderTagSchema, side: v.picklist(['below', 'above']), neighbour }),
  /** The round is over: what stages keep of it, to say it again, may go. */
  v.strictObject({ type: v.literal('merged'), term: TermSchema, round: RoundNumberSchema }),
  /** This giving out of the order, and those before it, are another device's now. */
  v.strictObject({ type: v.literal('abandon'), tag: OrderTagSchema }),
  v.strictObject({
    type: v.literal('evaluate'),
    tag: ChunkTagSchema,
    version: whole(MAX_ROUNDS),
    parameters: v.boolean(),
    samples,
    tokens,
  }),
  /** The host's person compared the digits: by this key, 64 hexadecimal digits, the device is known on later links. */
  v.strictObject({ type: v.literal('compared'), key: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)) }),
  v.strictObject({ type: v.literal('gradient'), tag: OrderTagSchema, block: BlockSchema }),
  v.strictObject({
    type: v.literal('done'),
    tag: OrderTagSchema,
    /** Null when it is not finite. */
    lossSum: v.nullable(v.pipe(v.number(), v.finite())),
    computeSeconds: seconds,
  }),
  v.strictObject({ type: v.literal('logits'), tag: ChunkTagSchema }),
  /** The device could not do this order or chunk; it stays in the room. */
  v.strictObject({
    type: v.literal('failed'),
    tag: v.union([OrderTagSchema, ChunkTagSchema]),
    sentence: SentenceSchema,
  }),
]);
export type DataHeader = v.InferOutput<typeof DataHeaderSchema>;
type HeaderOf<T extends DataHeader['type']> = Extract<DataHeader, { type: T }>;

/** Distributes over its types, so that a message of one type is a message. */
export type DataMessage<T extends DataHeader['type'] = DataHeader['type']> = T extends DataHeader['type']
  ? { readonly header: HeaderOf<T>; readonly tensors: readonly FrameTensor[] }
  : never;

export const encodeMessage = (message: DataMessage): Uint8Array<ArrayBuffer> =>
  encodeFrame(message.header, message.tensors);

/** What a message may be measured against: the session's sizes. */
export interface TensorSizes {
  /** f32 values in the flat parameter vector. */
  readonly parameterCount: number;
  readonly vocabSize: number;
  /** More than one where a sample has any of several labels. */
  readonly labelsPerSample: number;
  readonly blockLength: (block: Block) => number | undefined;
  readonly hiddenSize: number;
  /** Of the longest message that a host may be sent, and of the longest that it may send. */
  readonly toHostBytes: number;
  readonly toDeviceBytes: number;
}

function floats(tensor: FrameTensor | undefined, length: number, what: string): Float32Array {
  if (!(tensor instanceof Float32Array)) throw new Error(`${what} is missing.`);
  if (tensor.length !== length) throw new Error(`${what} has ${tensor.length} values where ${length} belong.`);
  return tensor;
}

function finiteFloats(tensor: FrameTensor | undefined, length: number, what: string): Float32Array {
  const values = floats(tensor, length, what);
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(values[i])) throw new Error(`${what} holds a value that is not a finite number.`);
  return values;
}

function boundedInts(tensor: FrameTensor | undefined, length: number, max: number, what: string): Int32Array {
  if (!(tensor instanceof Int32Array)) throw new Error(`${what} are missing.`);
  if (tensor.length !== length) throw new Error(`${what} have ${tensor.length} values where ${length} belong.`);
  for (let i = 0; i < tensor.length; i++)
    if (tensor[i] < 0 || tensor[i] > max) throw new Error(`${what} hold a value out of range.`);
  return tensor;
}

/** Whether all of them are finite, as bits of f16 values. */
const MAX_FINITE_HALF = 0x7bff;

/** Packed rows of one micro-batch; how many rows there must be is known to who has its lengths. */
function hiddenRows(tensor: FrameTensor | undefined, codec: 'f32' | 'f16', sizes: TensorSizes): void {
  if (codec === 'f32') {
    const values = finiteFloats(tensor, tensor?.length ?? 0, 'Hidden states');
    if (values.length === 0 || values.length % sizes.hiddenSize !== 0) throw new Error('Hidden states are no rows.');
    return;
  }
  if (!(tensor instanceof Uint16Array)) throw new Error('Hidden states are missing.');
  if (tensor.length === 0 || tensor.length % sizes.hiddenSize !== 0) throw new Error('Hidden states are no rows.');
  for (const bits of tensor)
    if ((bits & 0x7fff) > MAX_FINITE_HALF) throw new Error('Hidden states hold a value that is not a finite number.');
}

/** Tensors of a stage's order or chunk, from `at` on; how many of them there are. */
function stageTensors(
  t: readonly FrameTensor[],
  header: HeaderOf<'stage-order'> | HeaderOf<'stage-evaluate'>,
  sizes: TensorSizes,
): number {
  const count = header.sizes.reduce((a, b) => a + b, 0);
  if (count > MAX_SAMPLES_PER_ROUND) throw new Error('A stage is given more samples than a round has.');
  let at = 0;
  boundedInts(t[at++], count, header.tokens, 'Lengths');
  if (header.type === 'stage-order') boundedInts(t[at++], count, MAX_SAMPLES_PER_ROUND, 'Positions');
  if (header.stage.from === 0) boundedInts(t[at++], count * header.tokens, sizes.vocabSize - 1, 'Token ids');
  if (header.type === 'stage-order' && header.head) finiteFloats(t[at++], count * sizes.labelsPerSample, 'The labels');
  if (header.parameters) {
    const values = finiteFloats(t[at], t[at]?.length ?? 0, 'The parameters');
    if (values.length > sizes.parameterCount) throw new Error('There are more parameters than the session has.');
    at++;
  }
  return at;
}

/** Validates header and tensors; throws an Error with one sentence. Which tags are expected now is the receiver's to check. */
export function readMessage(frame: DataFrame, sizes: TensorSizes): DataMessage {
  const parsed = parse(DataHeaderSchema, frame.header, 'data message');
  if (!parsed.ok) throw new Error(parsed.sentence);
  const header = parsed.value;
  const t = frame.tensors;
  const expectCount = (count: number): void => {
    if (t.length !== count) throw new Error(`A ${header.type} message has ${t.length} tensors where ${count} belong.`);
  };
  switch (header.type) {
    case 'order':
    case 'evaluate': {
      const base = header.type === 'order' ? 4 : 2;
      const count = header.type === 'order' ? header.samples.count : header.samples;
      if (count === 0) throw new Error('An order is for no samples.');
      expectCount(base + (header.parameters ? 1 : 0));
      boundedInts(t[0], count * header.tokens, sizes.vocabSize - 1, 'Token ids');
      boundedInts(t[1], count, header.tokens, 'Lengths');
      if (header.type === 'order') {
        finiteFloats(t[2], count * sizes.labelsPerSample, 'The labels');
        boundedInts(t[3], count, MAX_SAMPLES_PER_ROUND, 'Positions');
      }
      if (header.parameters) finiteFloats(t[base], sizes.parameterCount, 'The parameters');
      break;
    }
    case 'gradient': {
      const length = sizes.blockLength(header.block);
      if (length === undefined) throw new Error('A gradient names a block that the model does not have.');
      expectCount(1);
      // Whether its values are finite is the round's to judge: a rate that is too high is nobody's misbehaviour.
      floats(t[0], length, 'A gradient');
      break;
    }
    case 'logits':
      expectCount(1);
      if (!(t[0] instanceof Float32Array)) throw new Error('Logits are missing.');
      finiteFloats(t[0], t[0].length, 'The logits');
      break;
    case 'stage-order':
    case 'stage-evaluate':
      expectCount(stageTensors(t, header, sizes));
      break;
    case 'hidden':
      expectCount(1);
      hiddenRows(t[0], header.codec, sizes);
      break;
    case 'probe':
      if (t.length > 1) throw new Error('A probe message has too many tensors.');
      break;
    case 'ping':
    case 'pong':
    case 'probed':
    case 'abandon':
    case 'rewire':
    case 'merged':
    case 'compared':
    case 'done':
    case 'failed':
      expectCount(0);
      break;
    default:
      header satisfies never;
  }
  // A header of one of the types, so a message of that type.
  return { header, tensors: t } as DataMessage;
}
