import * as v from 'valibot';
import { DeviceIdSchema, DeviceKeySchema, PeerIdSchema, RoomIdSchema } from './ids.ts';
import { MAX_CONTROL_CHARACTERS } from './limits.ts';
import { ProfileSchema } from './profile.ts';
import {
  ActivitySchema,
  DeviceStatusSchema,
  NameSchema,
  PHASES,
  RoomChangeSchema,
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

/** Counts what changed in a room, from 1 on. */
const edition = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** What the server gives the host to prove later that a room's code was its own. */
export const ClaimSchema = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'a claim'));

export const IceServerSchema = v.strictObject({
  urls: v.pipe(v.string(), v.regex(/^(stuns?|turns?):[^\s]{1,250}$/, 'the address of a STUN or TURN server')),
  username: v.exactOptional(v.pipe(v.string(), v.maxLength(256))),
  credential: v.exactOptional(v.pipe(v.string(), v.maxLength(256))),
});
export type IceServer = v.InferOutput<typeof IceServerSchema>;
const iceServers = v.pipe(v.array(IceServerSchema), v.maxLength(16));

/** How a device is introduced to others of its room: the PeerJS id that is its own, the token that proves it, and servers that help. */
export const IntroductionSchema = v.strictObject({
  id: PeerIdSchema,
  token: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/, 'a token')),
  iceServers,
});
export type Introduction = v.InferOutput<typeof IntroductionSchema>;

/** Control messages from a tab or headless device to the server. */
export const ClientMessageSchema = v.variant('type', [
  /**
   * `room` is given when a host comes back, and `claim` as the server gave it: where the server forgot the room (a restart), that proves
   * that the code was this host's, and the room is made again under it.
   */
  v.strictObject({
    type: v.literal('create'),
    version,
    device: self,
    settings: SessionSettingsSchema,
    room: v.optional(RoomIdSchema),
    claim: v.optional(ClaimSchema),
  }),
  v.strictObject({ type: v.literal('join'), version, device: self, room: RoomIdSchema, watch: v.boolean() }),
  v.strictObject({ type: v.literal('status'), status: DeviceStatusSchema }),
  v.strictObject({ type: v.literal('hidden'), hidden: v.boolean() }),
  v.strictObject({ type: v.literal('profile'), profile: ProfileSchema }),
  v.strictObject({ type: v.literal('leave') }),
  v.strictObject({ type: v.literal('ping') }),
  /** Answers the server's `ping`. */
  v.strictObject({ type: v.literal('pong') }),
  /** News up to this edition was taken in. The server tells no more for a while to somebody who does not say so. */
  v.strictObject({ type: v.literal('seen'), edition }),
  /** News could not be read, or did not follow what came before: tell everything again. */
  v.strictObject({ type: v.literal('resync') }),
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
  /** The connection has its place in a room; the first message after `hello` that says so. `claim` is for the host alone. */
  v.strictObject({
    type: v.literal('welcome'),
    room: RoomIdSchema,
    settings: SessionSettingsSchema,
    introduction: IntroductionSchema,
    claim: v.optional(ClaimSchema),
  }),
  /** ICE servers with credentials that take the place of those before. */
  v.strictObject({ type: v.literal('ice'), iceServers }),
  /** What changed in the room from edition `since` to `edition`; with `since` null, the whole of it. */
  v.strictObject({
    type: v.literal('news'),
    edition,
    since: v.nullable(edition),
    change: RoomChangeSchema,
    activity: v.optional(ActivitySchema),
  }),
  /** What happened before this device came, or while it could not follow. */
  HistorySchema,
  v.strictObject({ type: v.literal('round'), report: RoundReportSchema }),
  v.strictObject({ type: v.literal('score'), report: ScoreReportSchema }),
  v.strictObject({ type: v.literal('pong') }),
  /** Is somebody there? */
  v.strictObject({ type: v.literal('ping') }),
  /** `refused`: the connection's purpose is over (no such room, room full, not allowed); otherwise the one message was ignored. */
  v.strictObject({
    type: v.literal('error'),
    sentence: SentenceSchema,
    refused: v.boolean(),
    /** `claim`: the code that was asked for is not known to be this host's; another session can be made without one. */
    why: v.exactOptional(v.picklist(['claim'])),
  }),
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
