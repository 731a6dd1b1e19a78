import type { RoomPlanAnswer } from '../planner/room-plan.ts';
import type { IceServer, ServerMessage } from '../protocol/messages.ts';
import type { PlanRequest, RoomState } from '../room/room.ts';
import type { Succession } from '../room/succession.ts';
import type { Allowance } from './bounds/allowance.ts';
import { addDeadline, type Deadlines } from './bounds/deadlines.ts';
import type { Limits } from './bounds/limits.ts';
import type { Chronicle } from './chronicle.ts';
import type { EntranceState } from './door/entrance.ts';

/** Of several processes behind one proxy, each makes its own share of the codes: those whose first character stands at `index` modulo `count`. */
export interface CodeShare {
  readonly index: number;
  readonly count: number;
}

export const ALL_CODES: CodeShare = { index: 0, count: 1 };

/** A home that is one room's alone was found by the room's code, and makes no other. */
export interface OneCode {
  readonly only: string;
}

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
  readonly share: CodeShare | OneCode;
  readonly secrets: Secrets;
  readonly iceServers: readonly IceServer[];
  readonly connections: Map<ConnectionId, Connection>;
  readonly addresses: Map<string, AddressState>;
  readonly rooms: Map<string, OpenRoom>;
  /** Whose a PeerJS id is. */
  readonly introductions: Map<string, Place>;
  /** Messages of news that all rooms may be told. */
  news: Allowance;
  readonly deadlines: Deadlines<Deadline>;
  /** When the home was last asked to wake the core; null when it was not. */
  wakeMs: number | null;
}

export interface Secrets {
  /** 32 bytes that nobody else knows; a server that keeps them over a restart knows its rooms' hosts again. */
  readonly server: Uint8Array;
  /** What the TURN server shares with this one; null where it has no such thing. */
  readonly turn: string | null;
}

/** Given by the home, never twice. */
export type ConnectionId = number;

export interface Place {
  readonly room: string;
  readonly device: string;
}

export interface Connection {
  readonly id: ConnectionId;
  /** A device has one of each: to its room, and for introductions, as PeerJS makes it. */
  readonly kind: 'room' | 'introductions';
  /** Whom the limits count it for. */
  readonly address: string;
  allowance: Allowance;
  heardMs: number;
  unanswered: number;
  /** Null until it has entered a session, and after it left. */
  place: Place | null;
  /** Where it waits to be let in; it has no place then. */
  waitsFor: Place | null;
}

/** What is kept in mind of an address. */
export interface AddressState {
  connections: number;
  rooms: number;
  /** Rooms that it has at other homes. */
  roomsElsewhere: number;
  openings: Allowance;
  messages: Allowance;
  guesses: Allowance;
  looks: Allowance;
}

/** What others know of an address, where rooms are at many homes: what it has left, and the rooms that it has elsewhere. */
export interface Standing {
  readonly roomsElsewhere: number;
  readonly guesses: Allowance;
  readonly looks: Allowance;
}

/** A room with those who sit in it. */
export interface OpenRoom {
  state: RoomState;
  readonly chronicle: Chronicle;
  succession: Succession;
  readonly entrance: EntranceState;
  /** Whose room it is for the limits. */
  readonly address: string;
  readonly seats: Map<string, Seat>;
  /** Where each device, seated or expected back, came from last. */
  readonly addresses: Map<string, string>;
  /** Connections for introductions, by device. */
  readonly lines: Map<string, Line>;
  /** Devices that are gone, and when they count as gone for good. */
  readonly departures: Map<string, number>;
  /** What devices say, and what the host says: it is heard however much they say. */
  messages: Allowance;
  hostMessages: Allowance;
  guesses: Allowance;
  looks: Allowance;
  seating: Allowance;
  /** When its news is told next to the host, and to the others; null while there is none. */
  tellHostMs: number | null;
  tellMs: number | null;
  /** The others are told nothing before: what they were told last has to be worth its bytes. */
  restUntilMs: number;
  /** The planner looks for drift no sooner. */
  lookMs: number;
  planning: boolean;
}

export interface Seat {
  readonly connection: ConnectionId;
  /** The edition that it was told last; null when the whole room is due. */
  edition: number | null;
  /** The edition up to which it was told reports and activity. */
  reported: number;
  /** What it was told and has not yet said to have seen, oldest first. */
  unseen: { readonly edition: number; readonly bytes: number; readonly atMs: number }[];
  resyncs: Allowance;
}

export interface Line {
  readonly connection: ConnectionId;
  /** Bytes that it may still be sent. */
  inbox: Allowance;
}

export type Deadline =
  | { readonly type: 'connection'; readonly connection: ConnectionId }
  | { readonly type: 'departure'; readonly room: string; readonly device: string }
  | { readonly type: 'waiting'; readonly room: string; readonly device: string }
  | { readonly type: 'tell'; readonly room: string }
  /** Who is to be host may be decided. */
  | { readonly type: 'succession'; readonly room: string }
  /** The host that sits on this connection may have fallen silent. */
  | { readonly type: 'host'; readonly connection: ConnectionId }
  /** New credentials for whoever sits on this connection. */
  | { readonly type: 'ice'; readonly connection: ConnectionId }
  | { readonly type: 'sweep' };

/** What happened to a home's connections, planner or clock. */
export type Input =
  | {
      readonly type: 'opened';
      readonly connection: ConnectionId;
      /** As `addressKey` makes it. */
      readonly address: string;
      /** For introductions: who it says to be. Null for a connection to a room. */
      readonly introduction: { readonly id: string; readonly token: string } | null;
    }
  /** `random`: 16 bytes that nobody can guess; a new room's code is made of them, where the home is not one code's alone. */
  | { readonly type: 'text'; readonly connection: ConnectionId; readonly text: string; readonly random: Uint8Array }
  | { readonly type: 'closed'; readonly connection: ConnectionId }
  | {
      readonly type: 'planned';
      readonly room: string;
      readonly request: PlanRequest;
      readonly answer: RoomPlanAnswer;
    }
  /** It is time that a `wakeAt` asked for, or later. */
  | { readonly type: 'time' }
  /** What others know of an address; before its connection opens, and whenever it changes. */
  | { readonly type: 'standing'; readonly address: string; readonly standing: Standing }
  /** The state was put away and taken up again: these connections are still there, and no plan that was asked for comes any more. */
  | { readonly type: 'restored'; readonly connections: readonly ConnectionId[] };

/** What a home does; texts are messages as JSON. */
export type Effect =
  | { readonly type: 'send'; readonly to: readonly ConnectionId[]; readonly text: string }
  /** After all that was sent before. */
  | { readonly type: 'close'; readonly connection: ConnectionId }
  | { readonly type: 'plan'; readonly room: string; readonly request: PlanRequest }
  /** The only alarm from now on. */
  | { readonly type: 'wakeAt'; readonly atMs: number }
  /** For whoever runs the server: no code, no key, no name. */
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

type WhyRefused = NonNullable<Extract<ServerMessage, { type: 'error' }>['why']>;

/** The connection's purpose is over; the one who sent the message may show the sentence. */
export function refuse(turn: Turn, { id }: Connection, sentence: string, why?: WhyRefused): void {
  say(turn, [id], {
    type: 'error',
    sentence: sentence.slice(0, 400),
    refused: true,
    ...(why !== undefined && { why }),
  });
}

/** The one message was left out. */
export function leaveOut(turn: Turn, { id }: Connection, sentence: string): void {
  say(turn, [id], { type: 'error', sentence: sentence.slice(0, 400), refused: false });
}

export function remindAt({ core }: Turn, atMs: number, what: Deadline): void {
  addDeadline(core.deadlines, atMs, what);
}
