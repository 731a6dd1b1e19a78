import * as v from 'valibot';
import { DeviceIdSchema, PeerIdSchema, RoomIdSchema } from './ids.ts';
import { MAX_DEVICES_IN_ROOM, MAX_LAYERS, MAX_NAME_LENGTH, MAX_ROUNDS, MAX_SAMPLES_PER_ROUND } from './limits.ts';
import { RoomPlanSchema } from './plan.ts';
import { ProfileSchema } from './profile.ts';
import { FurtherScoreSchema, METRICS } from './scores.ts';
import { ExtentSchema, SessionSettingsSchema } from './settings.ts';
import { UnitRunSchema } from './split.ts';
import { textSchema } from './text/plain-text.ts';

const finite = v.pipe(v.number(), v.finite());
const nonNegative = v.pipe(finite, v.minValue(0));
const round = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_ROUNDS));
const whole = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(max));
export const NameSchema = textSchema(MAX_NAME_LENGTH);

export const SentenceSchema = textSchema(400);

/** A download under way: bytes that are here, whether fetched or found in the cache, of all that are needed. */
export const TransferSchema = v.strictObject({
  bytes: nonNegative,
  totalBytes: nonNegative,
  /** Of late; 0 while nothing arrives. */
  bytesPerSecond: nonNegative,
  /** Null while nobody can tell. */
  secondsLeft: v.nullable(nonNegative),
  /** What went wrong without stopping it. */
  remark: v.optional(SentenceSchema),
});
export type Transfer = v.InferOutput<typeof TransferSchema>;

/** What a device is doing about taking part. A device that cannot go on says why. */
export const DeviceStatusSchema = v.variant('kind', [
  v.strictObject({ kind: v.literal('joining') }),
  v.strictObject({
    kind: v.literal('loading'),
    done: nonNegative,
    total: nonNegative,
    transfer: v.optional(TransferSchema),
  }),
  v.strictObject({ kind: v.literal('profiling') }),
  /** Measured on one layer; waits to be told what of the model to hold. */
  v.strictObject({ kind: v.literal('measured') }),
  v.strictObject({ kind: v.literal('ready') }),
  /** It could, but its person wants it to rest: plans go without it until it is ready again. */
  v.strictObject({ kind: v.literal('paused') }),
  v.strictObject({ kind: v.literal('watching') }),
  v.strictObject({ kind: v.literal('failed'), sentence: SentenceSchema }),
]);
export type DeviceStatus = v.InferOutput<typeof DeviceStatusSchema>;

/** A device that did not deliver gets no work that others wait for until it does: why, since which round, and when it may try again. */
export const ProbationSchema = v.strictObject({ why: v.picklist(['late', 'failed']), since: round, next: round });
export type Probation = v.InferOutput<typeof ProbationSchema>;

export const DeviceViewSchema = v.strictObject({
  id: DeviceIdSchema,
  name: NameSchema,
  kind: v.picklist(['tab', 'headless']),
  status: DeviceStatusSchema,
  /** The tab is in the background, where browsers slow it down. */
  hidden: v.boolean(),
  /** The data link to the host is open (always true for the host itself). */
  linked: v.boolean(),
  /** The control connection to the server is up; a device that lost it has a while to come back. */
  online: v.boolean(),
  peerId: v.nullable(PeerIdSchema),
  profile: v.nullable(ProfileSchema),
  /** Null, or absent, for a device in good standing. */
  probation: v.optional(v.nullable(ProbationSchema)),
  /** What of the model it has in memory; null, or absent, for nothing yet. */
  holds: v.optional(v.nullable(UnitRunSchema)),
});
export type DeviceView = v.InferOutput<typeof DeviceViewSchema>;

/** Departures that one piece of news tells of; who missed more is told everything. */
export const MAX_GONE = 2 * MAX_DEVICES_IN_ROOM;

export const PHASES = ['gathering', 'training', 'paused', 'finished'] as const;

/** A plan has an order for each device at most, each with every layer and the head at most. */
const MAX_BLOCKS_OF_A_ROUND = MAX_DEVICES_IN_ROOM * (MAX_LAYERS + 1);
/** An order may change hands many times; what is more than that is a fault of its own. */
const MAX_REASSIGNED = 1000 * MAX_BLOCKS_OF_A_ROUND;

/** A room as everyone in it may see it. */
export const RoomViewSchema = v.strictObject({
  id: RoomIdSchema,
  settings: SessionSettingsSchema,
  phase: v.picklist(PHASES),
  host: DeviceIdSchema,
  devices: v.pipe(v.array(DeviceViewSchema), v.maxLength(MAX_DEVICES_IN_ROOM)),
  plan: v.nullable(RoomPlanSchema),
  /** Why there is no plan for these devices; null while there is one. */
  planNote: v.nullable(SentenceSchema),
});
export type RoomView = v.InferOutput<typeof RoomViewSchema>;

/** Fields of a device's view that changed; all of them for a device that is new. */
export const DeviceChangeSchema = v.strictObject({
  ...v.partial(DeviceViewSchema).entries,
  id: DeviceIdSchema,
});
export type DeviceChange = v.InferOutput<typeof DeviceChangeSchema>;

/** What changed in a room's view; all of it but `gone` for somebody who knows nothing. Settings do not change, but for the policy and the extent. */
export const RoomChangeSchema = v.strictObject({
  phase: v.optional(RoomViewSchema.entries.phase),
  host: v.optional(RoomViewSchema.entries.host),
  policy: v.optional(SessionSettingsSchema.entries.policy),
  extent: v.optional(ExtentSchema),
  plan: v.optional(RoomViewSchema.entries.plan),
  planNote: v.optional(RoomViewSchema.entries.planNote),
  /** Devices that left. One that came again since is among `devices`, as a new one. */
  gone: v.optional(v.pipe(v.array(DeviceIdSchema), v.maxLength(MAX_GONE))),
  /** In the room's order; those that are new come last there. */
  devices: v.optional(v.pipe(v.array(DeviceChangeSchema), v.maxLength(MAX_DEVICES_IN_ROOM))),
});
export type RoomChange = v.InferOutput<typeof RoomChangeSchema>;

/** Of longer rounds only so many passes of a stage are told. */
export const MAX_PASSES = 128;

/** One micro-batch through one stage, one way. */
export const PassSchema = v.strictObject({
  microBatch: whole(MAX_SAMPLES_PER_ROUND),
  direction: v.picklist(['up', 'down']),
  startSeconds: nonNegative,
  seconds: nonNegative,
  /** When its input had come from the neighbour; none where it has no such input. */
  cameSeconds: v.exactOptional(nonNegative),
});
export type Pass = v.InferOutput<typeof PassSchema>;

/** What happened in one round; the host sends it, everyone sees it, the server corrects its cost model with it. */
export const RoundReportSchema = v.strictObject({
  round,
  planVersion: v.pipe(v.number(), v.integer(), v.minValue(1)),
  /** Mean over the round's samples, before the round's update. */
  loss: finite,
  learningRate: nonNegative,
  gradientNorm: nonNegative,
  elapsedSeconds: nonNegative,
  devices: v.pipe(
    v.array(
      v.strictObject({
        device: DeviceIdSchema,
        samples: whole(MAX_SAMPLES_PER_ROUND),
        /** Layers the backward pass went through: 1 is the last layer only, 0 the head only. */
        deepestDepth: whole(MAX_LAYERS),
        computeSeconds: nonNegative,
        /** Seconds from the end of the device's compute until the host held all its gradients. */
        uploadSeconds: nonNegative,
        uploadBits: nonNegative,
        /** From the round's beginning until this work was sent to the device; reports of 0.1.0 do not say. */
        startSeconds: v.exactOptional(nonNegative),
        /** Of parameters and samples on their way to it, and of waiting there. */
        downSeconds: v.exactOptional(nonNegative),
        /** Of a stage: its passes, in their order, from the round's beginning. */
        passes: v.exactOptional(v.pipe(v.array(PassSchema), v.maxLength(MAX_PASSES))),
      }),
    ),
    v.maxLength(2 * MAX_DEVICES_IN_ROOM),
  ),
  /** (samples, block) pairs that had to be given to another device in this round. */
  reassigned: whole(MAX_REASSIGNED),
  /** Of merging the gradients and of the optimiser's step, at the round's end; reports of 0.1.0 do not say. */
  stepSeconds: v.exactOptional(nonNegative),
});
export type RoundReport = v.InferOutput<typeof RoundReportSchema>;

export const ScoreReportSchema = v.strictObject({
  /** After this many rounds; 0 is before training. */
  round,
  metric: v.picklist(METRICS),
  value: finite,
  /** What the best constant answer scores on the same examples; reports of 0.1.0 do not say. */
  constant: v.optional(finite),
  loss: finite,
  /** Of which all this is: the whole dev set, or the fixed sample of it that every score has in common. */
  examples: whole(100_000_000),
  /** One standard error of `value`, for examples drawn from many. */
  error: v.optional(nonNegative),
  /** What the best adapter is chosen by, on the sample; reports of 0.1.0 have it on the whole dev set alone. */
  chosenBy: v.optional(finite),
  elapsedSeconds: nonNegative,
  /** What is reported besides the task's own metric; at the end also of a second dev set. */
  further: v.optional(v.pipe(v.array(FurtherScoreSchema), v.maxLength(16))),
});
export type ScoreReport = v.InferOutput<typeof ScoreReportSchema>;

/** A few times a second while a round runs: how far each device is. */
export const ActivitySchema = v.strictObject({
  round,
  devices: v.pipe(
    v.array(
      v.strictObject({
        device: DeviceIdSchema,
        /** Blocks of this device's orders that the host holds, of all it was asked for: every order of the round may have come to it. */
        received: whole(MAX_BLOCKS_OF_A_ROUND),
        expected: whole(MAX_BLOCKS_OF_A_ROUND),
      }),
    ),
    v.maxLength(MAX_DEVICES_IN_ROOM),
  ),
});
export type Activity = v.InferOutput<typeof ActivitySchema>;
