import * as v from 'valibot';
import { MAX_CLASSES, MAX_TOKENS_PER_SAMPLE } from '../../signaling/protocol/limits.ts';
import { TASK_KINDS } from '../../signaling/protocol/scores.ts';
import type { TrainedAdapter } from './trained-adapter.ts';

/** Beside the files of PEFT, which has no place for what an adapter's outputs mean. PEFT does not read it. */
export const TASK_FILE = 'tabloom.json';
const MAX_BYTES = 2 ** 20;

const TaskFileSchema = v.object({
  kind: v.picklist(TASK_KINDS),
  classNames: v.pipe(v.array(v.pipe(v.string(), v.maxLength(1000))), v.maxLength(MAX_CLASSES)),
  threshold: v.pipe(v.number(), v.gtValue(0), v.ltValue(1)),
  maxTokens: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_TOKENS_PER_SAMPLE)),
});
export type TaskFile = v.InferOutput<typeof TaskFileSchema>;

export function writeTaskFile({ task, training }: Pick<TrainedAdapter, 'task' | 'training'>): Uint8Array {
  const content: TaskFile = {
    kind: task.kind,
    classNames: [...task.classNames],
    threshold: training.threshold,
    maxTokens: training.maxTokens,
  };
  return new TextEncoder().encode(`${JSON.stringify(content, null, 2)}\n`);
}

/** @throws Error with one sentence when the file is not what `writeTaskFile` writes. */
export function readTaskFile(bytes: Uint8Array): TaskFile {
  const wrong = new Error(`${TASK_FILE} does not say what the adapter's outputs mean; export the adapter again.`);
  if (bytes.length > MAX_BYTES) throw wrong;
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw wrong;
  }
  const read = v.safeParse(TaskFileSchema, json);
  if (!read.success) throw wrong;
  return read.output;
}
