import { historyMessages } from '../protocol/history.ts';
import { idFromBytes, ROOM_ID_ALPHABET, ROOM_ID_LENGTH } from '../protocol/ids.ts';
import type { ClientMessage } from '../protocol/messages.ts';
import { createRoom, type DeviceSelf } from '../room/room.ts';
import { admit } from './admission.ts';
import { type Connection, type OpenRoom, refuse, say, type Turn } from './core.ts';
import { change } from './telling.ts';

/** What a connection says before it has a place in a session. */
export function enter(turn: Turn, connection: Connection, message: ClientMessage, random: Uint8Array): void {
  switch (message.type) {
    case 'ping':
      say(turn, [connection.id], { type: 'pong' });
      return;
    case 'pong':
      return;
    case 'create':
      create(turn, connection, message, random);
      return;
    case 'join':
      join(turn, connection, message);
      return;
    default:
      refuse(turn, connection, 'Join a session first.');
  }
}

function create(
  turn: Turn,
  connection: Connection,
  { device, settings, room: code }: Extract<ClientMessage, { type: 'create' }>,
  random: Uint8Array,
): void {
  const { core, effects } = turn;
  const known = code === undefined ? undefined : core.rooms.get(code);
  if (known !== undefined) {
    const mine = known.state.host === device.id && admit(known.state, { device, watch: false }).kind === 'in';
    if (mine) seat(turn, known, connection, device, false);
    else refuse(turn, connection, 'This session belongs to another host.');
  } else if (core.rooms.size >= core.limits.rooms) {
    refuse(turn, connection, 'This server holds as many sessions as it can. Try again later.');
  } else {
    const state = createRoom(code ?? freeCode(core.rooms, random), device, settings);
    const room: OpenRoom = { state, seats: new Map(), departures: new Map(), tellMs: null, planning: false };
    core.rooms.set(state.id, room);
    effects.push({ type: 'log', line: `A session was started; ${core.rooms.size} are open.` });
    seat(turn, room, connection, device, false);
  }
}

function join(
  turn: Turn,
  connection: Connection,
  { room: code, device, watch }: Extract<ClientMessage, { type: 'join' }>,
): void {
  const room = turn.core.rooms.get(code);
  if (room === undefined) {
    const sentence = `There is no session with the code ${code}. Check the code, or ask the host for a new link.`;
    refuse(turn, connection, sentence);
    return;
  }
  const admission = admit(room.state, { device, watch });
  if (admission.kind === 'out') refuse(turn, connection, admission.sentence);
  else seat(turn, room, connection, device, watch);
}

/** The device sits in the room, on this connection and no other. */
export function seat(turn: Turn, room: OpenRoom, connection: Connection, device: DeviceSelf, watch: boolean): void {
  const { core, effects } = turn;
  const old = room.seats.get(device.id);
  if (old !== undefined && old.connection !== connection.id) {
    core.connections.delete(old.connection);
    effects.push({ type: 'close', connection: old.connection });
  }
  room.seats.set(device.id, { connection: connection.id });
  room.departures.delete(device.id);
  connection.place = { room: room.state.id, device: device.id };
  const { rounds, scores } = room.state;
  for (const message of historyMessages(rounds, scores)) say(turn, [connection.id], message);
  change(turn, room, { type: 'joined', device, watch });
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
