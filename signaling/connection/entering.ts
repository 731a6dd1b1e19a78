import { historyMessages } from '../protocol/history.ts';
import { idFromBytes, ROOM_ID_ALPHABET, ROOM_ID_LENGTH } from '../protocol/ids.ts';
import { MAX_SETTINGS_BYTES } from '../protocol/limits.ts';
import type { ClientMessage } from '../protocol/messages.ts';
import type { SessionSettings } from '../protocol/settings.ts';
import { utf8Bytes } from '../protocol/text/plain-text.ts';
import { createRoom, type DeviceSelf } from '../room/room.ts';
import { countWrongGuess, mayGuess } from './addresses.ts';
import { admit, isKnown } from './admission.ts';
import { fullAllowance, spend } from './bounds/allowance.ts';
import { RESYNCS, TURN_SECONDS } from './bounds/limits.ts';
import { newChronicle } from './chronicle.ts';
import { close } from './connections.ts';
import { type Connection, type Core, type OpenRoom, refuse, remindAt, say, type Turn } from './core.ts';
import { claimOf, fingerprint, introductionOf, isSame, withCredentials } from './secrets.ts';
import { change, tellSeats } from './telling.ts';

const NOT_GIVEN = 'This code was not given to this host by this server. Start a new session.';
const TOO_MANY_GUESSES = 'Too many codes or keys were wrong. Wait a minute, then try again.';

/** What a connection says before it has a place in a session. */
export function enter(turn: Turn, connection: Connection, message: ClientMessage, random: Uint8Array): void {
  switch (message.type) {
    case 'ping':
      say(turn, [connection.id], { type: 'pong' });
      break;
    case 'pong':
      break;
    case 'create':
      create(turn, connection, message, random);
      break;
    case 'join':
      join(turn, connection, message);
      break;
    default:
      refuse(turn, connection, 'Join a session first.');
  }
}

/** The room keeps a key's fingerprint, never the key. */
const withFingerprint = (device: DeviceSelf): DeviceSelf => ({ ...device, key: fingerprint(device.key) });

function create(
  turn: Turn,
  connection: Connection,
  message: Extract<ClientMessage, { type: 'create' }>,
  random: Uint8Array,
): void {
  const { core } = turn;
  const device = withFingerprint(message.device);
  const room = message.room === undefined ? undefined : core.rooms.get(message.room);
  const why = room === undefined ? refusesRoom(core, connection, device, message) : null;
  if (room !== undefined && room.state.host === device.id && isKnown(room.state, device)) {
    seat(turn, room, connection, device, false);
  } else if (room !== undefined) {
    countWrongGuess(turn, connection, room);
    refuse(turn, connection, 'This session belongs to another host.');
  } else if (why !== null) {
    const isClaim = why === NOT_GIVEN;
    if (isClaim) countWrongGuess(turn, connection, null);
    refuse(turn, connection, why, isClaim ? 'claim' : undefined);
  } else {
    const code = message.room ?? freeCode(core.rooms, random);
    seat(turn, openRoom(turn, connection, code, device, message.settings), connection, device, false);
  }
}

/** Why nobody may make this room now, or null. A code that is asked for has to be one that this server gave to this host. */
function refusesRoom(
  core: Core,
  { address }: Connection,
  device: DeviceSelf,
  { room, claim, settings }: Extract<ClientMessage, { type: 'create' }>,
): string | null {
  const { limits, secrets } = core;
  if (room !== undefined && !isSame(claim ?? '', claimOf(secrets.server, room, device.key))) return NOT_GIVEN;
  if (utf8Bytes(JSON.stringify(settings)) > MAX_SETTINGS_BYTES)
    return 'The settings of this session are too long. Use fewer or shorter names of classes.';
  if (core.rooms.size >= limits.rooms) return 'This server holds as many sessions as it can. Try again later.';
  if ((core.addresses.get(address)?.rooms ?? 0) >= limits.roomsOfAddress)
    return 'As many sessions as one address may have are open from yours. End one of them first.';
  return null;
}

function openRoom(
  turn: Turn,
  { address }: Connection,
  code: string,
  device: DeviceSelf,
  settings: SessionSettings,
): OpenRoom {
  const { core, effects, nowMs } = turn;
  const state = createRoom(code, device, settings);
  const room: OpenRoom = {
    state,
    chronicle: newChronicle(state),
    address,
    seats: new Map(),
    lines: new Map(),
    departures: new Map(),
    messages: fullAllowance(core.limits.messagesOfRoom, nowMs),
    guesses: fullAllowance(core.limits.wrongGuessesOfRoom, nowMs),
    seating: fullAllowance(core.limits.seatsOfRoom, nowMs),
    tellHostMs: null,
    tellMs: null,
    restUntilMs: 0,
    planning: false,
  };
  core.rooms.set(code, room);
  const owner = core.addresses.get(address);
  if (owner !== undefined) owner.rooms += 1;
  effects.push({ type: 'log', line: `A session was started; ${core.rooms.size} are open.` });
  return room;
}

function join(turn: Turn, connection: Connection, message: Extract<ClientMessage, { type: 'join' }>): void {
  const { core, nowMs } = turn;
  const device = withFingerprint(message.device);
  const room = core.rooms.get(message.room);
  const known = room !== undefined && isKnown(room.state, device);
  if (!known && !mayGuess(turn, connection, room ?? null)) {
    refuse(turn, connection, TOO_MANY_GUESSES);
    return;
  }
  if (room === undefined) {
    countWrongGuess(turn, connection, null);
    const sentence = `There is no session with the code ${message.room}. Check the code, or ask the host for a new link.`;
    refuse(turn, connection, sentence);
    return;
  }
  const admission = admit(room.state, { device, watch: message.watch });
  const seating = spend(room.seating, core.limits.seatsOfRoom, nowMs);
  if (admission.kind === 'out') {
    if (admission.guessed) countWrongGuess(turn, connection, room);
    refuse(turn, connection, admission.sentence);
  } else if (seating === null) {
    refuse(turn, connection, 'Too many devices came to this session at once. Try again in a moment.');
  } else {
    room.seating = seating;
    seat(turn, room, connection, device, message.watch);
  }
}

/** The device sits in the room, on this connection and no other, and is told everything. */
export function seat(turn: Turn, room: OpenRoom, connection: Connection, device: DeviceSelf, watch: boolean): void {
  const { core, nowMs } = turn;
  const { id: code, host, settings, rounds, scores } = room.state;
  const old = room.seats.get(device.id);
  if (old !== undefined && old.connection !== connection.id) close(turn, old.connection);
  room.departures.delete(device.id);
  connection.place = { room: code, device: device.id };
  const introduction = introductionOf(core.secrets.server, code, device);
  core.introductions.set(introduction.id, connection.place);
  const isHost = device.id === host;
  say(turn, [connection.id], {
    type: 'welcome',
    room: code,
    settings,
    introduction: { ...introduction, iceServers: iceFor(turn, device.id) },
    ...(isHost && { claim: claimOf(core.secrets.server, code, device.key) }),
  });
  if (core.secrets.turn !== null) remindOfIce(turn, connection);
  if (!isHost) for (const message of historyMessages(rounds, scores)) say(turn, [connection.id], message);
  change(turn, room, { type: 'joined', device, watch });
  const { edition } = room.chronicle;
  const resyncs = fullAllowance(RESYNCS, nowMs);
  const seated = { connection: connection.id, edition: null, reported: edition, unseen: [], resyncs };
  room.seats.set(device.id, seated);
  tellSeats(turn, room, [seated]);
}

const iceFor = ({ core, nowMs }: Turn, device: string) =>
  withCredentials(core.iceServers, core.secrets.turn, device, nowMs);

function remindOfIce(turn: Turn, { id }: Connection): void {
  remindAt(turn, turn.nowMs + (1000 * TURN_SECONDS) / 2, { type: 'ice', connection: id });
}

/** To be called when a connection's `ice` deadline is due. */
export function renewIce(turn: Turn, connection: Connection): void {
  if (connection.place === null) return;
  say(turn, [connection.id], { type: 'ice', iceServers: iceFor(turn, connection.place.device) });
  remindOfIce(turn, connection);
}

/** A code that no room has; the next one in the order of the alphabet where chance hit one that is taken. */
function freeCode(rooms: ReadonlyMap<string, unknown>, random: Uint8Array): string {
  const bytes = Uint8Array.from(random.subarray(0, ROOM_ID_LENGTH));
  for (;;) {
    const code = idFromBytes(bytes, ROOM_ID_ALPHABET);
    if (!rooms.has(code)) return code;
    for (let i = ROOM_ID_LENGTH - 1; i >= 0; i--) {
      bytes[i] = (bytes[i] + 1) % 256;
      if (bytes[i] !== 0) break;
    }
  }
}
