import type { RoomPlanAnswer } from '../planner/room-plan.ts';
import type { ServerMessage } from '../protocol/messages.ts';
import type { PlanRequest, RoomState } from '../room/room.ts';
import type { Allowance } from './allowance.ts';
import { addDeadline, type Deadlines } from './deadlines.ts';
import type { Limits } from './limits.ts';

/**
 * What connections may say, their limits, their seats and what they are told, without a transport: `step` (step.ts) takes the state and
 * one input and says what is to be done. Sockets, clocks, timers and chance belong to its home. A home keeps the state, hands in what
 * happened, one at a time, and carries out the effects in their order.
 *
 * The state is plain data (a structured clone of it goes on in another process) and is updated in place: copying the maps of 5,000
 * connections would cost more than any message. What a room is remains a fold of events (`RoomState`).
 */
export interface Core {
  readonly limits: Limits;
  readonly connections: Map<ConnectionId, Connection>;
  readonly rooms: Map<string, OpenRoom>;
  readonly deadlines: Deadlines<Deadline>;
  /** When the home was last asked to wake the core; null when it was not. */
  wakeMs: number | null;
}

/** Given by the home, never twice. */
export type ConnectionId = number;

export interface Connection {
  readonly id: ConnectionId;
  /** Whom the limits count it for. */
  readonly address: string;
  allowance: Allowance;
  heardMs: number;
  unanswered: number;
  /** Null until it has entered a session, and after it left. */
  place: { readonly room: string; readonly device: string } | null;
}

/** A room with those who sit in it. */
export interface OpenRoom {
  state: RoomState;
  readonly seats: Map<string, Seat>;
  /** Devices that are gone, and when they count as gone for good. */
  readonly departures: Map<string, number>;
  /** When its news is told next; null while there is none. */
  tellMs: number | null;
  planning: boolean;
}

export interface Seat {
  readonly connection: ConnectionId;
}

export type Deadline =
  | { readonly type: 'connection'; readonly connection: ConnectionId }
  | { readonly type: 'departure'; readonly room: string; readonly device: string }
  | { readonly type: 'tell'; readonly room: string };

/** What happened to a home's connections, planner or clock. */
export type Input =
  | { readonly type: 'opened'; readonly connection: ConnectionId; readonly address: string }
  /** `random`: 16 bytes that nobody can guess; a new room's code is made of them. */
  | { readonly type: 'text'; readonly connection: ConnectionId; readonly text: string; readonly random: Uint8Array }
  | { readonly type: 'closed'; readonly connection: ConnectionId }
  | {
      readonly type: 'planned';
      readonly room: string;
      readonly request: PlanRequest;
      readonly answer: RoomPlanAnswer;
    }
  /** It is time that a `wakeAt` asked for, or later. */
  | { readonly type: 'time' };

/** What a home does; texts are control messages as JSON. */
export type Effect =
  | { readonly type: 'send'; readonly to: readonly ConnectionId[]; readonly text: string }
  | { readonly type: 'close'; readonly connection: ConnectionId }
  | { readonly type: 'plan'; readonly room: string; readonly request: PlanRequest }
  /** The only alarm from now on. */
  | { readonly type: 'wakeAt'; readonly atMs: number }
  | { readonly type: 'log'; readonly line: string };

/** One step under way. */
export interface Turn {
  readonly core: Core;
  readonly nowMs: number;
  readonly effects: Effect[];
}

export function say({ effects }: Turn, to: readonly ConnectionId[], message: ServerMessage): void {
  if (to.length > 0) effects.push({ type: 'send', to, text: JSON.stringify(message) });
}

/** The connection's purpose is over; the one who sent the message may show the sentence. */
export function refuse(turn: Turn, { id }: Connection, sentence: string): void {
  say(turn, [id], { type: 'error', sentence: sentence.slice(0, 400), refused: true });
}

/** The one message was left out. */
export function leaveOut(turn: Turn, { id }: Connection, sentence: string): void {
  say(turn, [id], { type: 'error', sentence: sentence.slice(0, 400), refused: false });
}

export function remindAt({ core }: Turn, atMs: number, what: Deadline): void {
  addDeadline(core.deadlines, atMs, what);
}
