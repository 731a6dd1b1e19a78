import * as v from 'valibot';
import { DeviceStatusSchema } from '../../signaling/protocol/room-view.ts';
import { LIES } from '../process/lies.ts';
import { PHASES } from './cells.ts';

/** What conductor and members say to each other, beside the session and over the pipe between parent and child. */

const text = v.string();
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const PhaseSchema = v.picklist(PHASES);

/** What becomes of the call at which a member was held, or of its device's next one. */
export const ActSchema = v.variant('act', [
  v.strictObject({ act: v.literal('go') }),
  v.strictObject({ act: v.literal('stall'), seconds: v.number() }),
  v.strictObject({ act: v.literal('refuse'), times: count }),
]);
export type Act = v.InferOutput<typeof ActSchema>;

export const OrderSchema = v.variant('do', [
  v.strictObject({ do: v.literal('start') }),
  /** Hold at this phase, in this round or later, and say so. */
  v.strictObject({ do: v.literal('arm'), phase: PhaseSchema, round: count }),
  v.strictObject({ do: v.literal('disarm'), phase: PhaseSchema }),
  v.strictObject({ do: v.literal('go'), id: count, act: ActSchema }),
  /** For the device's next call. */
  v.strictObject({ do: v.literal('act'), act: ActSchema }),
  v.strictObject({ do: v.literal('lie'), lie: v.picklist(LIES) }),
  v.strictObject({ do: v.literal('export') }),
  v.strictObject({ do: v.literal('history') }),
  v.strictObject({ do: v.literal('leave') }),
]);
export type Order = v.InferOutput<typeof OrderSchema>;

const MemberViewSchema = v.strictObject({
  role: v.picklist(['host', 'device', 'watcher']),
  self: text,
  host: v.nullable(text),
  server: v.picklist(['connecting', 'connected', 'reconnecting', 'closed']),
  phase: v.nullable(v.picklist(['gathering', 'training', 'paused', 'finished'])),
  status: v.picklist(DeviceStatusSchema.options.map(({ entries }) => entries.kind.literal)),
  ended: v.nullable(text),
  devices: v.array(
    v.strictObject({
      id: text,
      name: text,
      online: v.boolean(),
      linked: v.boolean(),
      ready: v.boolean(),
      planned: v.boolean(),
      probation: v.boolean(),
    }),
  ),
  scores: count,
});
export type MemberView = v.InferOutput<typeof MemberViewSchema>;

const RoundSchema = v.strictObject({ round: count, loss: v.number(), seconds: v.number() });
export type ToldRound = v.InferOutput<typeof RoundSchema>;

export const SaidSchema = v.variant('say', [
  v.strictObject({ say: v.literal('link'), link: text }),
  v.strictObject({ say: v.literal('view'), view: MemberViewSchema }),
  /** Of a host. */
  v.strictObject({ say: v.literal('round'), ...RoundSchema.entries }),
  /** Its device holds what was learned until after this round. */
  v.strictObject({ say: v.literal('held'), round: count }),
  v.strictObject({ say: v.literal('notice'), sentence: text }),
  /** A host would begin this round, and waits until it may. */
  v.strictObject({ say: v.literal('next'), id: count, round: count }),
  /** It has come to a phase at which it was to be held, and waits. */
  v.strictObject({ say: v.literal('at'), id: count, phase: PhaseSchema, round: count }),
  v.strictObject({ say: v.literal('exported'), files: count, error: v.nullable(text) }),
  v.strictObject({ say: v.literal('history'), rounds: v.array(RoundSchema), scores: v.array(count) }),
]);
export type Said = v.InferOutput<typeof SaidSchema>;
