import type { DeviceSelf } from '../room/room.ts';
import { type SuccessionEvent, stepSuccession } from '../room/succession.ts';
import { REVIVED_WAIT_MS } from './bounds/limits.ts';
import { close } from './connections.ts';
import { type OpenRoom, remindAt, say, type Turn } from './core.ts';
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

/** A device proved that there was a host in this term, which this server has forgotten: one of an earlier term is host no longer. */
export function learnTerm(turn: Turn, room: OpenRoom, term: number): void {
  if (term <= room.succession.term) return;
  succeed(turn, room, { type: 'learned', term });
  depose(turn, room);
  succeed(turn, room, { type: 'lost', fromMs: turn.nowMs + REVIVED_WAIT_MS });
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

/** The device is host from now on, in this term; whoever was it before is a device, and is told so where it still sits there. */
export function enthrone(turn: Turn, room: OpenRoom, device: DeviceSelf, term: number): void {
  if (room.state.host !== device.id) depose(turn, room);
  change(turn, room, { type: 'joined', device, watch: false });
  change(turn, room, { type: 'host', device: device.id });
  succeed(turn, room, { type: 'seated', term });
  turn.effects.push({ type: 'log', line: 'A session has another host.' });
}
