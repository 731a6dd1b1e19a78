import type { DeviceSelf } from '../room/room.ts';
import { type SuccessionEvent, stepSuccession } from '../room/succession.ts';
import {
  HIDDEN_HOST_SILENT_MS,
  HOST_ASK_MS,
  HOST_QUIET_MS,
  HOST_SILENT_MS,
  REVIVED_WAIT_MS,
  SILENT_HEIR_WAIT_MS,
} from './bounds/limits.ts';
import { close } from './connections.ts';
import { type Connection, type OpenRoom, remindAt, say, type Turn } from './core.ts';
import { change } from './telling.ts';

export const DEPOSED = 'Another device leads this session by now.';

/** The one way in which the question who is host goes on. */
export function succeed(turn: Turn, room: OpenRoom, event: SuccessionEvent): void {
  const { state, effects } = stepSuccession(room.succession, event, turn.nowMs);
  room.succession = state;
  for (const effect of effects) {
    if (effect.type === 'wakeAt') remindAt(turn, effect.atMs, { type: 'succession', room: room.state.id });
    else if (effect.type === 'ask') {
      const others = [...room.seats].flatMap(([id, { connection }]) => (id === room.state.host ? [] : [connection]));
      say(turn, others, { type: 'hostless' });
    } else {
      const seat = room.seats.get(effect.device);
      if (seat !== undefined) say(turn, [seat.connection], { type: 'offer', term: effect.term });
    }
  }
}

/**
 * A device proved who was host in a term that this server has forgotten: another one, of an earlier term, is host no longer. Says whether
 * there is another host, who has to come now.
 */
export function learnTerm(turn: Turn, room: OpenRoom, { term, host }: { term: number; host: string }): boolean {
  const { term: highest, seated } = room.succession;
  if (term <= seated) return false;
  succeed(turn, room, { type: 'learned', term });
  // The same one, which had its tab loaded again since: it calls its own term by a later number.
  if (host === room.state.host && term <= highest) return false;
  depose(turn, room);
  change(turn, room, { type: 'host', device: host });
  succeed(turn, room, { type: 'lost', fromMs: turn.nowMs + REVIVED_WAIT_MS });
  return true;
}

/** Whoever is host is told that it is a device, where it sits there. */
function depose(turn: Turn, room: OpenRoom): void {
  const { host } = room.state;
  const seat = room.seats.get(host);
  if (seat === undefined) return;
  say(turn, [seat.connection], { type: 'error', sentence: DEPOSED, refused: true, why: 'deposed' });
  close(turn, seat.connection);
  room.seats.delete(host);
  change(turn, room, { type: 'online', device: host, online: false });
}

/** The device is host from now on, in these terms; whoever was it before is a device, and is told so where it still sits there. */
export function enthrone(
  turn: Turn,
  room: OpenRoom,
  device: DeviceSelf,
  terms: { readonly term: number; readonly own: number },
): void {
  if (room.state.host !== device.id) depose(turn, room);
  change(turn, room, { type: 'joined', device, watch: false });
  change(turn, room, { type: 'host', device: device.id });
  succeed(turn, room, { type: 'seated', ...terms });
  turn.effects.push({ type: 'log', line: 'A session has another host.' });
}

/** To be called when a host is seated, with the connection that it has now. */
export function remindOfHost(turn: Turn, { id, heardMs }: Connection): void {
  remindAt(turn, heardMs + HOST_QUIET_MS, { type: 'host', connection: id });
}

/**
 * To be called when a `host` deadline is due. A host that hangs keeps its connection open; it is lost all the same, and its connection stays
 * as it is: one word of it, and it is host as before.
 *
 * A tab in the background is not lost because it has few timers, of its own accord silent for up to a minute: it is asked, and answers a
 * question when that arrives, which takes no timer. That it is hidden (the fold knows) buys it time nevertheless, since such pages come last.
 * And whoever is taken for silent here, hidden or not, loses nothing while most devices say that their links to it work. They are asked
 * themselves: what the fold knows of their links is what the host said, who says nothing now.
 */
export function lookAfterHost(turn: Turn, connection: Connection): void {
  const { core, nowMs } = turn;
  const { id, place, heardMs } = connection;
  const room = place && core.rooms.get(place.room);
  // Host no longer, or on another connection.
  if (!room || !sitsAsHost(room, connection)) return;
  const silentMs = nowMs - heardMs;
  if (silentMs < HOST_QUIET_MS) {
    remindOfHost(turn, connection);
    return;
  }
  const isHidden = room.state.devices.some((device) => device.id === place.device && device.hidden);
  if (silentMs < (isHidden ? HIDDEN_HOST_SILENT_MS : HOST_SILENT_MS)) say(turn, [id], { type: 'ping' });
  // What has been learned is whole then, and a host that writes it to files may have no time to answer: it gets the time of all others.
  else if (room.succession.lost === null && room.state.phase !== 'finished')
    succeed(turn, room, { type: 'lost', fromMs: nowMs + SILENT_HEIR_WAIT_MS });
  remindAt(turn, nowMs + HOST_ASK_MS, { type: 'host', connection: id });
}

/** To be called with whatever somebody says on a seat: a host that was silent is there again. */
export function hearHost(turn: Turn, room: OpenRoom, connection: Connection): void {
  const { lost, seated } = room.succession;
  if (lost !== null && sitsAsHost(room, connection)) succeed(turn, room, { type: 'seated', term: seated });
}

const sitsAsHost = ({ state, seats }: OpenRoom, { id }: Connection): boolean =>
  seats.get(state.host)?.connection === id;
