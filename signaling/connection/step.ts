import { entryVersion, type IceServer, parseClientMessage } from '../protocol/messages.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import { learnStanding, sweep, takeFrom } from './addresses.ts';
import { spend } from './bounds/allowance.ts';
import { earliest, earliestMs, noDeadlines, takeDue } from './bounds/deadlines.ts';
import {
  ENTER_MS,
  INTRODUCTION_SILENCE_MS,
  type Limits,
  MAX_UNANSWERED,
  PING_MS,
  STAYS_BEHIND_MS,
  TELLINGS_AT_ONCE,
} from './bounds/limits.ts';
import { drop, open } from './connections.ts';
import {
  ALL_CODES,
  type CodeShare,
  type Connection,
  type ConnectionId,
  type Core,
  type Deadline,
  type Effect,
  type Input,
  leaveOut,
  type OneCode,
  type OpenRoom,
  refuse,
  remindAt,
  type Secrets,
  say,
  type Turn,
} from './core.ts';
import { enter } from './entering.ts';
import { introduce, openLine } from './introductions.ts';
import { depart, offline } from './leaving.ts';
import { renewIce } from './seating.ts';
import { speak } from './speaking.ts';
import { hearHost, lookAfterHost, succeed } from './succeeding.ts';
import { askPlanner, change, restFromLooking, tell } from './telling.ts';
import { forget, hearWaiting, waitedLongEnough } from './waiting.ts';

export function newCore(
  limits: Limits,
  secrets: Secrets,
  iceServers: readonly IceServer[],
  share: CodeShare | OneCode = ALL_CODES,
): Core {
  return {
    limits,
    share,
    secrets,
    iceServers,
    connections: new Map(),
    addresses: new Map(),
    rooms: new Map(),
    introductions: new Map(),
    news: { left: limits.newsMessages.burst, atMs: 0 },
    deadlines: noDeadlines(),
    wakeMs: null,
  };
}

/** The state after an input, and what is to be done: the same inputs at the same times give the same effects. Never throws on any input. */
export function stepCore(core: Core, input: Input, nowMs: number): readonly Effect[] {
  const turn: Turn = { core, nowMs, effects: [] };
  take(turn, input);
  // Who asks something does not wait until many rooms have been told their news: those are told between what comes in.
  let tellings = input.type === 'time' ? TELLINGS_AT_ONCE : 0;
  while (earliest(core.deadlines)?.type !== 'tell' || tellings-- > 0) {
    const due = takeDue(core.deadlines, nowMs);
    if (due === null) break;
    meet(turn, due);
  }
  const wakeMs = earliestMs(core.deadlines);
  if (wakeMs !== null && wakeMs !== core.wakeMs) turn.effects.push({ type: 'wakeAt', atMs: wakeMs });
  core.wakeMs = wakeMs;
  return turn.effects;
}

function take(turn: Turn, input: Input): void {
  const { core } = turn;
  switch (input.type) {
    case 'opened': {
      const { connection, address, introduction } = input;
      if (introduction !== null) openLine(turn, connection, address, introduction);
      else {
        open(turn, connection, address, { kind: 'room', lookMs: ENTER_MS });
        say(turn, [connection], { type: 'hello', version: PROTOCOL_VERSION });
      }
      break;
    }
    case 'text': {
      const connection = core.connections.get(input.connection);
      if (connection !== undefined) hear(turn, connection, input);
      break;
    }
    case 'closed':
      lose(turn, input.connection);
      break;
    case 'planned': {
      const room = core.rooms.get(input.room);
      if (room === undefined) break;
      room.planning = false;
      restFromLooking(turn, room, input.answer);
      change(turn, room, { type: 'planned', request: input.request, answer: input.answer });
      break;
    }
    case 'time':
      // Woken too early, by a clock that is not quite this one, the core asks again.
      core.wakeMs = null;
      break;
    case 'standing':
      learnStanding(turn, input.address, input.standing);
      break;
    case 'restored':
      restore(turn, new Set(input.connections));
      break;
    default:
      input satisfies never;
  }
}

function restore(turn: Turn, connected: ReadonlySet<ConnectionId>): void {
  const { core } = turn;
  core.wakeMs = null;
  for (const id of [...core.connections.keys()]) if (!connected.has(id)) lose(turn, id);
  for (const room of core.rooms.values()) {
    room.planning = false;
    askPlanner(turn, room);
  }
}

function meet(turn: Turn, due: Deadline): void {
  const { core } = turn;
  switch (due.type) {
    case 'connection':
    case 'host':
    case 'ice': {
      const connection = core.connections.get(due.connection);
      if (connection === undefined) break;
      if (due.type === 'host') lookAfterHost(turn, connection);
      else if (due.type === 'ice') renewIce(turn, connection);
      else if (connection.kind === 'room') lookAfter(turn, connection);
      else lookAfterLine(turn, connection);
      break;
    }
    case 'tell':
    case 'succession':
    case 'waiting':
    case 'departure': {
      const room = core.rooms.get(due.room);
      if (room === undefined) break;
      if (due.type === 'tell') tell(turn, room);
      else if (due.type === 'succession') succeed(turn, room, { type: 'time' });
      else if (due.type === 'waiting') waitedLongEnough(turn, room, due.device);
      else depart(turn, room, due.device);
      break;
    }
    case 'sweep':
      sweep(turn);
      break;
    default:
      due satisfies never;
  }
}

function hear(turn: Turn, connection: Connection, { text, random }: Extract<Input, { type: 'text' }>): void {
  const { core, nowMs } = turn;
  const { place, kind, address } = connection;
  const rate = core.limits[kind === 'room' ? 'messagesOfConnection' : 'introductionsOfConnection'];
  const allowance = spend(connection.allowance, rate, nowMs);
  if (allowance === null || !takeFrom(turn, address, 'messages')) {
    hangUp(turn, connection, 'This connection, or this address, sent too many messages.');
    return;
  }
  connection.allowance = allowance;
  connection.heardMs = nowMs;
  connection.unanswered = 0;
  const room = place === null ? undefined : core.rooms.get(place.room);
  if (place !== null && room !== undefined) {
    if (kind === 'introductions') introduce(turn, room, connection, place, text);
    else {
      hearHost(turn, room, connection);
      hearSeated(turn, room, connection, place.device, text);
    }
    return;
  }
  const parsed = parseClientMessage(text);
  const door = connection.waitsFor && core.rooms.get(connection.waitsFor.room);
  if (parsed.ok && door) hearWaiting(turn, door, connection, parsed.value);
  else if (!parsed.ok && door) leaveOut(turn, connection, parsed.sentence);
  else if (parsed.ok) enter(turn, connection, parsed.value, random);
  else refuse(turn, connection, otherRelease(text) ?? parsed.sentence);
}

function hearSeated(turn: Turn, room: OpenRoom, connection: Connection, device: string, text: string): void {
  const parsed = parseClientMessage(text);
  if (!parsed.ok) {
    leaveOut(turn, connection, parsed.sentence);
    return;
  }
  // What only says that somebody is there and listens is no burden on the others of the room.
  const isQuiet = parsed.value.type === 'seen' || parsed.value.type === 'pong' || parsed.value.type === 'ping';
  const whose = device === room.state.host ? 'hostMessages' : 'messages';
  const left = isQuiet ? room[whose] : spend(room[whose], turn.core.limits.messagesOfRoom, turn.nowMs);
  if (left === null) {
    leaveOut(turn, connection, 'More is said in this session than the server takes; a message was left out.');
    return;
  }
  room[whose] = left;
  speak(turn, room, connection, device, parsed.value);
}

/** What to tell a page of another release, whose messages need not be valid here; null for one of this release. */
function otherRelease(text: string): string | null {
  const theirs = entryVersion(text);
  if (theirs === undefined || theirs === PROTOCOL_VERSION) return null;
  return theirs === null || theirs < PROTOCOL_VERSION
    ? 'This page is older than the server. Reload it to take part.'
    : 'This page is newer than the server. Reload it; if that does not help, the server has to be updated.';
}

/** Says why and closes. */
function hangUp(turn: Turn, connection: Connection, sentence: string): void {
  refuse(turn, connection, sentence);
  turn.effects.push({ type: 'close', connection: connection.id });
  lose(turn, connection.id);
}

/** A connection is gone, and whoever sat on it for the time being. */
function lose(turn: Turn, id: ConnectionId): void {
  const { core } = turn;
  const connection = drop(turn, id);
  const place = connection?.place;
  const waitsFor = connection?.waitsFor;
  const door = waitsFor && core.rooms.get(waitsFor.room);
  if (door?.entrance.waiting.get(waitsFor?.device ?? '')?.connection === id) forget(turn, door, waitsFor?.device ?? '');
  const room = place && core.rooms.get(place.room);
  if (!connection || !place || !room) return;
  if (connection.kind === 'introductions') {
    if (room.lines.get(place.device)?.connection === id) room.lines.delete(place.device);
  } else if (room.seats.get(place.device)?.connection === id) offline(turn, room, place.device);
}

/** To be called when the deadline of a connection to a room is due. */
function lookAfter(turn: Turn, connection: Connection): void {
  const { core, nowMs } = turn;
  const { id, place, heardMs } = connection;
  const oldest = place && core.rooms.get(place.room)?.seats.get(place.device)?.unseen[0];
  const silent = nowMs - heardMs >= PING_MS;
  if (place === null && connection.waitsFor === null)
    hangUp(turn, connection, 'This connection did not enter a session in time.');
  else if (silent && connection.unanswered >= MAX_UNANSWERED) hangUp(turn, connection, 'This connection went silent.');
  else if (oldest && nowMs - oldest.atMs >= STAYS_BEHIND_MS)
    hangUp(turn, connection, 'This connection cannot keep up.');
  else {
    if (silent) {
      connection.unanswered += 1;
      say(turn, [id], { type: 'ping' });
    }
    remindAt(turn, (silent ? nowMs : heardMs) + PING_MS, { type: 'connection', connection: id });
  }
}

/** To be called when the deadline of a connection for introductions is due. */
function lookAfterLine(turn: Turn, { id, heardMs }: Connection): void {
  if (turn.nowMs - heardMs >= INTRODUCTION_SILENCE_MS) {
    turn.effects.push({ type: 'close', connection: id });
    lose(turn, id);
  } else remindAt(turn, heardMs + INTRODUCTION_SILENCE_MS, { type: 'connection', connection: id });
}
