import type { ClientMessage } from '../protocol/messages.ts';
import { freeName } from '../room/free-name.ts';
import type { DeviceSelf } from '../room/room.ts';
import { countWrongGuess } from './addresses.ts';
import { WAITING_MS } from './bounds/limits.ts';
import { close } from './connections.ts';
import { type Connection, leaveOut, type OpenRoom, refuse, remindAt, say, type Turn } from './core.ts';
import { admit, fullSentence, LOCKED, REMOVED, type Request } from './door/admission.ts';
import { isFull, keepOut, placeAtDoor, type Waiter } from './door/entrance.ts';
import { seat } from './seating.ts';
import { entranceChanged } from './telling.ts';

/** Those who wait at a room's door: they are not of the room, hear nothing of it, and nobody but the host sees them. */

const NOT_NOW = 'The host did not let this device in.';
const MAKES_ROOM =
  'Others who have the link came, and only so many can wait for the host at once. Try again in a while.';

/** Somebody waits from now on, on this connection; again on another one, they keep their turn. */
export function wait(
  turn: Turn,
  room: OpenRoom,
  connection: Connection,
  request: Request & { readonly watch: boolean; readonly withPass: boolean; readonly likeRemoved: boolean },
): void {
  const { entrance, state } = room;
  const { device, address, watch, withPass, likeRemoved } = request;
  const before = entrance.waiting.get(device.id);
  if (before !== undefined && before.device.key !== device.key) {
    countWrongGuess(turn, connection, room);
    refuse(turn, connection, 'Another tab already waits with this device id. Reload the page to get a new one.');
    return;
  }
  const place = placeAtDoor(entrance, device.id, address, withPass);
  if (!place.ok) {
    refuse(turn, connection, place.sentence);
    return;
  }
  const instead = place.instead === null ? undefined : entrance.waiting.get(place.instead);
  if (instead !== undefined) sendAway(turn, room, instead, MAKES_ROOM);
  if (before !== undefined && before.connection !== connection.id) close(turn, before.connection);
  const others = [...state.devices, ...[...entrance.waiting.values()].map((waiter) => waiter.device)];
  const name = freeName(
    device.name,
    others.filter(({ id }) => id !== device.id).map((other) => other.name),
  );
  const untilMs = before?.untilMs ?? turn.nowMs + WAITING_MS;
  const waiter: Waiter = {
    connection: connection.id,
    address,
    device: { ...device, name },
    watch,
    withPass,
    likeRemoved,
    untilMs,
  };
  entrance.waiting.set(device.id, waiter);
  connection.waitsFor = { room: state.id, device: device.id };
  if (before === undefined) remindAt(turn, untilMs, { type: 'waiting', room: state.id, device: device.id });
  const isAway = !room.seats.has(state.host);
  const sentence = isAway
    ? 'The host is away just now; it sees that you wait when it comes back.'
    : 'The host has to let you in. It sees that you wait.';
  say(turn, [connection.id], { type: 'waiting', sentence });
  entranceChanged(turn, room);
}

/** What somebody says who waits. What a device says of itself has its time when it is in. */
export function hearWaiting(turn: Turn, room: OpenRoom, connection: Connection, message: ClientMessage): void {
  if (message.type === 'ping') say(turn, [connection.id], { type: 'pong' });
  else if (message.type === 'leave') {
    forget(turn, room, connection.waitsFor?.device ?? '');
    connection.waitsFor = null;
    close(turn, connection.id);
  } else if (message.type === 'join' || message.type === 'create' || message.type === 'look')
    leaveOut(turn, connection, 'This connection waits for a session’s host already.');
}

/** The device comes in through the door now, wherever it waited before. */
export function leaveDoor(turn: Turn, room: OpenRoom, { id, key }: DeviceSelf): void {
  const waiter = room.entrance.waiting.get(id);
  if (waiter === undefined || waiter.device.key !== key) return;
  forget(turn, room, id);
  close(turn, waiter.connection);
}

/** The device does not wait any more. */
export function forget(turn: Turn, room: OpenRoom, device: string): void {
  if (room.entrance.waiting.delete(device)) entranceChanged(turn, room);
}

/** To be called when a device's `waiting` deadline is due. */
export function waitedLongEnough(turn: Turn, room: OpenRoom, device: string): void {
  const waiter = room.entrance.waiting.get(device);
  // It left meanwhile, and may have come again.
  if (waiter === undefined || waiter.untilMs > turn.nowMs) return;
  sendAway(turn, room, waiter, 'Nobody let this device in for ten minutes. Ask the host, then try again.');
}

function sendAway(turn: Turn, room: OpenRoom, waiter: Waiter, sentence: string, why?: 'removed'): void {
  forget(turn, room, waiter.device.id);
  const connection = turn.core.connections.get(waiter.connection);
  if (connection === undefined) return;
  refuse(turn, connection, sentence, why);
  connection.waitsFor = null;
  close(turn, connection.id);
}

/** The host has set the door: who would come in now does, and behind a locked one nobody waits. */
export function doorChanged(turn: Turn, room: OpenRoom): void {
  const { entrance } = room;
  for (const waiter of [...entrance.waiting.values()]) {
    const { device, address, withPass } = waiter;
    const admission = admit(room.state, entrance, { device, address, pass: withPass || null, hadSeat: false });
    const connection = turn.core.connections.get(waiter.connection);
    if (admission.kind === 'in' && connection !== undefined) takeIn(turn, room, connection, waiter);
    else if (entrance.door === 'locked') sendAway(turn, room, waiter, LOCKED);
  }
  entranceChanged(turn, room);
}

function takeIn(turn: Turn, room: OpenRoom, connection: Connection, { device, watch }: Waiter): void {
  forget(turn, room, device.id);
  connection.waitsFor = null;
  seat(turn, room, connection, device, watch);
}

/** The host lets somebody in who waits. */
export function letIn(turn: Turn, room: OpenRoom, host: Connection, device: string): void {
  const { entrance, state } = room;
  const waiter = entrance.waiting.get(device);
  const connection = waiter && turn.core.connections.get(waiter.connection);
  if (waiter === undefined || connection === undefined) leaveOut(turn, host, 'This device does not wait any more.');
  else if (isFull(entrance, state)) leaveOut(turn, host, fullSentence(entrance));
  else if (state.devices.some(({ id }) => id === device)) {
    // Somebody else sits there by now: ids are a device's own to choose.
    sendAway(turn, room, waiter, NOT_NOW);
    leaveOut(turn, host, 'Another device of this id has come in meanwhile.');
  } else {
    takeIn(turn, room, connection, waiter);
  }
}

/** The host does not let somebody in: for now, or for good. */
export function turnAway(turn: Turn, room: OpenRoom, device: string, forGood: boolean): void {
  const waiter = room.entrance.waiting.get(device);
  if (waiter === undefined) return;
  const { address } = waiter;
  const { id, key } = waiter.device;
  if (forGood) keepOut(room.entrance, [{ id, key, address }]);
  const connection = turn.core.connections.get(waiter.connection);
  // Who is sent away and asks again and again gets slower.
  if (connection !== undefined) countWrongGuess(turn, connection, null);
  sendAway(turn, room, waiter, forGood ? REMOVED : NOT_NOW, forGood ? 'removed' : undefined);
}
