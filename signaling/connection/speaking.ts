import { MAX_DEVICE_VIEW_BYTES } from '../protocol/limits.ts';
import type { ClientMessage } from '../protocol/messages.ts';
import { utf8Bytes } from '../protocol/text/plain-text.ts';
import { apply, type RoomEvent, roomView } from '../room/room.ts';
import { spend } from './bounds/allowance.ts';
import { RESYNCS } from './bounds/limits.ts';
import { noteActivity } from './chronicle.ts';
import { type Connection, leaveOut, type OpenRoom, say, type Turn } from './core.ts';
import { expectDeparture, leave, takeOut } from './leaving.ts';
import { succeed } from './succeeding.ts';
import { change, hasNews, tellSeats, tellSoon } from './telling.ts';
import { doorChanged, letIn, turnAway } from './waiting.ts';

/** Messages that only the host may send. */
const OF_THE_HOST: ReadonlySet<ClientMessage['type']> = new Set([
  'linked',
  'door',
  'admit',
  'refuse',
  'remove',
  'probation',
  'relayed',
  'phase',
  'policy',
  'extent',
  'round',
  'score',
  'history',
  'activity',
]);

/** What a device says that sits in a room. */
export function speak(
  turn: Turn,
  room: OpenRoom,
  connection: Connection,
  device: string,
  message: ClientMessage,
): void {
  if (OF_THE_HOST.has(message.type) && device !== room.state.host) {
    leaveOut(turn, connection, 'Only the host may do this.');
    return;
  }
  switch (message.type) {
    case 'ping':
      say(turn, [connection.id], { type: 'pong' });
      break;
    case 'pong':
      break;
    case 'seen':
      seen(turn, room, device, message.edition);
      break;
    case 'resync':
      resync(turn, room, connection, device);
      break;
    case 'create':
    case 'join':
    case 'look':
      leaveOut(turn, connection, 'This connection has joined a session already.');
      break;
    case 'leave':
      connection.place = null;
      leave(turn, room, device);
      break;
    case 'status':
      changeOwn(turn, room, connection, { type: 'status', device, status: message.status });
      break;
    case 'hidden':
      change(turn, room, { type: 'hidden', device, hidden: message.hidden });
      break;
    case 'profile':
      changeOwn(turn, room, connection, { ...message, device });
      break;
    case 'holds':
      change(turn, room, { type: 'holds', device, run: message.run });
      break;
    case 'holding': {
      const { type: _, ...holding } = message;
      succeed(turn, room, { type: 'holding', device, holding });
      break;
    }
    case 'decline':
      succeed(turn, room, { type: 'declined', device, term: message.term });
      break;
    case 'linked':
      change(turn, room, message);
      if (!message.linked && !room.seats.has(message.device)) expectDeparture(turn, room, message.device);
      break;
    case 'door':
      Object.assign(room.entrance, { door: message.door, cap: message.cap });
      doorChanged(turn, room);
      break;
    case 'admit':
      letIn(turn, room, connection, message.device);
      break;
    case 'refuse':
      turnAway(turn, room, message.device, false);
      break;
    case 'remove':
      if (message.device === device)
        leaveOut(turn, connection, 'The host cannot remove itself; it can end the session.');
      else takeOut(turn, room, message.device);
      break;
    case 'probation':
    case 'relayed':
    case 'phase':
    case 'policy':
    case 'extent':
    case 'round':
    case 'score':
    case 'history':
      change(turn, room, message);
      break;
    case 'activity':
      noteActivity(room.chronicle, message.activity);
      tellSoon(turn, room);
      break;
    default:
      message satisfies never;
  }
}

/** What a device says of itself has to fit into the view of a full room. */
function changeOwn(
  turn: Turn,
  room: OpenRoom,
  connection: Connection,
  event: Extract<RoomEvent, { type: 'status' | 'profile' }>,
): void {
  const { devices } = roomView(apply(room.state, event));
  const view = devices.find(({ id }) => id === event.device);
  if (view !== undefined && utf8Bytes(JSON.stringify(view)) > MAX_DEVICE_VIEW_BYTES)
    leaveOut(turn, connection, `This ${event.type} is too long to be shown to everybody; it was left out.`);
  else change(turn, room, event);
}

function seen(turn: Turn, room: OpenRoom, device: string, edition: number): void {
  const seat = room.seats.get(device);
  if (seat === undefined) return;
  seat.unseen = seat.unseen.filter((told) => told.edition > edition);
  // What it missed while it was behind.
  if (hasNews(room, seat)) tellSoon(turn, room);
}

function resync(turn: Turn, room: OpenRoom, connection: Connection, device: string): void {
  const seat = room.seats.get(device);
  const resyncs = seat && spend(seat.resyncs, RESYNCS, turn.nowMs);
  if (seat === undefined || !resyncs) {
    leaveOut(turn, connection, 'The whole session was told again just now; wait a moment.');
    return;
  }
  seat.resyncs = resyncs;
  seat.unseen = [];
  seat.edition = null;
  tellSeats(turn, room, [seat]);
}
