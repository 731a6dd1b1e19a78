import type { ServerMessage } from '../protocol/messages.ts';
import { apply, next, type RoomEvent, type RoomState, roomView } from '../room/room.ts';
import { type OpenRoom, remindAt, say, type Turn } from './core.ts';
import { TELL_MS } from './limits.ts';

/** The one way in which a room changes: the event goes into the fold, the change to those who sit there, a question to the planner. */
export function change(turn: Turn, room: OpenRoom, event: RoomEvent): void {
  const before = room.state;
  room.state = apply(before, event);
  if (shows(before, room.state)) tellSoon(turn, room);
  askPlanner(turn, room);
}

/** Whether a change shows in the room's view; reports are relayed on their own. */
function shows(before: RoomState, after: RoomState): boolean {
  const { settings, phase, host, devices, plan, planNote } = before;
  return !(
    settings === after.settings &&
    phase === after.phase &&
    host === after.host &&
    devices === after.devices &&
    plan === after.plan &&
    planNote === after.planNote
  );
}

/** One question at a time; the answer comes back as an input. */
function askPlanner({ effects }: Turn, room: OpenRoom): void {
  if (room.planning) return;
  const request = next(room.state);
  if (request === null) return;
  room.planning = true;
  effects.push({ type: 'plan', room: room.state.id, request });
}

function tellSoon(turn: Turn, room: OpenRoom): void {
  if (room.tellMs !== null) return;
  room.tellMs = turn.nowMs + TELL_MS;
  remindAt(turn, room.tellMs, { type: 'tell', room: room.state.id });
}

/** To be called when the room's `tell` deadline is due. */
export function tell(turn: Turn, room: OpenRoom): void {
  if (room.tellMs === null || room.tellMs > turn.nowMs) return;
  room.tellMs = null;
  relay(turn, room, { type: 'room', room: roomView(room.state) });
}

export function relay(turn: Turn, room: OpenRoom, message: ServerMessage, except?: string): void {
  const others = [...room.seats].flatMap(([device, { connection }]) => (device === except ? [] : [connection]));
  say(turn, others, message);
}
