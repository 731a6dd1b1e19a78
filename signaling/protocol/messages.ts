import * as v from 'valibot';
import { DeviceIdSchema, DeviceKeySchema, PeerIdSchema, RoomIdSchema } from './ids.ts';
import { MAX_CONTROL_CHARACTERS } from './limits.ts';
import { ProfileSchema } from './profile.ts';
import {
  ActivitySchema,
  DeviceStatusSchema,
  NameSchema,
  PHASES,
  RoomViewSchema,
  RoundReportSchema,
  ScoreReportSchema,
  SentenceSchema,
} from './room-view.ts';
import { POLICIES, SessionSettingsSchema } from './settings.ts';
import { PROTOCOL_VERSION } from './version.ts';

const self = v.strictObject({
  id: DeviceIdSchema,
  key: DeviceKeySchema,
  name: NameSchema,
  kind: v.picklist(['tab', 'headless']),
});

/** What enters a session says which release it is of. */
const version = v.literal(PROTOCOL_VERSION);

/** Thinned to a drawable number of points, and in as many messages as the bound on their length takes. */
const HistorySchema = v.strictObject({
  type: v.literal('history'),
  rounds: v.array(RoundReportSchema),
  scores: v.array(ScoreReportSchema),
});

/** Control messages from a tab or headless device to the server. */
export const ClientMessageSchema = v.variant('type', [
  /** `room` is given when a host comes back after the server forgot the room (a restart): it is made again under its old code. */
  v.strictObject({
    type: v.literal('create'),
    version,
    device: self,
    settings: SessionSettingsSchema,
    room: v.optional(RoomIdSchema),
  }),
  v.strictObject({ type: v.literal('join'), version, device: self, room: RoomIdSchema, watch: v.boolean() }),
  v.strictObject({ type: v.literal('address'), peerId: PeerIdSchema }),
  v.strictObject({ type: v.literal('status'), status: DeviceStatusSchema }),
  v.strictObject({ type: v.literal('hidden'), hidden: v.boolean() }),
  v.strictObject({ type: v.literal('profile'), profile: ProfileSchema }),
  v.strictObject({ type: v.literal('leave') }),
  v.strictObject({ type: v.literal('ping') }),
  /** Answers the server's `ping`. */
  v.strictObject({ type: v.literal('pong') }),
  /** The rest come from the host only. */
  v.strictObject({ type: v.literal('linked'), device: DeviceIdSchema, linked: v.boolean() }),
  v.strictObject({ type: v.literal('phase'), phase: v.picklist(PHASES) }),
  v.strictObject({ type: v.literal('policy'), policy: v.picklist(POLICIES) }),
  v.strictObject({ type: v.literal('round'), report: RoundReportSchema }),
  v.strictObject({ type: v.literal('score'), report: ScoreReportSchema }),
  v.strictObject({ type: v.literal('activity'), activity: ActivitySchema }),
  /** What happened before the room was made, or made again. */
  HistorySchema,
]);
export type ClientMessage = v.InferOutput<typeof ClientMessageSchema>;

/** Control messages from the server. */
export const ServerMessageSchema = v.variant('type', [
  /** The first on every connection, of every release from now on. */
  v.object({ type: v.literal('hello'), version: v.pipe(v.number(), v.integer()) }),
  v.strictObject({ type: v.literal('room'), room: RoomViewSchema }),
  /** What happened before this device came. */
  HistorySchema,
  v.strictObject({ type: v.literal('round'), report: RoundReportSchema }),
  v.strictObject({ type: v.literal('score'), report: ScoreReportSchema }),
  v.strictObject({ type: v.literal('activity'), activity: ActivitySchema }),
  v.strictObject({ type: v.literal('pong') }),
  /** Is somebody there? */
  v.strictObject({ type: v.literal('ping') }),
  /** `refused`: the connection's purpose is over (no such room, room full, not allowed); otherwise the one message was ignored. */
  v.strictObject({ type: v.literal('error'), sentence: SentenceSchema, refused: v.boolean() }),
  /** The host ended the session or did not come back. */
  v.strictObject({ type: v.literal('closed'), sentence: SentenceSchema }),
]);
export type ServerMessage = v.InferOutput<typeof ServerMessageSchema>;

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly sentence: string };

/** Reads unknown data with a schema; on failure says in one sentence which field was wrong. */
export function parse<T>(schema: v.GenericSchema<unknown, T>, data: unknown, what: string): Parsed<T> {
  const result = v.safeParse(schema, data, { abortEarly: true });
  if (result.success) return { ok: true, value: result.output };
  const issue = result.issues[0];
  const path = v.getDotPath(issue);
  return { ok: false, sentence: `The ${what} is not valid${path === null ? '' : ` at "${path}"`}: ${issue.message}.` };
}

function parseText<T>(schema: v.GenericSchema<unknown, T>, text: string, what: string): Parsed<T> {
  if (text.length > MAX_CONTROL_CHARACTERS) return { ok: false, sentence: `The ${what} is too long.` };
  const data = readJson(text);
  return data === undefined ? { ok: false, sentence: `The ${what} is not JSON.` } : parse(schema, data, what);
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const EntrySchema = v.object({
  type: v.picklist(['create', 'join']),
  version: v.optional(v.nullable(v.unknown())),
});

/** The version that a message states that wants to enter a session: null where it states none; undefined where it is no such message. */
export function entryVersion(text: string): number | null | undefined {
  if (text.length > MAX_CONTROL_CHARACTERS) return undefined;
  const entry = v.safeParse(EntrySchema, readJson(text));
  if (!entry.success) return undefined;
  return typeof entry.output.version === 'number' ? entry.output.version : null;
}

export const parseClientMessage = (text: string): Parsed<ClientMessage> =>
  parseText(ClientMessageSchema, text, 'message');
export const parseServerMessage = (text: string): Parsed<ServerMessage> =>
  parseText(ServerMessageSchema, text, 'server message');
