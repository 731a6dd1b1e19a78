import type { ServerMessage } from '../protocol/messages.ts';
import { historyMessages } from '../protocol/telling/history.ts';
import { utf8Bytes } from '../protocol/text/plain-text.ts';
import { apply, next, type RoomEvent } from '../room/room.ts';
import { MAX_UNSEEN, MAX_UNSEEN_BYTES, TELL_HOST_MS, TELL_MS } from './bounds/limits.ts';
import { changeSince, note, noteEntrance, reportsSince, wholeRoom } from './chronicle.ts';
import { type ConnectionId, type OpenRoom, remindAt, type Seat, type Turn } from './core.ts';
import { entranceView } from './door/entrance.ts';

/** The one way in which a room changes: the event goes into the fold, the change to those who sit there, a question to the planner. */
export function change(turn: Turn, room: OpenRoom, event: RoomEvent): void {
  const before = room.state;
  room.state = apply(before, event);
  if (note(room.chronicle, event, before, room.state)) tellSoon(turn, room);
  askPlanner(turn, room);
}

/** One question at a time; the answer comes back as an input. */
function askPlanner({ effects }: Turn, room: OpenRoom): void {
  if (room.planning) return;
  const request = next(room.state);
  if (request === null) return;
  room.planning = true;
  effects.push({ type: 'plan', room: room.state.id, request });
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
    const bytes = tellSeats(turn, room, [...seats.values()]);
    room.restUntilMs = nowMs + (1000 * bytes) / turn.core.limits.newsBytesOfRoomPerSecond;
  }
}

/**
 * Tells seats all that is new to each, and returns the bytes. Who is behind is told nothing; after it has caught up it gets the newest,
 * never what was in between.
 */
export function tellSeats(turn: Turn, room: OpenRoom, seats: readonly Seat[]): number {
  const { edition } = room.chronicle;
  const tellings = new Map<string, { readonly telling: Telling; readonly to: ConnectionId[] }>();
  let sum = 0;
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
    sum += bytes;
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
  const messages: ServerMessage[] = isHost ? [] : reportMessages(reportsSince(chronicle, state, reported));
  const change = since === null ? null : changeSince(chronicle, state, since);
  const news = change === null ? { since: null, change: wholeRoom(state) } : { since, change };
  const isNew = !isHost && activity !== null && activity.edition > reported;
  const isOther = isHost && (since === null || chronicle.entrance > since);
  messages.push({
    type: 'news',
    edition,
    ...news,
    ...(isNew && { activity: activity.activity }),
    ...(isOther && { entrance: entranceView(entrance) }),
  });
  const texts = messages.map((message) => JSON.stringify(message));
  return { texts, bytes: texts.reduce((sum, text) => sum + utf8Bytes(text), 0) };
}

function reportMessages({ rounds, scores }: ReturnType<typeof reportsSince>): ServerMessage[] {
  if (rounds.length + scores.length > 1) return [...historyMessages(rounds, scores)];
  return [
    ...rounds.map((report) => ({ type: 'round', report }) as const),
    ...scores.map((report) => ({ type: 'score', report }) as const),
  ];
}
