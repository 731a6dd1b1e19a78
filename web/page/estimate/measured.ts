import * as v from 'valibot';
import { ProfileSchema } from '../../../signaling/protocol/profile.ts';
import type { SessionView } from '../../session/view/view.ts';

const size = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1e9));

/** What this device measured of itself in its last session, as this browser remembers it, and at which shapes. */
const MeasuredSchema = v.strictObject({
  atMs: v.pipe(v.number(), v.finite(), v.minValue(0)),
  model: v.pipe(v.string(), v.maxLength(200)),
  weights: v.pipe(v.string(), v.maxLength(10)),
  layers: size,
  hiddenSize: size,
  ffnSize: size,
  task: v.pipe(v.string(), v.maxLength(64)),
  /** Of a sample, at which it was timed. */
  tokens: size,
  devExamples: size,
  profile: ProfileSchema,
});
export type Measured = v.InferOutput<typeof MeasuredSchema>;

/** Null for what is not there, or not as this version writes it. */
export function readMeasured(text: string | null): Measured | null {
  if (text === null) return null;
  try {
    const read = v.safeParse(MeasuredSchema, JSON.parse(text));
    return read.success ? read.output : null;
  } catch {
    return null;
  }
}

/** What the device of this view has measured; null before it has, and of one that only holds a part of the model. */
export function measuredOf({ room, self }: Pick<SessionView, 'room' | 'self'>, nowMs: number): Measured | null {
  const profile = room?.devices.find(({ id }) => id === self)?.profile ?? null;
  if (room === null || profile === null) return null;
  const { model, weights, shape, task } = room.settings;
  return {
    ...{
      atMs: nowMs,
      model: model.id,
      weights,
      task: task.id,
      tokens: task.roundTokens,
      devExamples: task.devExamples,
    },
    ...{ layers: shape.layers, hiddenSize: shape.hiddenSize, ffnSize: shape.ffnSize },
    profile,
  };
}
