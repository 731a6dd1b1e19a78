import * as v from 'valibot';
import { MAX_ROUNDS, MAX_SAMPLES_PER_ROUND, MAX_TOKENS_PER_SAMPLE } from '../limits.ts';
import { parse } from '../messages.ts';
import { SentenceSchema } from '../room-view.ts';
import { BlockSchema, ChunkTagSchema, OrderTagSchema, TermSchema, WORK_FIELDS } from '../round.ts';
import type { Uploads } from '../settings.ts';
import { AUDIT_MESSAGES, checkAudited } from './audit-messages.ts';
import { AuditTagSchema } from './audit-tag.ts';
import { type DataFrame, encodeFrame, type FrameTensor } from './frames.ts';
import { HeritageSchema, LeftReportSchema } from './heritage-messages.ts';
import { checkHashes, checkModelPiece, MODEL_MESSAGES } from './model-messages.ts';
import {
  CutDigestsSchema,
  checkHidden,
  checkRows,
  checkStageWork,
  SentSchema,
  STAGE_MESSAGES,
  type StageSizes,
} from './stage-messages.ts';
import { checkPiece, TABLE_MESSAGES } from './table-messages.ts';
import { boundedInts, finiteFloats } from './tensor-checks.ts';
import { checkStep, checkUpload } from './upload-codec.ts';

const whole = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(max));
const count = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(max));
const id = whole(2 ** 31);
const id32 = whole(2 ** 32 - 1);
const seconds = v.pipe(v.number(), v.finite(), v.minValue(0));
const fraction = v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(1));
const samples = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_SAMPLES_PER_ROUND));
const tokens = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_TOKENS_PER_SAMPLE));

/** Of what a session has learned: the flat parameters, and the optimiser's two means. */
export const STATE_VECTORS = ['parameters', 'first-moment', 'second-moment'] as const;

/**
 * What host and device say to each other, and in a split room devices to their neighbours, headers only. Tensors that go with them, in this order:
 * order: ids (samples.count*tokens) i32, lengths i32, labels (samples.count, or times the labels) f32, positions i32, and when `parameters`
 * is true the flat parameters f32;
 * stage-order: lengths i32 and positions i32 (all samples), ids i32 where the stage has the embeddings, labels f32 where it has the head, and when
 * `parameters` is true those of the run's trained blocks f32, the head's first, then the layers' in ascending order; stage-evaluate: lengths, ids
 * likewise, and parameters likewise; stage-audit: like stage-order with parameters; hidden, shown: the packed rows, f32 or the bits of f16 values;
 * audit: like an order with parameters; audited: the slices of `blocks` in their order, as gradients travel;
 * heritage: the best adapter's parameters f32 and those that the session began from f32, each or no values; table-piece, model-piece: its bytes u8; model-hashes: 32 bytes for each chunk u8; state: its vector f32; update: the flat gradient as gradients travel, or no values f32;
 * evaluate: ids, lengths, and the parameters likewise; gradient: the block's slice, as `upload-codec.ts` writes it in this session; logits: (count, labels) f32; probe: any f32.
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
  ...STAGE_MESSAGES,
  ...AUDIT_MESSAGES,
  HeritageSchema,
  LeftReportSchema,
  ...TABLE_MESSAGES,
  ...MODEL_MESSAGES,
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
  /**
   * All that the session has learned, for a device that is to keep up with it: one message for each vector. A device that has all of one
   * version takes each `update` that follows itself. `digest`: of the whole (`state-digest.ts`).
   */
  v.strictObject({
    type: v.literal('state'),
    term: TermSchema,
    version: whole(MAX_ROUNDS),
    steps: whole(MAX_ROUNDS),
    digest: id32,
    vector: v.picklist(STATE_VECTORS),
  }),
  /** One step from `version` - 1 to `version`: the mean gradient as the optimiser took it, or no values where the round was skipped. */
  v.strictObject({
    type: v.literal('update'),
    term: TermSchema,
    version: count(MAX_ROUNDS),
    learningRate: seconds,
    /** Of the state afterwards. */
    digest: id32,
  }),
  /** The device holds this state; null: none, or one that has drifted from the host's, and it needs the whole again. */
  v.strictObject({
    type: v.literal('holds'),
    state: v.nullable(v.strictObject({ version: whole(MAX_ROUNDS), digest: id32 })),
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
    /** Of stages alone. */
    sent: v.exactOptional(SentSchema),
    cuts: v.exactOptional(CutDigestsSchema),
  }),
  /** With the seconds that the device was at it; of stages, none. */
  v.strictObject({ type: v.literal('logits'), tag: ChunkTagSchema, seconds: v.exactOptional(seconds) }),
  /** The device could not do this order, chunk or audit; it stays in the room. */
  v.strictObject({
    type: v.literal('failed'),
    tag: v.union([OrderTagSchema, ChunkTagSchema, AuditTagSchema]),
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
export interface TensorSizes extends StageSizes {
  /** f32 values in the flat parameter vector. */
  readonly parameterCount: number;
  /** Of the longest message that a host may be sent, and of the longest that it may send. */
  readonly toHostBytes: number;
  readonly toDeviceBytes: number;
  /** As which gradients travel. */
  readonly uploads: Uploads;
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
    case 'audit':
    case 'evaluate': {
      const base = header.type === 'evaluate' ? 2 : 4;
      const count = header.type === 'evaluate' ? header.samples : header.samples.count;
      const parameters = header.type === 'audit' || header.parameters;
      if (count === 0) throw new Error('An order is for no samples.');
      expectCount(base + (parameters ? 1 : 0));
      boundedInts(t[0], count * header.tokens, { max: sizes.vocabSize - 1 }, 'Token ids');
      boundedInts(t[1], count, { max: header.tokens }, 'Lengths');
      if (header.type !== 'evaluate') {
        finiteFloats(t[2], count * sizes.labelsPerSample, 'The labels');
        boundedInts(t[3], count, { max: MAX_SAMPLES_PER_ROUND }, 'Positions');
      }
      if (parameters) finiteFloats(t[base], sizes.parameterCount, 'The parameters');
      break;
    }
    case 'gradient': {
      const length = sizes.blockLength(header.block);
      if (length === undefined) throw new Error('A gradient names a block that the model does not have.');
      // Whether its values are finite is the round's to judge: a rate that is too high is nobody's misbehaviour.
      checkUpload(t, [length], sizes.uploads, 'A gradient');
      break;
    }
    case 'audited':
      checkAudited(t, header, sizes);
      break;
    case 'logits':
      expectCount(1);
      if (!(t[0] instanceof Float32Array)) throw new Error('Logits are missing.');
      finiteFloats(t[0], t[0].length, 'The logits');
      break;
    case 'heritage':
      expectCount(2);
      finiteFloats(t[0], header.best === null ? 0 : sizes.parameterCount, 'The best adapter');
      finiteFloats(t[1], header.begun ? sizes.parameterCount : 0, 'The adapter that the session began from');
      break;
    case 'table-piece':
      expectCount(1);
      checkPiece(t[0]);
      break;
    case 'model-hashes':
      expectCount(1);
      checkHashes(t[0], header);
      break;
    case 'model-piece':
      expectCount(1);
      checkModelPiece(t[0]);
      break;
    case 'state':
      expectCount(1);
      finiteFloats(t[0], sizes.parameterCount, 'A state');
      break;
    case 'update':
      checkStep(t, sizes);
      break;
    case 'stage-order':
    case 'stage-evaluate':
    case 'stage-audit':
      expectCount(checkStageWork(t, header, sizes));
      break;
    case 'hidden':
      expectCount(1);
      checkHidden(t[0], header, sizes.hiddenSize);
      break;
    case 'shown':
      expectCount(1);
      checkRows(t[0], header, sizes.hiddenSize);
      break;
    case 'probe':
      if (t.length > 1) throw new Error('A probe message has too many tensors.');
      break;
    case 'ping':
    case 'pong':
    case 'probed':
    case 'abandon':
    case 'rewire':
    case 'show':
    case 'merged':
    case 'passed':
    case 'compared':
    case 'holds':
    case 'standings':
    case 'report':
    case 'table-wanted':
    case 'table-held':
    case 'model-held':
    case 'model-wanted':
    case 'model-lacking':
    case 'model-fetching':
    case 'model-fetched':
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
