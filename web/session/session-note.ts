import * as v from 'valibot';
import { SecretSchema } from '../../signaling/protocol/door/secret.ts';
import { CapSchema, DoorSchema, MAX_REMOVED } from '../../signaling/protocol/door.ts';
import { DeviceIdSchema, DeviceKeySchema, RoomIdSchema } from '../../signaling/protocol/ids.ts';
import { ClaimSchema } from '../../signaling/protocol/messages.ts';
import {
  NameSchema,
  type RoundReport,
  RoundReportSchema,
  type ScoreReport,
  ScoreReportSchema,
} from '../../signaling/protocol/room-view.ts';
import { TermSchema } from '../../signaling/protocol/round.ts';
import { POLICIES } from '../../signaling/protocol/settings.ts';
import type { HostWorkerApi } from '../../worker/api/host-api.ts';
import type { WorkerHandle } from './world/environment.ts';

const KeptDoorSchema = v.strictObject({
  secret: SecretSchema,
  door: DoorSchema,
  cap: CapSchema,
  removed: v.pipe(v.array(DeviceIdSchema), v.maxLength(MAX_REMOVED)),
});
/** The door as the host's device keeps it: a server that forgot the room learns it from here. `removed`: oldest first. */
export type KeptDoor = v.InferOutput<typeof KeptDoorSchema>;

/** What a session adds to the host worker's checkpoint: who it is, where it was, and what happened. */
const NoteSchema = v.strictObject({
  identity: v.strictObject({ id: DeviceIdSchema, key: DeviceKeySchema, name: NameSchema }),
  /** Of the host that kept it; release 0.1.0 counted none. */
  term: v.optional(TermSchema, 1),
  room: RoomIdSchema,
  /** Release 0.1.0 had no doors. */
  door: v.exactOptional(KeptDoorSchema),
  claim: v.exactOptional(ClaimSchema),
  options: v.strictObject({
    policy: v.picklist(POLICIES),
    slowdown: v.pipe(v.number(), v.minValue(1), v.maxValue(1000)),
    patience: v.pipe(v.number(), v.integer(), v.minValue(0)),
  }),
  finished: v.boolean(),
  /** When it was kept; the files of earlier versions fixed the name. */
  savedAtMs: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Lines of the run's log; rounds and scores are in it. */
  log: v.array(v.string()),
});
export type SessionNote = v.InferOutput<typeof NoteSchema>;

/** A session that goes on where a checkpoint ends; its request starts from that checkpoint. */
export interface Resumed {
  readonly worker: WorkerHandle<HostWorkerApi>;
  readonly round: number;
  readonly note: SessionNote;
}

export function writeNote(claim: string | null, note: Omit<SessionNote, 'claim'>): string {
  return JSON.stringify({ ...note, ...(claim !== null && { claim }) } satisfies SessionNote);
}

/** @throws Error with a sentence when the text is no session's. */
export function readNote(text: string): SessionNote {
  const read = v.safeParse(NoteSchema, parsed(text));
  if (!read.success)
    throw new Error(
      'The checkpoint does not say of which session it is; only what a session kept can be gone on with.',
    );
  return read.output;
}

/** The reports in a log, up to `round`; later ones belong to rounds that are not in the checkpoint. */
export function historyOf(
  log: readonly string[],
  round: number,
): { readonly rounds: RoundReport[]; readonly scores: ScoreReport[] } {
  const rounds: RoundReport[] = [];
  const scores: ScoreReport[] = [];
  for (const line of log) {
    if (!/^\{"type":"(round|score)"/.test(line)) continue;
    const entry = parsed(line);
    if (typeof entry !== 'object' || entry === null || !('report' in entry)) continue;
    const report = v.safeParse(RoundReportSchema, entry.report);
    if (report.success && report.output.round <= round) rounds.push(report.output);
    const score = v.safeParse(ScoreReportSchema, entry.report);
    if (score.success && score.output.round <= round) scores.push(score.output);
  }
  return { rounds, scores };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
