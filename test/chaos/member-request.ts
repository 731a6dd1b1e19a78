import * as v from 'valibot';
import { POLICIES } from '../../signaling/protocol/settings.ts';

const whole = v.pipe(v.number(), v.integer(), v.minValue(0));

const RoomRequestSchema = v.strictObject({
  policy: v.picklist(POLICIES),
  rounds: whole,
  samplesPerRound: whole,
  evaluateEvery: whole,
  learningRate: v.number(),
  /** Part of the compute. */
  audits: v.number(),
});
/** The session of a run. */
export type RoomRequest = v.InferOutput<typeof RoomRequestSchema>;

export const MemberRequestSchema = v.strictObject({
  origin: v.string(),
  name: v.string(),
  checkpointFile: v.string(),
  memoryBytes: v.number(),
  part: v.variant('kind', [
    v.strictObject({ kind: v.literal('host'), room: RoomRequestSchema }),
    v.strictObject({ kind: v.literal('device'), link: v.string() }),
    /** A host that was killed, with its checkpoint. */
    v.strictObject({ kind: v.literal('return') }),
  ]),
});
export type MemberRequest = v.InferOutput<typeof MemberRequestSchema>;
