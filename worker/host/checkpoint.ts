import * as v from 'valibot';
import { FurtherScoreSchema, METRICS, TASK_KINDS } from '../../signaling/protocol/scores.ts';
import {
  LoraSettingsSchema,
  type ModelSource,
  ModelSourceSchema,
  TrainingSettingsSchema,
  WeightStorageSchema,
} from '../../signaling/protocol/settings.ts';
import { SentenceError } from '../../signaling/protocol/text/sentence-error.ts';
import { brief } from '../../signaling/protocol/text/visible.ts';
import type { ScoreAt } from '../adapter/trained-adapter.ts';
import type { CheckpointSummary } from '../api/host-api.ts';
import type { AdamWState } from '../learn/optimiser.ts';
import { encodeSafetensors, headerBytes, PREFIX_BYTES, parseHeader } from '../model/safetensors.ts';
import { decodeFloats } from '../model/tensor-values.ts';

export class CheckpointError extends SentenceError {
  override readonly name = 'CheckpointError';
}

/** Everything that the rounds so far have changed, and what it belongs to. Samples and dropout follow from the seed and the round. */
export interface Checkpoint {
  /** With the files of an own task. */
  readonly request: CheckpointSummary['request'];
  /** Of the examples' texts and labels, in their order. */
  readonly dataFingerprint: number;
  /** Rounds so far; the optimiser took a step in each that was not skipped. */
  readonly round: number;
  /** The flat vector of ParameterLayout. */
  readonly values: Float32Array;
  readonly optimiser: AdamWState;
  /** The vector before the first round of a session that began from an adapter; null where the seed draws it. */
  readonly before: Float32Array | null;
  readonly scores: readonly ScoreAt[];
  readonly best: BestAdapter | null;
  /** Ids of the devices whose gradients are in it. */
  readonly devices: readonly string[];
  readonly note: string;
}

/** The adapter that is best so far, by what the session chooses it by. */
export interface BestAdapter {
  readonly round: number;
  readonly value: number;
  /** Its flat vector. */
  readonly values: Float32Array;
}

/** One more whenever an earlier release could not read what is written, or would misread it. Release 0.1.0 wrote version 2. */
const VERSION = 3;
/** Older ones were never released. What a version lacks has the meaning in `StateSchema` that it had there. */
const OLDEST_VERSION = 2;
const FORMAT = /^tabloom-checkpoint-(\d{1,9})$/;

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const fileName = v.strictObject({ name: v.pipe(v.string(), v.maxLength(300)) });
const OwnSchema = v.strictObject({
  title: v.pipe(v.string(), v.maxLength(120)),
  train: fileName,
  dev: v.nullable(fileName),
  columns: v.strictObject({ text: v.string(), pair: v.nullable(v.string()), label: v.string() }),
  kind: v.picklist(TASK_KINDS),
});
const StateSchema = v.strictObject({
  request: v.strictObject({
    model: ModelSourceSchema,
    weights: WeightStorageSchema,
    task: v.strictObject({ id: v.string(), endpoint: v.string(), own: v.nullable(OwnSchema) }),
    lora: LoraSettingsSchema,
    training: TrainingSettingsSchema,
    origin: v.string(),
  }),
  dataFingerprint: whole,
  steps: whole,
  /** Absent where no round can have been skipped: they are the steps. */
  round: v.optional(whole),
  scores: v.array(
    v.strictObject({
      round: whole,
      metric: v.picklist(METRICS),
      value: v.pipe(v.number(), v.finite()),
      constant: v.optional(v.pipe(v.number(), v.finite())),
      examples: v.optional(whole),
      further: v.array(FurtherScoreSchema),
    }),
  ),
  best: v.nullable(v.strictObject({ round: whole, value: v.pipe(v.number(), v.finite()) })),
  devices: v.array(v.pipe(v.string(), v.maxLength(64))),
});

/** One safetensors file: the vectors as they are, to the bit, an own task's files, the note, and all else as JSON in the metadata. */
export function encodeCheckpoint(
  checkpoint: Checkpoint,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const { request, dataFingerprint, round, values, optimiser, before, scores, best, devices, note } = checkpoint;
  const { model, weights, task, lora, training, origin } = request;
  const { own } = task;
  const state: v.InferOutput<typeof StateSchema> = {
    request: {
      model,
      weights,
      task: {
        id: task.id,
        endpoint: task.endpoint,
        own: own ? { ...own, train: { name: own.train.name }, dev: own.dev && { name: own.dev.name } } : null,
      },
      lora,
      training,
      origin,
    },
    dataFingerprint,
    steps: optimiser.steps,
    round,
    scores: scores.map((score) => ({ ...score, further: [...score.further] })),
    best: best && { round: best.round, value: best.value },
    devices: [...devices],
  };
  const vectors = {
    parameters: values,
    first_moment: optimiser.firstMoment,
    second_moment: optimiser.secondMoment,
    ...(before && { before }),
    ...(best && { best: best.values }),
    ...(own && { own_train: own.train.bytes, ...(own.dev && { own_dev: own.dev.bytes }) }),
    note: new TextEncoder().encode(note),
  };
  return encodeSafetensors(
    Object.entries(vectors).map(([name, vector]) => ({ name, shape: [vector.length], values: vector })),
    { ...metadata, format: `tabloom-checkpoint-${VERSION}`, state: JSON.stringify(state) },
  );
}

/** @throws CheckpointError, or SafetensorsError when the file is cut short or damaged. */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const jsonEnd = PREFIX_BYTES + headerBytes(bytes.subarray(0, PREFIX_BYTES), bytes.length);
  const { tensors, metadata } = parseHeader(bytes.subarray(0, jsonEnd), bytes.length);
  refuseVersion(metadata.get('format') ?? '');
  const state = parseState(metadata.get('state') ?? '');
  const tensor = (name: string, dtype: 'F32' | 'U8') => {
    const entry = tensors.get(name);
    if (entry?.dtype !== dtype || entry.shape.length !== 1)
      throw new CheckpointError(`The checkpoint has no vector "${name}".`);
    return { entry, content: bytes.subarray(entry.start, entry.end) };
  };
  const vector = (name: string): Float32Array => {
    const { entry, content } = tensor(name, 'F32');
    // A copy: the session changes it in place.
    const values = decodeFloats(entry, content).slice();
    if (!values.every(Number.isFinite))
      throw new CheckpointError(`The checkpoint's "${name}" holds a value that is not finite.`);
    return values;
  };
  const file = (name: string): Uint8Array => tensor(name, 'U8').content.slice();
  const values = vector('parameters');
  const optimiser = { steps: state.steps, firstMoment: vector('first_moment'), secondMoment: vector('second_moment') };
  const before = tensors.has('before') ? vector('before') : null;
  const best = state.best && { ...state.best, values: vector('best') };
  const others = [
    optimiser.firstMoment,
    optimiser.secondMoment,
    ...(before ? [before] : []),
    ...(best ? [best.values] : []),
  ];
  if (others.some(({ length }) => length !== values.length))
    throw new CheckpointError('The vectors of the checkpoint have different lengths.');
  const { dataFingerprint, scores, devices, request } = state;
  const { own, ...task } = request.task;
  return {
    request: {
      ...request,
      task: own
        ? {
            ...task,
            own: {
              ...own,
              train: { ...own.train, bytes: file('own_train') },
              dev: own.dev && { ...own.dev, bytes: file('own_dev') },
            },
          }
        : task,
    },
    dataFingerprint,
    round: state.round ?? state.steps,
    values,
    optimiser,
    before,
    scores,
    best,
    devices,
    note: new TextDecoder().decode(file('note')),
  };
}

function refuseVersion(format: string): void {
  const version = Number(FORMAT.exec(format)?.[1] ?? 0);
  if (version > VERSION)
    throw new CheckpointError(
      'The checkpoint was written by a newer Tabloom. Reload the page, or update this copy, and open it again.',
    );
  if (version < OLDEST_VERSION)
    throw new CheckpointError('The file is no checkpoint; only what a session kept can be gone on from.');
}

/** What a checkpoint and a request to go on from it disagree in, or null when the request is for the very same run. */
export function difference(saved: Checkpoint['request'], request: Checkpoint['request']): string | null {
  // Read by one schema, both have their keys in one order.
  const same = <Schema extends v.GenericSchema>(schema: Schema, a: unknown, b: unknown) =>
    JSON.stringify(v.parse(schema, a)) === JSON.stringify(v.parse(schema, b));
  if (!sameModel(saved.model, request.model)) return 'model';
  if (saved.weights !== request.weights) return 'storage of the weights';
  if (saved.task.id !== request.task.id) return 'task';
  if (!same(LoraSettingsSchema, saved.lora, request.lora)) return 'LoRA settings';
  if (!same(TrainingSettingsSchema, saved.training, request.training)) return 'training settings';
  return null;
}

/** From wherever it is fetched: a session may go on with a mirror, or with its own server at another address. */
function sameModel(a: ModelSource, b: ModelSource): boolean {
  return a.id === b.id && (a.kind === 'hub' ? b.kind === 'hub' && a.revision === b.revision : a.kind === b.kind);
}

function parseState(text: string): v.InferOutput<typeof StateSchema> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new CheckpointError("The checkpoint's state is not JSON.");
  }
  const read = v.safeParse(StateSchema, json);
  if (read.success) return read.output;
  const [issue] = read.issues;
  throw new CheckpointError(
    `The checkpoint's ${brief(v.getDotPath(issue) ?? 'state', 80)} cannot be used (${brief(issue.message)}).`,
  );
}
