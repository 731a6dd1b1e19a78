import * as v from 'valibot';
import { MAX_ROUNDS, MAX_SAMPLES_PER_ROUND, MAX_TOKENS_PER_SAMPLE } from '../limits.ts';
import { parse } from '../messages.ts';
import { SentenceSchema } from '../room-view.ts';
import { type Block, BlockSchema, ChunkTagSchema, OrderTagSchema, WORK_FIELDS } from '../round.ts';
import { type DataFrame, encodeFrame, type FrameTensor } from './frames.ts';

const whole = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(max));
const id = whole(2 ** 31);
const seconds = v.pipe(v.number(), v.finite(), v.minValue(0));
const fraction = v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(1));
const samples = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_SAMPLES_PER_ROUND));
const tokens = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_TOKENS_PER_SAMPLE));

/**
 * What host and device say to each other, headers only. Tensors that go with them, in this order:
 * order: ids (samples.count*tokens) i32, lengths i32, labels (samples.count, or times the labels) f32, positions i32, and when `parameters`
 * is true the flat parameters f32;
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
    case 'probe':
      if (t.length > 1) throw new Error('A probe message has too many tensors.');
      break;
    case 'ping':
    case 'pong':
    case 'probed':
    case 'abandon':
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
