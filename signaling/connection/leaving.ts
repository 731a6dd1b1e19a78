import { type OpenRoom, remindAt, say, type Turn } from './core.ts';
import { HOST_GRACE_MS, OFFLINE_GRACE_MS } from './limits.ts';
import { change } from './telling.ts';

/** The connection of a seated device is gone without a goodbye. */
export function offline(turn: Turn, room: OpenRoom, device: string): void {
  room.seats.delete(device);
  change(turn, room, { type: 'online', device, online: false });
  expectDeparture(turn, room, device);
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
  else if (!room.state.devices.some((d) => d.id === device && d.linked)) change(turn, room, { type: 'left', device });
}

/** A device says goodbye; the host's goodbye ends the session for all. */
export function leave(turn: Turn, room: OpenRoom, device: string): void {
  room.seats.delete(device);
  if (device === room.state.host) end(turn, room, 'The host ended the session.');
  else change(turn, room, { type: 'left', device });
}

export function end(turn: Turn, room: OpenRoom, sentence: string): void {
  const { core, effects } = turn;
  const connections = [...room.seats.values()].map(({ connection }) => connection);
  core.rooms.delete(room.state.id);
  say(turn, connections, { type: 'closed', sentence });
  for (const connection of connections) {
    core.connections.delete(connection);
    effects.push({ type: 'close', connection });
  }
  effects.push({ type: 'log', line: `A session ended: ${sentence} ${core.rooms.size} are open.` });
}
