import { entryVersion, parseClientMessage } from '../protocol/messages.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import { fullAllowance, spend } from './allowance.ts';
import {
  type Connection,
  type ConnectionId,
  type Core,
  type Effect,
  type Input,
  leaveOut,
  refuse,
  remindAt,
  say,
  type Turn,
} from './core.ts';
import { earliestMs, noDeadlines, takeDue } from './deadlines.ts';
import { enter } from './entering.ts';
import { depart, offline } from './leaving.ts';
import { ENTER_MS, type Limits, MAX_UNANSWERED, PING_MS } from './limits.ts';
import { speak } from './speaking.ts';
import { change, tell } from './telling.ts';

export function newCore(limits: Limits): Core {
  return { limits, connections: new Map(), rooms: new Map(), deadlines: noDeadlines(), wakeMs: null };
}

/** The state after an input, and what is to be done: the same inputs at the same times give the same effects. Never throws on any input. */
export function step(core: Core, input: Input, nowMs: number): readonly Effect[] {
  const turn: Turn = { core, nowMs, effects: [] };
  take(turn, input);
  for (let due = takeDue(core.deadlines, nowMs); due !== null; due = takeDue(core.deadlines, nowMs)) {
    if (due.type === 'connection') lookAfter(turn, due.connection);
    else {
      const room = core.rooms.get(due.room);
      if (room === undefined) continue;
      if (due.type === 'tell') tell(turn, room);
      else depart(turn, room, due.device);
    }
  }
  const wakeMs = earliestMs(core.deadlines);
  if (wakeMs !== null && wakeMs !== core.wakeMs) turn.effects.push({ type: 'wakeAt', atMs: wakeMs });
  core.wakeMs = wakeMs;
  return turn.effects;
}

function take(turn: Turn, input: Input): void {
  const { core, nowMs } = turn;
  switch (input.type) {
    case 'opened': {
      const { connection: id, address } = input;
      const allowance = fullAllowance(core.limits.messagesOfSocket, nowMs);
      core.connections.set(id, { id, address, allowance, heardMs: nowMs, unanswered: 0, place: null });
      say(turn, [id], { type: 'hello', version: PROTOCOL_VERSION });
      remindAt(turn, nowMs + ENTER_MS, { type: 'connection', connection: id });
      return;
    }
    case 'text': {
      const connection = core.connections.get(input.connection);
      if (connection !== undefined) hear(turn, connection, input);
      return;
    }
    case 'closed': {
      const connection = core.connections.get(input.connection);
      if (connection !== undefined) forget(turn, connection);
      return;
    }
    case 'planned': {
      const room = core.rooms.get(input.room);
      if (room === undefined) return;
      room.planning = false;
      change(turn, room, { type: 'planned', request: input.request, answer: input.answer });
      return;
    }
    case 'time':
      // Woken too early, by a clock that is not quite this one, the core asks again.
      core.wakeMs = null;
      return;
    default:
      input satisfies never;
  }
}

function hear(turn: Turn, connection: Connection, { text, random }: Extract<Input, { type: 'text' }>): void {
  const { core, nowMs } = turn;
  const allowance = spend(connection.allowance, core.limits.messagesOfSocket, nowMs);
  if (allowance === null) {
    hangUp(turn, connection, 'This connection sent too many messages.');
    return;
  }
  connection.allowance = allowance;
  connection.heardMs = nowMs;
  connection.unanswered = 0;
  const parsed = parseClientMessage(text);
  const { place } = connection;
  const room = place === null ? undefined : core.rooms.get(place.room);
  if (place !== null && room !== undefined) {
    if (parsed.ok) speak(turn, room, connection, place.device, parsed.value);
    else leaveOut(turn, connection, parsed.sentence);
  } else if (parsed.ok) enter(turn, connection, parsed.value, random);
  else refuse(turn, connection, otherRelease(text) ?? parsed.sentence);
}

/** What to tell a page of another release, whose messages need not be valid here; null for one of this release. */
function otherRelease(text: string): string | null {
  const theirs = entryVersion(text);
  if (theirs === undefined || theirs === PROTOCOL_VERSION) return null;
  return theirs === null || theirs < PROTOCOL_VERSION
    ? 'This page is older than the server. Reload it to take part.'
    : 'This page is newer than the server. Reload it; if that does not help, the server has to be updated.';
}

/** Says why and closes. Whatever it says from now on is not heard. */
function hangUp(turn: Turn, connection: Connection, sentence: string): void {
  refuse(turn, connection, sentence);
  turn.effects.push({ type: 'close', connection: connection.id });
  forget(turn, connection);
}

function forget(turn: Turn, { id, place }: Connection): void {
  const { core } = turn;
  core.connections.delete(id);
  const room = place === null ? undefined : core.rooms.get(place.room);
  if (place !== null && room?.seats.get(place.device)?.connection === id) offline(turn, room, place.device);
}

/** To be called when a connection's deadline is due. */
function lookAfter(turn: Turn, id: ConnectionId): void {
  const { core, nowMs } = turn;
  const connection = core.connections.get(id);
  if (connection === undefined) return;
  const silent = nowMs - connection.heardMs >= PING_MS;
  if (connection.place === null) hangUp(turn, connection, 'This connection did not enter a session in time.');
  else if (silent && connection.unanswered >= MAX_UNANSWERED) hangUp(turn, connection, 'This connection went silent.');
  else {
    if (silent) {
      connection.unanswered += 1;
      say(turn, [id], { type: 'ping' });
    }
    remindAt(turn, (silent ? nowMs : connection.heardMs) + PING_MS, { type: 'connection', connection: id });
  }
}
