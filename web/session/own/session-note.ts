import * as v from 'valibot';
import { DeviceIdSchema, DeviceKeySchema, RoomIdSchema } from '../../../signaling/protocol/ids.ts';
import { ClaimSchema } from '../../../signaling/protocol/messages.ts';
import {
  NameSchema,
  type RoundReport,
  RoundReportSchema,
  type ScoreReport,
  ScoreReportSchema,
} from '../../../signaling/protocol/room-view.ts';
import { TermSchema } from '../../../signaling/protocol/round.ts';
import { POLICIES, type SessionSettings } from '../../../signaling/protocol/settings.ts';
import { HIDDEN_STATES } from '../../../signaling/protocol/split.ts';
import { MAX_AUDITS } from '../../../signaling/protocol/words/audits.ts';
import { ENGINE_CHOICES, type EngineChoice } from '../../../signaling/protocol/words/engines.ts';
import type { HostWorkerApi } from '../../../worker/api/host-api.ts';
import * as say from '../../words/session/own.ts';
import type { Standings } from '../rounds/audits/standing.ts';
import type { DeviceSeats } from '../stages/device-seats.ts';
import { WITHOUT_KEY } from '../view/resumed-words.ts';
import type { RunLog } from '../view/run-log.ts';
import type { ViewStore } from '../view/view-store.ts';
import type { WorkerHandle } from '../world/environment.ts';
import type { HostKey } from './host-key.ts';

/**
 * What a session adds to the host worker's checkpoint: whose it is and what happened. A checkpoint may be given to others, so nothing in it
 * seats anybody; `HostKey` does.
 */
const NOTE = {
  identity: v.strictObject({ id: DeviceIdSchema, name: NameSchema }),
  /** Of the host that kept it; release 0.1.0 counted none. */
  term: v.optional(TermSchema, 1),
  options: v.strictObject({
    policy: v.picklist(POLICIES),
    slowdown: v.pipe(v.number(), v.minValue(1), v.maxValue(1000)),
    patience: v.pipe(v.number(), v.integer(), v.minValue(0)),
    embeddings: v.exactOptional(v.literal('int8')),
    hiddenStates: v.exactOptional(v.picklist(HIDDEN_STATES)),
    /** Part of the compute that audits take; the usual part where it is not said. */
    audits: v.exactOptional(v.pipe(v.number(), v.minValue(0), v.maxValue(MAX_AUDITS))),
    /** What its person wanted this device to compute on; what is quicker where it is not said. */
    engine: v.exactOptional(v.picklist(ENGINE_CHOICES)),
  }),
  finished: v.boolean(),
  /** When it was kept; the files of earlier versions fixed the name. */
  savedAtMs: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Lines of the run's log; rounds and scores are in it. */
  log: v.array(v.string()),
};
const NoteSchema = v.strictObject(NOTE);
export type SessionNote = v.InferOutput<typeof NoteSchema>;

/** As release 0.1.0 wrote it: with the host's key and code within. */
const KeyedNoteSchema = v.strictObject({
  ...NOTE,
  identity: v.strictObject({ id: DeviceIdSchema, key: DeviceKeySchema, name: NameSchema }),
  room: RoomIdSchema,
  claim: v.exactOptional(ClaimSchema),
});

/** A session that goes on where a checkpoint ends; its request starts from that checkpoint. */
export interface Resumed {
  readonly worker: WorkerHandle<HostWorkerApi>;
  readonly round: number;
  readonly note: SessionNote;
  /** The device's seats where it goes on from what it held of another one's session; of a checkpoint nothing is said then. */
  readonly inherited?: DeviceSeats;
  /** What is known of the other devices' honesty, where it was not their host before. */
  readonly standings?: Standings;
  /** Null where it was not beside the checkpoint: then the session goes on in a room of its own. */
  readonly key: HostKey | null;
}

/** A note, and the key that one of release 0.1.0 has within. @throws Error with a sentence when the text is no session's. */
export function readNote(text: string): { readonly note: SessionNote; readonly key: HostKey | null } {
  const json = parsed(text);
  const read = v.safeParse(NoteSchema, json);
  if (read.success) return { note: read.output, key: null };
  const keyed = v.safeParse(KeyedNoteSchema, json);
  if (!keyed.success) throw new Error(say.theCheckpointDoesNotSay);
  const { identity, room, claim, log, ...rest } = keyed.output;
  const { id, key, name } = identity;
  return {
    // Its log told the code, too.
    note: { ...rest, identity: { id, name }, log: log.map((line) => line.replace(`"room":"${room}",`, '')) },
    key: { id, key, room, ...(claim !== undefined && { claim }) },
  };
}

/** What a session that goes on computes on: as it is asked for now, or was on this device; what another person wanted of theirs says nothing here. */
export const resumedEngine = (
  now: EngineChoice | undefined,
  { note, key }: Pick<Resumed, 'note' | 'key'>,
): EngineChoice | undefined => now ?? (key === null ? undefined : note.options.engine);

/** Tells a session that goes on what the checkpoint says of the rounds before. */
export function recall({ round, note, key, inherited }: Resumed, store: ViewStore, log: RunLog): void {
  store.dispatch({ type: 'message', message: { type: 'history', ...historyOf(note.log, round) } });
  if (inherited === undefined) store.dispatch({ type: 'kept', kept: { round, atMs: note.savedAtMs } });
  if (key === null) store.notice('news', WITHOUT_KEY);
  log.add([{ type: 'resumed', round }]);
}

/** "roberta-mini-sst2-round-40.safetensors": of what, and no code. */
export function checkpointName({ model, task }: Pick<SessionSettings, 'model' | 'task'>, round: number): string {
  return `${model.id.split('/').at(-1)}-${task.id}-round-${round}.safetensors`.toLowerCase();
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
