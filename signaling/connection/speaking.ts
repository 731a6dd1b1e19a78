import type { ClientMessage } from '../protocol/messages.ts';
import { type Connection, leaveOut, type OpenRoom, say, type Turn } from './core.ts';
import { expectDeparture, leave } from './leaving.ts';
import { change, relay } from './telling.ts';

/** Messages that only the host may send. */
const OF_THE_HOST: ReadonlySet<ClientMessage['type']> = new Set([
  'linked',
  'phase',
  'policy',
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
      return;
    case 'pong':
      return;
    case 'create':
    case 'join':
      leaveOut(turn, connection, 'This connection has joined a session already.');
      return;
    case 'leave':
      connection.place = null;
      leave(turn, room, device);
      return;
    case 'address':
      change(turn, room, { type: 'address', device, peerId: message.peerId });
      return;
    case 'status':
      change(turn, room, { type: 'status', device, status: message.status });
      return;
    case 'hidden':
      change(turn, room, { type: 'hidden', device, hidden: message.hidden });
      return;
    case 'profile':
      change(turn, room, { type: 'profile', device, profile: message.profile });
      return;
    case 'linked':
      change(turn, room, message);
      if (!message.linked && !room.seats.has(message.device)) expectDeparture(turn, room, message.device);
      return;
    case 'phase':
    case 'policy':
      change(turn, room, message);
      return;
    case 'round':
    case 'score':
    case 'history':
      change(turn, room, message);
      relay(turn, room, message, device);
      return;
    case 'activity':
      relay(turn, room, message, device);
      return;
    default:
      message satisfies never;
  }
}
