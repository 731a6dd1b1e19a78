import type { RoomPlanAnswer } from '../planner/room-plan.ts';
import { MAX_CONTROL_CHARACTERS, MAX_REPORTS_WITH_NEWS } from '../protocol/limits.ts';
import type { ServerMessage } from '../protocol/messages.ts';
import { historyMessages } from '../protocol/telling/history.ts';
import { utf8Bytes } from '../protocol/text/plain-text.ts';
import { apply, next, type RoomEvent } from '../room/room.ts';
import { refilled } from './bounds/allowance.ts';
import { LOOK_EVERY_MS, LOOK_SHARE, MAX_UNSEEN, MAX_UNSEEN_BYTES, TELL_HOST_MS, TELL_MS } from './bounds/limits.ts';
import { changeSince, note, noteEntrance, reportsSince, wholeRoom } from './chronicle.ts';
import { type ConnectionId, type Core, type OpenRoom, remindAt, type Seat, type Turn } from './core.ts';
import { entranceView } from './door/entrance.ts';

/** The one way in which a room changes: the event goes into the fold, the change to those who sit there, a question to the planner. */
export function change(turn: Turn, room: OpenRoom, event: RoomEvent): void {
  const before = room.state;
  room.state = apply(before, event);
  if (note(room.chronicle, event, before, room.state)) tellSoon(turn, room);
  askPlanner(turn, room);
}

/** One question at a time; the answer comes back as an input. */
export function askPlanner({ effects, nowMs }: Turn, room: OpenRoom): void {
  if (room.planning) return;
  const request = next(room.state, nowMs >= room.lookMs);
  if (request === null) return;
  room.lookMs = nowMs + LOOK_EVERY_MS;
  room.planning = true;
  effects.push({ type: 'plan', room: room.state.id, request });
}

/** All rooms' looks for drift together take no more than a part of the planner's time: on a full server each looks seldom. */
export function restFromLooking({ core, nowMs }: Turn, room: OpenRoom, answer: RoomPlanAnswer): void {
  if (!answer.feasible) return;
  room.lookMs = Math.max(room.lookMs, nowMs + (core.rooms.size * answer.plan.solveMs) / LOOK_SHARE);
}

/** There is news. The others are told in proportion to what it costs: a room's news never takes more than its share of bytes. */
export function tellSoon(turn: Turn, room: OpenRoom): void {
  tellHostSoon(turn, room);
  room.tellMs ??= remindToTell(turn, room, Math.max(turn.nowMs + TELL_MS, room.restUntilMs));
}

/** There is news for the host alone. */
function tellHostSoon(turn: Turn, room: OpenRoom): void {
  room.tellHostMs ??= remindToTell(turn, room, turn.nowMs + TELL_HOST_MS);
}

function remindToTell(turn: Turn, room: OpenRoom, atMs: number): number {
  remindAt(turn, atMs, { type: 'tell', room: room.state.id });
  return atMs;
}

/** The door is another one, or others wait there. */
export function entranceChanged(turn: Turn, room: OpenRoom): void {
  noteEntrance(room.chronicle);
  tellHostSoon(turn, room);
}

/** Whether there is something that a seat was not told. */
export function hasNews(room: OpenRoom, seat: Seat): boolean {
  const isHost = room.seats.get(room.state.host) === seat;
  return seat.edition === null || seat.edition < room.chronicle[isHost ? 'edition' : 'common'];
}

/** To be called when a room's `tell` deadline is due. */
export function tell(turn: Turn, room: OpenRoom): void {
  const { nowMs } = turn;
  const { state, seats } = room;
  const host = seats.get(state.host);
  if (room.tellHostMs !== null && room.tellHostMs <= nowMs) {
    room.tellHostMs = null;
    if (host !== undefined) tellSeats(turn, room, [host]);
  }
  if (room.tellMs !== null && room.tellMs <= nowMs) {
    room.tellMs = null;
    const { messages, bytes } = tellSeats(turn, room, [...seats.values()]);
    const { core } = turn;
    const restMs = (1000 * bytes) / core.limits.newsBytesOfRoomPerSecond;
    room.restUntilMs = nowMs + Math.max(restMs, owedMs(core, messages, nowMs));
  }
}

/**
 * Takes messages out of what all rooms together are told in a second. Who took more than there was rests until that is made up for, so that
 * on a full server every room is told as seldom as the others.
 */
function owedMs(core: Core, messages: number, nowMs: number): number {
  const rate = core.limits.newsMessages;
  const { left } = refilled(core.news, rate, nowMs);
  core.news = { left: left - messages, atMs: nowMs };
  return (1000 * Math.max(0, messages - left)) / rate.perSecond;
}

/**
 * Tells seats all that is new to each, and returns how many messages and bytes that is. Who is behind is told nothing; after it has caught up it gets the newest,
 * never what was in between.
 */
export function tellSeats(turn: Turn, room: OpenRoom, seats: readonly Seat[]): { messages: number; bytes: number } {
  const { edition } = room.chronicle;
  const tellings = new Map<string, { readonly telling: Telling; readonly to: ConnectionId[] }>();
  const sum = { messages: 0, bytes: 0 };
  for (const seat of seats) {
    if (!hasNews(room, seat) || isBehind(seat)) continue;
    const isHost = room.seats.get(room.state.host) === seat;
    const key = `${isHost} ${seat.edition} ${seat.reported}`;
    const known = tellings.get(key) ?? { telling: tellingFor(room, seat, isHost), to: [] };
    tellings.set(key, known);
    known.to.push(seat.connection);
    const { bytes } = known.telling;
    seat.edition = edition;
    seat.reported = edition;
    seat.unseen.push({ edition, bytes, atMs: turn.nowMs });
    sum.messages += known.telling.texts.length;
    sum.bytes += bytes;
  }
  for (const { telling, to } of tellings.values())
    for (const text of telling.texts) turn.effects.push({ type: 'send', to, text });
  return sum;
}

const isBehind = ({ unseen }: Seat): boolean =>
  unseen.length >= MAX_UNSEEN || unseen.reduce((sum, { bytes }) => sum + bytes, 0) >= MAX_UNSEEN_BYTES;

/** What a seat has to be told, as texts, and their bytes as sent. */
interface Telling {
  readonly texts: readonly string[];
  readonly bytes: number;
}

function tellingFor(
  { chronicle, state, entrance }: OpenRoom,
  { edition: since, reported }: Seat,
  isHost: boolean,
): Telling {
  const { edition, activity } = chronicle;
  // The host knows its own reports, and how far its devices are.
  const reports = isHost ? NO_REPORTS : reportsSince(chronicle, state, reported);
  const change = since === null ? null : changeSince(chronicle, state, since);
  const news = change === null ? { since: null, change: wholeRoom(state) } : { since, change };
  const isNew = !isHost && activity !== null && activity.edition > reported;
  const isOther = isHost && (since === null || chronicle.entrance > since);
  const message = {
    type: 'news',
    edition,
    ...news,
    ...(isNew && { activity: activity.activity }),
    ...(isOther && { entrance: entranceView(entrance) }),
  } as const;
  const texts = change === null ? [] : together(message, reports);
  if (texts.length === 0)
    for (const each of [...reportMessages(reports), message]) texts.push(JSON.stringify(each satisfies ServerMessage));
  return { texts, bytes: texts.reduce((sum, text) => sum + utf8Bytes(text), 0) };
}

const NO_REPORTS: ReturnType<typeof reportsSince> = { rounds: [], scores: [] };

/** One text where that is short: each costs the server as much as some kilobytes do. None where it would be long. */
function together(
  message: Extract<ServerMessage, { type: 'news' }>,
  { rounds, scores }: ReturnType<typeof reportsSince>,
): string[] {
  if (rounds.length + scores.length > MAX_REPORTS_WITH_NEWS) return [];
  const text = JSON.stringify({
    ...message,
    ...(rounds.length > 0 && { rounds: [...rounds] }),
    ...(scores.length > 0 && { scores: [...scores] }),
  } satisfies ServerMessage);
  return text.length > MAX_CONTROL_CHARACTERS / 2 ? [] : [text];
}

function reportMessages({ rounds, scores }: ReturnType<typeof reportsSince>): ServerMessage[] {
  if (rounds.length + scores.length > 1) return [...historyMessages(rounds, scores)];
  return [
    ...rounds.map((report) => ({ type: 'round', report }) as const),
    ...scores.map((report) => ({ type: 'score', report }) as const),
  ];
}
