import * as v from 'valibot';
import { PassSchema } from './door/secret.ts';
import {
  CapSchema,
  DoorSchema,
  DownloadBytesSchema,
  EntranceSchema,
  LookSchema,
  MAX_REMOVED,
  PassHashSchema,
} from './door.ts';
import { DeviceIdSchema, DeviceKeySchema, PeerIdSchema, type RoomId, RoomIdSchema } from './ids.ts';
import {
  MAX_CONTROL_CHARACTERS,
  MAX_LAYERS,
  MAX_RELAYED_PAIRS,
  MAX_REPORTS_WITH_NEWS,
  MAX_SAMPLES_PER_ROUND,
} from './limits.ts';
import { ProfileSchema } from './profile.ts';
import {
  ActivitySchema,
  DeviceStatusSchema,
  NameSchema,
  PHASES,
  ProbationSchema,
  RoomChangeSchema,
  RoundReportSchema,
  ScoreReportSchema,
  SentenceSchema,
} from './room-view.ts';
import { RoundNumberSchema, TermSchema } from './round.ts';
import { ExtentSchema, POLICIES, SessionSettingsSchema } from './settings.ts';
import { UnitRunSchema } from './split.ts';
import { brief } from './text/visible.ts';
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

/** What the server gives to prove later that a room's code was this host's, or that this device had a seat in the host's room. */
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
/** With the room's code, by which a proxy before several processes finds the one that has it. */
export type RoomIntroduction = Introduction & { readonly room?: RoomId };

/** What a device needed for a piece of work that was no part of a round. */
const MeasuredSchema = v.strictObject({
  samples: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_SAMPLES_PER_ROUND)),
  deepestDepth: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_LAYERS)),
  computeSeconds: v.pipe(v.number(), v.finite(), v.minValue(0)),
});
export type Measured = v.InferOutput<typeof MeasuredSchema>;

/** Proves to a server that forgot a session which one it was, who was its host, and in which term. */
export const RevivalSchema = v.strictObject({ term: TermSchema, host: DeviceIdSchema, token: ClaimSchema });
export type Revival = v.InferOutput<typeof RevivalSchema>;

/** Control messages from a tab or headless device to the server. */
export const ClientMessageSchema = v.variant('type', [
  /**
   * `room` is given when a host comes back, and `claim` as the server gave it: where the server forgot the room (a restart), that proves
   * that the code was this host's, and the room is made again under it. The door is the host's to set: what it says here holds.
   */
  v.strictObject({
    type: v.literal('create'),
    version,
    device: self,
    settings: SessionSettingsSchema,
    room: v.optional(RoomIdSchema),
    claim: v.optional(ClaimSchema),
    /** Which host of the session it is; 1 unless it took the session up after another. */
    term: v.optional(TermSchema),
    passHash: PassHashSchema,
    door: DoorSchema,
    cap: CapSchema,
    /** Devices that the host removed, as far as it knows. */
    removed: v.optional(v.pipe(v.array(DeviceIdSchema), v.maxLength(MAX_REMOVED))),
    downloadBytes: v.optional(DownloadBytesSchema),
  }),
  /** `pass` by who has the link's secret; `claim` as the server gave it to this device when it had a seat. */
  v.strictObject({
    type: v.literal('join'),
    version,
    device: self,
    room: RoomIdSchema,
    watch: v.boolean(),
    pass: v.optional(PassSchema),
    claim: v.optional(ClaimSchema),
    /** To a server that has forgotten the session: what it was, with what this server gave to prove it. Without its host it waits for one. */
    revive: v.optional(
      v.strictObject({
        settings: SessionSettingsSchema,
        phase: v.picklist(PHASES),
        ...RevivalSchema.entries,
      }),
    ),
  }),
  /** What is this session? Asked from outside. */
  v.strictObject({ type: v.literal('look'), version, room: RoomIdSchema, pass: v.optional(PassSchema) }),
  v.strictObject({ type: v.literal('status'), status: DeviceStatusSchema }),
  v.strictObject({ type: v.literal('hidden'), hidden: v.boolean() }),
  /** `again`: measured once more, beside rounds that go on without this device. */
  v.strictObject({ type: v.literal('profile'), profile: ProfileSchema, again: v.exactOptional(v.literal(true)) }),
  /** What of the model this device has in memory; said before it is ready with it. */
  v.strictObject({ type: v.literal('holds'), run: v.nullable(UnitRunSchema) }),
  v.strictObject({ type: v.literal('leave') }),
  v.strictObject({ type: v.literal('ping') }),
  /** Answers the server's `ping`. */
  v.strictObject({ type: v.literal('pong') }),
  /** News up to this edition was taken in. The server tells no more for a while to somebody who does not say so. */
  v.strictObject({ type: v.literal('seen'), edition }),
  /** News could not be read, or did not follow what came before: tell everything again. */
  v.strictObject({ type: v.literal('resync') }),
  /** What a device could go on from as host, to be told when the host is gone, and whether its link to the host is up. */
  v.strictObject({
    type: v.literal('holding'),
    /** Of the host that it heard last. */
    term: TermSchema,
    round: RoundNumberSchema,
    able: v.boolean(),
    linked: v.boolean(),
  }),
  /** The role of host that was offered under this term is not taken. */
  v.strictObject({ type: v.literal('decline'), term: TermSchema }),
  /** The rest come from the host only. */
  v.strictObject({ type: v.literal('linked'), device: DeviceIdSchema, linked: v.boolean() }),
  v.strictObject({ type: v.literal('door'), door: DoorSchema, cap: CapSchema }),
  /** Somebody who waits comes in, or has to go. */
  v.strictObject({ type: v.literal('admit'), device: DeviceIdSchema }),
  v.strictObject({ type: v.literal('refuse'), device: DeviceIdSchema }),
  /** A device has to go, and stays out. */
  v.strictObject({ type: v.literal('remove'), device: DeviceIdSchema }),
  /** A device is on probation, or is back, with what it was seen to need. */
  v.strictObject({
    type: v.literal('probation'),
    device: DeviceIdSchema,
    probation: v.nullable(ProbationSchema),
    measured: v.nullable(MeasuredSchema),
  }),
  /** Between whom the host hands on what stages say, as they cannot meet: all such pairs. */
  v.strictObject({
    type: v.literal('relayed'),
    pairs: v.pipe(v.array(v.strictTuple([DeviceIdSchema, DeviceIdSchema])), v.maxLength(MAX_RELAYED_PAIRS)),
  }),
  v.strictObject({ type: v.literal('phase'), phase: v.picklist(PHASES) }),
  v.strictObject({ type: v.literal('policy'), policy: v.picklist(POLICIES) }),
  /** Before the first round training may be made to end elsewhere. */
  v.strictObject({ type: v.literal('extent'), extent: ExtentSchema }),
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
  /** What this session is, for somebody who looks from outside. */
  v.strictObject({ type: v.literal('outside'), look: LookSchema }),
  /** The host has to let this device in; until then it is in no room. A `welcome` or an `error` ends that. */
  v.strictObject({ type: v.literal('waiting'), sentence: SentenceSchema }),
  /** The connection has its place in a room; the first message that says so. `claim` proves that later (`create`, `join`). */
  v.strictObject({
    type: v.literal('welcome'),
    room: RoomIdSchema,
    settings: SessionSettingsSchema,
    introduction: IntroductionSchema,
    claim: v.optional(ClaimSchema),
    revival: v.optional(RevivalSchema),
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
    /** Reports since then, where they are few. */
    rounds: v.optional(v.pipe(v.array(RoundReportSchema), v.maxLength(MAX_REPORTS_WITH_NEWS))),
    scores: v.optional(v.pipe(v.array(ScoreReportSchema), v.maxLength(MAX_REPORTS_WITH_NEWS))),
    /** The door, for the host alone. */
    entrance: v.optional(EntranceSchema),
  }),
  /** What happened before this device came, or while it could not follow. */
  HistorySchema,
  v.strictObject({ type: v.literal('round'), report: RoundReportSchema }),
  v.strictObject({ type: v.literal('score'), report: ScoreReportSchema }),
  v.strictObject({ type: v.literal('pong') }),
  /** Is somebody there? */
  v.strictObject({ type: v.literal('ping') }),
  /** There is another host, or the same one took the session up again: what proves that from now on. */
  v.strictObject({ type: v.literal('term'), revival: RevivalSchema }),
  /** The host is gone: every device should say what it holds. */
  v.strictObject({ type: v.literal('hostless') }),
  /** This device may be host, under this term: by a `create` of the room on another connection. */
  v.strictObject({ type: v.literal('offer'), term: TermSchema }),
  /** `refused`: the connection's purpose is over (no such room, room full, not allowed); otherwise the one message was ignored. */
  v.strictObject({
    type: v.literal('error'),
    sentence: SentenceSchema,
    refused: v.boolean(),
    /**
     * `claim`: the code that was asked for is not known to be this host's; another session can be made without one. `code`: there is no
     * such session. `pass`: the pass was wrong. `removed`: the host does not want this device, for good. `deposed`: another device is host
     * by now; this one may join as a device.
     */
    why: v.exactOptional(v.picklist(['claim', 'code', 'pass', 'removed', 'deposed'])),
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
  // Both may quote what was sent.
  const where = path === null ? '' : ` at "${brief(path, 80)}"`;
  return { ok: false, sentence: `The ${what} is not valid${where}: ${brief(issue.message)}.` };
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
  type: v.picklist(['create', 'join', 'look']),
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
