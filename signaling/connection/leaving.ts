import { HEIR_WAIT_MS, HOST_GRACE_MS, OFFLINE_GRACE_MS } from './bounds/limits.ts';
import { close } from './connections.ts';
import { type OpenRoom, remindAt, say, type Turn } from './core.ts';
import { REMOVED } from './door/admission.ts';
import { keepOut } from './door/entrance.ts';
import { introductionOf } from './door/secrets.ts';
import { succeed } from './succeeding.ts';
import { change } from './telling.ts';
import { turnAway } from './waiting.ts';

/** The connection of a seated device is gone without a goodbye. */
export function offline(turn: Turn, room: OpenRoom, device: string): void {
  room.seats.delete(device);
  change(turn, room, { type: 'online', device, online: false });
  expectDeparture(turn, room, device);
  if (device === room.state.host) succeed(turn, room, { type: 'lost', fromMs: turn.nowMs + HEIR_WAIT_MS });
  else succeed(turn, room, { type: 'gone', device });
}

/** A device that lost the server, or its link too, may come back for a while. */
export function expectDeparture(turn: Turn, room: OpenRoom, device: string): void {
  if (room.departures.has(device)) return;
  const atMs = turn.nowMs + (device === room.state.host ? HOST_GRACE_MS : OFFLINE_GRACE_MS);
  room.departures.set(device, atMs);
  remindAt(turn, atMs, { type: 'departure', room: room.state.id, device });
}

/** To be called when a device's `departure` deadline is due. */
export function depart(turn: Turn, room: OpenRoom, device: string): void {
  const atMs = room.departures.get(device);
  // It came back meanwhile, or came back and went again.
  if (atMs === undefined || atMs > turn.nowMs) return;
  room.departures.delete(device);
  if (room.seats.has(device)) return;
  if (device === room.state.host) end(turn, room, 'The host did not come back.');
  // A device that lost only the server goes on training over its link; the host says when that is gone too.
  else if (!room.state.devices.some((d) => d.id === device && d.linked)) remove(turn, room, device);
}

/** A device says goodbye; the host's goodbye ends the session for all. */
export function leave(turn: Turn, room: OpenRoom, device: string): void {
  room.seats.delete(device);
  if (device === room.state.host) end(turn, room, 'The host ended the session.');
  else remove(turn, room, device);
}

/** The host takes a device out, or one that waits: it stays out. */
export function takeOut(turn: Turn, room: OpenRoom, device: string): void {
  const { entrance, state, seats } = room;
  if (entrance.waiting.has(device)) {
    turnAway(turn, room, device, true);
    return;
  }
  const seat = seats.get(device);
  const key = state.devices.find(({ id }) => id === device)?.key ?? null;
  const address = room.addresses.get(device) ?? null;
  // One that is gone could come back; the host knows it by its id.
  keepOut(entrance, [{ id: device, key, address }]);
  if (seat !== undefined) {
    say(turn, [seat.connection], { type: 'closed', sentence: REMOVED });
    close(turn, seat.connection);
  }
  seats.delete(device);
  remove(turn, room, device);
}

/** The device is no more of this room: nobody is introduced to it any more. */
function remove(turn: Turn, room: OpenRoom, device: string): void {
  const known = room.state.devices.find(({ id }) => id === device);
  if (known !== undefined)
    turn.core.introductions.delete(introductionOf(turn.core.secrets.server, room.state.id, known).id);
  const line = room.lines.get(device);
  if (line !== undefined) close(turn, line.connection);
  room.lines.delete(device);
  room.departures.delete(device);
  room.addresses.delete(device);
  change(turn, room, { type: 'left', device });
  succeed(turn, room, { type: 'gone', device });
}

export function end(turn: Turn, room: OpenRoom, sentence: string): void {
  const { core, effects } = turn;
  const { id, devices } = room.state;
  const seats = [...room.seats.values()].map(({ connection }) => connection);
  const waiting = [...room.entrance.waiting.values()].map(({ connection }) => connection);
  say(turn, [...seats, ...waiting], { type: 'closed', sentence });
  core.rooms.delete(id);
  const owner = core.addresses.get(room.address);
  if (owner !== undefined) owner.rooms -= 1;
  for (const device of devices) core.introductions.delete(introductionOf(core.secrets.server, id, device).id);
  for (const connection of [...seats, ...waiting]) close(turn, connection);
  for (const { connection } of room.lines.values()) close(turn, connection);
  effects.push({ type: 'log', line: `A session ended: ${sentence} ${core.rooms.size} are open.` });
}
