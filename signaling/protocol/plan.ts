import * as v from 'valibot';
import { MAX_DEVICES_IN_ROOM } from './limits.ts';
import { WORK_FIELDS } from './round.ts';
import { POLICIES } from './settings.ts';
import { StageSchema } from './split.ts';
import { textSchema } from './text/plain-text.ts';

const seconds = v.pipe(v.number(), v.finite(), v.minValue(0));

/** What one device does in every round of a plan, and what the planner expects of it. */
export const RoomAssignmentSchema = v.strictObject({
  device: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
  ...WORK_FIELDS,
  memoryBytes: v.pipe(v.number(), v.finite(), v.minValue(0)),
  /** Share of the room's airtime, 0 to 1; the device paces its uploads to share * its own link rate. */
  share: v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(1)),
  uploadBits: v.pipe(v.number(), v.finite(), v.minValue(0)),
  computeSeconds: seconds,
  uploadSeconds: seconds,
  /** Its place in a pipeline, where the model is split over devices: `layers` are then the trained ones of its run. */
  stage: v.optional(StageSchema),
});
export type RoomAssignment = v.InferOutput<typeof RoomAssignmentSchema>;

/** A way of planning that was tried beside the one that was taken: what a round would take, or why it cannot be. */
export const AlternativeSchema = v.union([
  v.strictObject({ policy: v.picklist(POLICIES), seconds }),
  v.strictObject({ policy: v.picklist(POLICIES), reason: textSchema(200, 0) }),
]);
export type Alternative = v.InferOutput<typeof AlternativeSchema>;

/**
 * The plan of a room. For every sample position and every block (each layer, and the head) exactly one assignment covers the pair,
 * so that the merged gradient is exact.
 */
export const RoomPlanSchema = v.strictObject({
  version: v.pipe(v.number(), v.integer(), v.minValue(1)),
  /** The policy that made it; with `auto`, the one that won. */
  policy: v.picklist(POLICIES),
  /** The algorithm that ran: "crunch cutting", "threshold + Hopcroft-Karp", … */
  solver: textSchema(120, 0),
  solveMs: seconds,
  /** Predicted seconds of a round, the largest compute + upload. */
  latencySeconds: seconds,
  lowerBoundSeconds: seconds,
  /** Device that limits the round, and one sentence on what would help most. */
  limitedBy: v.pipe(v.string(), v.maxLength(64)),
  explanation: textSchema(400, 0),
  assignments: v.pipe(v.array(RoomAssignmentSchema), v.maxLength(MAX_DEVICES_IN_ROOM)),
  /** Of `auto`: every policy that was compared, the one that won among them. */
  alternatives: v.exactOptional(v.pipe(v.array(AlternativeSchema), v.maxLength(POLICIES.length))),
});
export type RoomPlan = v.InferOutput<typeof RoomPlanSchema>;
