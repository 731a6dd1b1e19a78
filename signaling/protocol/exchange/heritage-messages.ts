import * as v from 'valibot';
import { CapSchema, DoorSchema, MAX_REMOVED } from '../door.ts';
import { DeviceIdSchema } from '../ids.ts';
import { MAX_ROUNDS } from '../limits.ts';
import { RoundReportSchema } from '../room-view.ts';
import { TermSchema } from '../round.ts';
import { MAX_AUDITS } from '../words/audits.ts';
import { GivenTableSchema } from './table-messages.ts';

const whole = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(max));
const ids = v.pipe(v.array(DeviceIdSchema), v.maxLength(MAX_REMOVED));

/**
 * What a device that knows the session's secret needs besides the learned state to be host when the host is gone: where a public task's data
 * is, what it must be, and how the door is set. Its tensors are the best adapter's flat parameters and those that the session began from, no
 * values where there are none. Of a private table it says what it is, to a device to which the host's person gave it; the rows are asked for.
 */
export const HeritageSchema = v.strictObject({
  type: v.literal('heritage'),
  term: TermSchema,
  task: v.strictObject({
    id: v.pipe(v.string(), v.maxLength(64)),
    endpoint: v.pipe(v.string(), v.maxLength(2000)),
  }),
  /** Null for a public task. */
  table: v.nullable(GivenTableSchema),
  /** Devices to which the table was given, this one among them. */
  given: ids,
  /** Of the examples' texts and labels: other data would be another session. */
  dataFingerprint: whole(Number.MAX_SAFE_INTEGER),
  /** Evaluations without a better score after which training ends; 0 never. */
  patience: whole(MAX_ROUNDS),
  /** Part of the compute that audits take. */
  audits: v.pipe(v.number(), v.minValue(0), v.maxValue(MAX_AUDITS)),
  /** Whether the session began from an adapter, and not from what its seed draws. */
  begun: v.boolean(),
  door: DoorSchema,
  cap: CapSchema,
  removed: ids,
  /** Devices that the host's person let in, which need not know the secret. */
  admitted: ids,
  best: v.nullable(v.strictObject({ round: whole(MAX_ROUNDS), value: v.pipe(v.number(), v.finite()) })),
});
export type Heritage = v.InferOutput<typeof HeritageSchema>;

/**
 * What a round came to, without what each device did: to those who may lead, before the round's step. The server tells it, too; but it may be away, and
 * have forgotten all, when the host is gone.
 */
export const LeftReportSchema = v.strictObject({
  type: v.literal('report'),
  term: TermSchema,
  report: RoundReportSchema,
});
