import * as v from 'valibot';
import {
  LoraSettingsSchema,
  ModelSourceSchema,
  TrainingSettingsSchema,
  WeightStorageSchema,
} from '../signaling/protocol/settings.ts';
import { decodeFloats, encodeSafetensors, headerBytes, PREFIX_BYTES, parseHeader } from './model/safetensors.ts';
import type { ScoreAt } from './model/trained-adapter.ts';
import type { AdamWState } from './optimiser.ts';
import type { CheckpointSummary } from './rpc.ts';

export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
}

/** Everything that the rounds so far have changed, and what it belongs to. Samples and dropout follow from the seed and the round. */
export interface Checkpoint {
  readonly request: CheckpointSummary['request'];
  /** Of the examples' texts and labels, in their order. */
  readonly dataFingerprint: number;
  /** The flat vector of ParameterLayout. */
  readonly values: Float32Array;
  readonly optimiser: AdamWState;
  readonly scores: readonly ScoreAt[];
  readonly best: BestAdapter | null;
  readonly note: string;
}

/** The adapter that scored best so far. */
export interface BestAdapter {
  readonly round: number;
  readonly value: number;
  /** Its flat vector. */
  readonly values: Float32Array;
}

/** Raised when a change makes older checkpoints unreadable. */
const FORMAT = 'tabloom-checkpoint-1';
const MAX_NOTE_CHARACTERS = 50_000_000;

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const StateSchema = v.strictObject({
  request: v.strictObject({
    model: ModelSourceSchema,
    // Checkpoints from before there was a choice.
    weights: v.optional(WeightStorageSchema, 'f32'),
    task: v.strictObject({ id: v.string(), endpoint: v.string() }),
    lora: LoraSettingsSchema,
    training: TrainingSettingsSchema,
    origin: v.string(),
  }),
  dataFingerprint: whole,
  steps: whole,
  scores: v.array(
    v.strictObject({
      round: whole,
      metric: v.pipe(v.string(), v.maxLength(60)),
      value: v.pipe(v.number(), v.finite()),
    }),
  ),
  best: v.nullable(v.strictObject({ round: whole, value: v.pipe(v.number(), v.finite()) })),
  note: v.pipe(v.string(), v.maxLength(MAX_NOTE_CHARACTERS)),
});

/** One safetensors file: the vectors as they are, to the bit, and all else as JSON in its metadata. */
export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array<ArrayBuffer> {
  const { request, dataFingerprint, values, optimiser, scores, best, note } = checkpoint;
  const { model, weights, task, lora, training, origin } = request;
  const state: v.InferOutput<typeof StateSchema> = {
    request: { model, weights, task: { id: task.id, endpoint: task.endpoint }, lora, training, origin },
    dataFingerprint,
    steps: optimiser.steps,
    scores: [...scores],
    best: best && { round: best.round, value: best.value },
    note,
  };
  const vectors = {
    parameters: values,
    first_moment: optimiser.firstMoment,
    second_moment: optimiser.secondMoment,
    ...(best && { best: best.values }),
  };
  return encodeSafetensors(
    Object.entries(vectors).map(([name, vector]) => ({ name, shape: [vector.length], values: vector })),
    { format: FORMAT, state: JSON.stringify(state) },
  );
}

/** @throws CheckpointError, or SafetensorsError when the file is cut short or damaged. */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const jsonEnd = PREFIX_BYTES + headerBytes(bytes.subarray(0, PREFIX_BYTES), bytes.length);
  const { tensors, metadata } = parseHeader(bytes.subarray(0, jsonEnd), bytes.length);
  if (metadata.get('format') !== FORMAT)
    throw new CheckpointError(
      'The file is no checkpoint of this version; only what a session saved can be gone on from.',
    );
  const state = parseState(metadata.get('state') ?? '');
  const vector = (name: string): Float32Array => {
    const entry = tensors.get(name);
    if (entry?.dtype !== 'F32' || entry.shape.length !== 1)
      throw new CheckpointError(`The checkpoint has no vector "${name}".`);
    // A copy: the session changes it in place.
    const values = decodeFloats(entry, bytes.subarray(entry.start, entry.end)).slice();
    if (!values.every(Number.isFinite))
      throw new CheckpointError(`The checkpoint's "${name}" holds a value that is not finite.`);
    return values;
  };
  const values = vector('parameters');
  const optimiser = { steps: state.steps, firstMoment: vector('first_moment'), secondMoment: vector('second_moment') };
  const best = state.best && { ...state.best, values: vector('best') };
  const others = [optimiser.firstMoment, optimiser.secondMoment, ...(best ? [best.values] : [])];
  if (others.some(({ length }) => length !== values.length))
    throw new CheckpointError('The vectors of the checkpoint have different lengths.');
  const { request, dataFingerprint, scores, note } = state;
  return { request, dataFingerprint, values, optimiser, scores, best, note };
}

/** What a checkpoint and a request to go on from it disagree in, or null when the request is for the very same run. */
export function difference(saved: Checkpoint['request'], request: Checkpoint['request']): string | null {
  // Read by one schema, both have their keys in one order.
  const same = <Schema extends v.GenericSchema>(schema: Schema, a: unknown, b: unknown) =>
    JSON.stringify(v.parse(schema, a)) === JSON.stringify(v.parse(schema, b));
  if (!same(ModelSourceSchema, saved.model, request.model)) return 'model';
  if (saved.weights !== request.weights) return 'storage of the weights';
  if (saved.task.id !== request.task.id) return 'task';
  if (!same(LoraSettingsSchema, saved.lora, request.lora)) return 'LoRA settings';
  if (!same(TrainingSettingsSchema, saved.training, request.training)) return 'training settings';
  return null;
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
  throw new CheckpointError(`The checkpoint's ${v.getDotPath(issue) ?? 'state'} cannot be used (${issue.message}).`);
}
