import { passHashOf } from '../protocol/door/secret.ts';
import { idFromBytes, ROOM_ID_ALPHABET, ROOM_ID_LENGTH } from '../protocol/ids.ts';
import { MAX_DEVICES_IN_ROOM, MAX_SETTINGS_BYTES } from '../protocol/limits.ts';
import type { ClientMessage } from '../protocol/messages.ts';
import { utf8Bytes } from '../protocol/text/plain-text.ts';
import { TAKEN } from '../room/refusal.ts';
import { createRoom, type DeviceSelf } from '../room/room.ts';
import { mayTake, newSuccession } from '../room/succession.ts';
import { countWrongGuess, mayGuess, mayLook } from './addresses.ts';
import { fullAllowance, spend } from './bounds/allowance.ts';
import { REVIVED_WAIT_MS } from './bounds/limits.ts';
import { newChronicle } from './chronicle.ts';
import { type Connection, type Core, type OpenRoom, refuse, say, type Turn } from './core.ts';
import { admit, isKnown } from './door/admission.ts';
import { type DoorOfHost, newEntrance, reset } from './door/entrance.ts';
import { claimedTerm, fingerprint, isSame, revivalOf } from './door/secrets.ts';
import { expectDeparture, takeOut } from './leaving.ts';
import { look, noSuchSession, passFor, TOO_MANY_GUESSES, TOO_MANY_LOOKS } from './looking.ts';
import { revival, seat, seatClaim } from './seating.ts';
import { DEPOSED, enthrone, learnTerm, succeed } from './succeeding.ts';
import { doorChanged, leaveDoor, wait } from './waiting.ts';

const NOT_GIVEN = 'This code was not given to this host by this server. Start a new session.';

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
    case 'look':
      look(turn, connection, message);
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
  const { term = 1 } = message;
  const given = termGivenTo(core, device, message);
  const isGiven = given !== null;
  const isHost = room !== undefined && room.state.host === device.id && isKnown(room.state, device);
  const takes = room !== undefined && isKnown(room.state, device) && mayTake(room.succession, device.id, term);
  // Whether a code is anybody's is told to those who ask for it as a host no more often than to others.
  if (message.room !== undefined && !isHost && !takes && !isGiven && !mayGuess(turn, connection, null)) {
    refuse(turn, connection, TOO_MANY_GUESSES);
    return;
  }
  const why = room === undefined ? refusesRoom(core, connection, device, message) : null;
  // What counts is the term that it was given here, never the one that it says: whoever was host once could say any.
  const isLater =
    room !== undefined && given !== null && (given > room.succession.seated || room.state.host === device.id);
  if (room !== undefined && (isHost || takes || isLater)) {
    const { host } = room.state;
    if (isHost) succeed(turn, room, { type: 'seated', term });
    else enthrone(turn, room, device, { term: takes || given === null ? term : Math.min(given, term), own: term });
    if (host !== device.id && !room.seats.has(host)) expectDeparture(turn, room, host);
    // The pass is the session's own, whoever is its host.
    reset(room.entrance, isHost ? message : { ...message, passHash: room.entrance.passHash });
    seat(turn, room, connection, device, false);
    // What it decided while it was not heard.
    for (const { id } of [...room.state.devices, ...[...room.entrance.waiting.values()].map((waiter) => waiter.device)])
      if (id !== device.id && message.removed?.includes(id)) takeOut(turn, room, id);
    doorChanged(turn, room);
    const others = [...room.seats].flatMap(([id, { connection }]) => (id === device.id ? [] : [connection]));
    say(turn, others, { type: 'term', revival: revival(turn, room) });
  } else if (room !== undefined && isGiven) {
    refuse(turn, connection, DEPOSED, 'deposed');
  } else if (room !== undefined) {
    countWrongGuess(turn, connection, room);
    refuse(turn, connection, 'This session belongs to another host.');
  } else if (why !== null) {
    const isClaim = why === NOT_GIVEN;
    if (isClaim) countWrongGuess(turn, connection, null);
    refuse(turn, connection, why, isClaim ? 'claim' : undefined);
  } else {
    const code = message.room ?? freeCode(core, random);
    const made = openRoom(turn, connection, code, device, { ...message, term: Math.min(given ?? term, term) });
    succeed(turn, made, { type: 'seated', term: made.succession.seated, own: term });
    seat(turn, made, connection, device, false);
  }
}

/** The term in which this server gave the code to this host; null where it did not. */
const termGivenTo = (
  { secrets }: Core,
  { key }: DeviceSelf,
  { room = '', claim = '' }: { readonly room?: string | undefined; readonly claim?: string | undefined },
): number | null => claimedTerm(secrets.server, room, key, claim);

/** Whether a room of this code has another home than this one. */
const isElsewhere = ({ share }: Core, code: string): boolean => 'only' in share && share.only !== code;

/** Why nobody may make this room now, or null. A code that is asked for has to be one that this server gave to this host. */
function refusesRoom(
  core: Core,
  { address }: Connection,
  device: DeviceSelf,
  { room, claim, settings }: Extract<ClientMessage, { type: 'create' }>,
): string | null {
  if (room !== undefined && (isElsewhere(core, room) || termGivenTo(core, device, { room, claim }) === null))
    return NOT_GIVEN;
  if (utf8Bytes(JSON.stringify(settings)) > MAX_SETTINGS_BYTES)
    return 'The settings of this session are too long. Use fewer or shorter names of classes.';
  return noRoomFor(core, { address });
}

/** Why no further room may be made from this address, or null. */
function noRoomFor(core: Core, { address }: Pick<Connection, 'address'>): string | null {
  const { limits } = core;
  if (core.rooms.size >= limits.rooms) return 'This server holds as many sessions as it can. Try again later.';
  const known = core.addresses.get(address);
  if (known !== undefined && known.rooms + known.roomsElsewhere >= limits.roomsOfAddress)
    return 'As many sessions as one address may have are open from yours. End one of them first.';
  return null;
}

function openRoom(
  turn: Turn,
  { address }: Connection,
  code: string,
  device: DeviceSelf,
  message: DoorOfHost & Pick<Extract<ClientMessage, { type: 'create' }>, 'settings' | 'term'>,
): OpenRoom {
  const { core, effects, nowMs } = turn;
  const state = createRoom(code, device, message.settings);
  const room: OpenRoom = {
    state,
    chronicle: newChronicle(state),
    succession: newSuccession(message.term ?? 1),
    entrance: newEntrance(message),
    address,
    seats: new Map(),
    addresses: new Map(),
    lines: new Map(),
    departures: new Map(),
    messages: fullAllowance(core.limits.messagesOfRoom, nowMs),
    hostMessages: fullAllowance(core.limits.messagesOfRoom, nowMs),
    guesses: fullAllowance(core.limits.wrongGuessesOfRoom, nowMs),
    looks: fullAllowance(core.limits.looksOfRoom, nowMs),
    seating: fullAllowance(core.limits.seatsOfRoom, nowMs),
    tellHostMs: null,
    tellMs: null,
    restUntilMs: 0,
    lookMs: 0,
    planning: false,
  };
  core.rooms.set(code, room);
  const owner = core.addresses.get(address);
  if (owner !== undefined) owner.rooms += 1;
  effects.push({ type: 'log', line: `A session was started; ${core.rooms.size} are open.` });
  return room;
}

function join(turn: Turn, connection: Connection, message: Join): void {
  const { core, nowMs } = turn;
  const device = withFingerprint(message.device);
  const { watch, claim = '' } = message;
  const { address } = connection;
  const room = core.rooms.get(message.room) ?? revived(turn, connection, message);
  const proven = room && provenHost(core, message, room.entrance.passHash);
  if (room && proven && learnTerm(turn, room, proven)) expectDeparture(turn, room, proven.host);
  const pass = passFor(room, message.pass);
  const hadSeat = room !== undefined && (isKnown(room.state, device) || isSame(claim, seatClaim(turn, room, device)));
  // Neither a pass nor a claim can be guessed: who shows one need not wait for those who guess.
  if (!hadSeat && pass !== true && !mayGuess(turn, connection, room ?? null)) {
    refuse(turn, connection, TOO_MANY_GUESSES);
    return;
  }
  if (room === undefined) {
    countWrongGuess(turn, connection, null);
    refuse(turn, connection, noSuchSession(message.room), 'code');
    return;
  }
  // Where the server forgot the devices, it does not know the host's key: nobody takes the host's seat by its name.
  if (device.id === room.state.host && !hadSeat) {
    countWrongGuess(turn, connection, room);
    refuse(turn, connection, TAKEN);
    return;
  }
  const request = { device, address, pass, hadSeat };
  const admission = admit(room.state, room.entrance, request);
  if (admission.kind === 'out') {
    if (admission.guessed) countWrongGuess(turn, connection, room);
    refuse(turn, connection, admission.sentence, admission.why);
    return;
  }
  if (admission.kind === 'wait') {
    const { withPass, likeRemoved } = admission;
    if (mayLook(turn, connection, room)) wait(turn, room, connection, { ...request, watch, withPass, likeRemoved });
    else refuse(turn, connection, TOO_MANY_LOOKS);
    return;
  }
  const seating = spend(room.seating, core.limits.seatsOfRoom, nowMs);
  if (seating === null) {
    refuse(turn, connection, 'Too many devices came to this session at once. Try again in a moment.');
  } else {
    room.seating = seating;
    // It waited, and the host opened the door.
    leaveDoor(turn, room, device);
    seat(turn, room, connection, device, watch);
    if (room.succession.lost !== null) say(turn, [connection.id], { type: 'hostless' });
  }
}

type Join = Extract<ClientMessage, { type: 'join' }>;

/** The host that a device proves the session of this pass to have had, and its term; null where it shows nothing, or nothing that counts. */
function provenHost({ secrets }: Core, { room, revive }: Join, passHash: string): Join['revive'] | null {
  if (revive === undefined) return null;
  return isSame(revive.token, revivalOf(secrets.server, room, passHash, revive.settings, revive)) ? revive : null;
}

/** A room that this server has forgotten, as a device proves that it was: without a host, which may come back, as may the others. */
function revived(turn: Turn, connection: Connection, message: Join): OpenRoom | undefined {
  const { core, nowMs } = turn;
  const { room: code, pass, revive } = message;
  if (revive === undefined || pass === undefined) return undefined;
  const passHash = passHashOf(pass);
  if (provenHost(core, message, passHash) === null) return undefined;
  if (isElsewhere(core, code) || noRoomFor(core, connection) !== null) return undefined;
  const { settings, host, phase, term } = revive;
  const nobody: DeviceSelf = { id: host, key: '', name: 'host', kind: 'tab' };
  const door = settings.task.id === 'own' ? 'ask' : 'link';
  const told = { settings, term, passHash, door, cap: MAX_DEVICES_IN_ROOM } as const;
  const room = openRoom(turn, connection, code, nobody, told);
  room.state = { ...room.state, devices: [], phase };
  succeed(turn, room, { type: 'lost', fromMs: nowMs + REVIVED_WAIT_MS });
  expectDeparture(turn, room, host);
  return room;
}

/** A code of this home's share that no room has; the next one in the order of the alphabet where chance hit one that is taken. */
function freeCode({ rooms, share }: Core, random: Uint8Array): string {
  // Such a home has one room at most: `noRoomFor` was asked.
  if ('only' in share) return share.only;
  const { index, count } = share;
  const bytes = Uint8Array.from(random.subarray(0, ROOM_ID_LENGTH));
  const letters = ROOM_ID_ALPHABET.length;
  const first = bytes[0] % letters;
  const own = first - (first % count) + index;
  bytes[0] = own < letters ? own : own - count;
  for (;;) {
    const code = idFromBytes(bytes, ROOM_ID_ALPHABET);
    if (!rooms.has(code)) return code;
    for (let i = ROOM_ID_LENGTH - 1; i >= 0; i--) {
      bytes[i] = (bytes[i] + 1) % 256;
      if (bytes[i] !== 0) break;
    }
  }
}
