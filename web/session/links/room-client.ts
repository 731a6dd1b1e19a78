import type { Entrance } from '../../../signaling/protocol/door.ts';
import {
  type ClientMessage,
  ClientMessageSchema,
  parse,
  parseServerMessage,
  type Revival,
  type RoomIntroduction,
  type ServerMessage,
} from '../../../signaling/protocol/messages.ts';
import type { Activity, RoomView } from '../../../signaling/protocol/room-view.ts';
import { versionProblem } from '../../../signaling/protocol/version.ts';
import * as say from '../../words/session/links.ts';
import type { ControlSocket } from '../transport/control-socket.ts';
import { Emitter } from '../world/emitter.ts';
import type { SessionEnvironment } from '../world/environment.ts';
import { changedRoom, type ToldSettings } from './told-room.ts';

const FIRST_RETRY_MS = 300;
const MAX_RETRY_MS = 5000;
/** An answer must come so soon, or the connection counts as dead. */
const SILENCE_MS = 12_000;
/** The same where there is reason to believe that it is dead. */
const HURRIED_SILENCE_MS = 3000;
/** Whoever said and heard something within this time need not ask whether the other side is there; looked at every … */
const QUIET_MS = 3000;
const BEAT_MS = 1000;

/** News is said to be seen at most this often, which is a sign of life as well; the server tells several pieces meanwhile. */
const SEEN_EVERY_MS = 2500;
/** … or after so many pieces; the server holds back only after a few times as many. */
const MAX_UNSAID = 8;
/** The whole room is asked for again at most this often. */
const RESYNC_EVERY_MS = 6000;

const CODE_IS_LOST = say.theServerDoesNotKnow;

/** Of a connection's WebSocket. The code goes along for proxies: before several processes it leads to the one that has the room. */
export const roomAddress = (origin: string, room: string | undefined): string =>
  `${origin.replace(/^http/, 'ws')}/room${room === undefined ? '' : `?room=${room}`}`;

/** What a session hears of its room; the rest is the connection's own business. */
export type RoomMessage =
  | { readonly type: 'room'; readonly room: RoomView }
  | { readonly type: 'activity'; readonly activity: Activity }
  | { readonly type: 'entrance'; readonly entrance: Entrance }
  | Extract<
      ServerMessage,
      { type: 'waiting' | 'hostless' | 'offer' | 'history' | 'round' | 'score' | 'error' | 'closed' }
    >;

/**
 * The control connection to the server: validated messages, and reconnection for as long as the session lives. `enter` is sent first on
 * every connection, so that a server that restarted builds its room again from those who come back.
 */
export class RoomClient {
  readonly #environment: Pick<SessionEnvironment, 'origin' | 'openSocket' | 'onMoved'>;
  readonly #enter: () => readonly ClientMessage[];
  readonly #code: () => string | undefined;
  readonly #message = new Emitter<RoomMessage>();
  readonly #state = new Emitter<'connected' | 'reconnecting' | 'closed'>();
  readonly #introduction = new Emitter<RoomIntroduction>();
  readonly onMessage = this.#message.on;
  /** How this device can be introduced to others, again whenever that changes. */
  readonly onIntroduction = this.#introduction.on;
  readonly onState = this.#state.on;
  #socket: ControlSocket | null = null;
  #closed = false;
  /** What the welcome of this connection, or of the last one, said. */
  #welcome:
    | (ToldSettings & {
        readonly introduction: RoomIntroduction;
        readonly claim: string | null;
        readonly revival?: Revival | undefined;
      })
    | null = null;
  #room: RoomView | null = null;
  #edition: number | null = null;
  #unclaimed = false;
  /** The server does not know the session that this device was in. */
  #isForgotten = false;
  #waits = false;
  #seenMs = -SEEN_EVERY_MS;
  /** Pieces of news since then. */
  #unsaid = 0;
  #seenTimer: ReturnType<typeof setTimeout> | null = null;
  #resyncMs = -RESYNC_EVERY_MS;
  #retryMs = FIRST_RETRY_MS;
  #heardMs = performance.now();
  #saidMs = -QUIET_MS;
  #askedMs = -QUIET_MS;
  #timer: ReturnType<typeof setTimeout> | null = null;
  readonly #heartbeat: ReturnType<typeof setInterval>;
  readonly #offMoved: (() => void) | undefined;

  /** `code`: the room's, as soon as it has one. */
  constructor(
    environment: Pick<SessionEnvironment, 'origin' | 'openSocket' | 'onMoved'>,
    enter: () => readonly ClientMessage[],
    code: () => string | undefined = () => undefined,
  ) {
    this.#code = code;
    this.#environment = environment;
    this.#enter = enter;
    this.#heartbeat = setInterval(() => this.#beat(), BEAT_MS);
    this.#offMoved = environment.onMoved?.(() => this.#hurry());
    this.#connect();
  }

  /** What proves to a server that forgot the room that its code was this host's; null for others, and before the server gave it. */
  get claim(): string | null {
    return this.#welcome?.claim ?? null;
  }

  /** What brings the session back at a server that has forgotten it; null where it knows it, or never gave such a thing. */
  get revival(): Revival | null {
    return this.#isForgotten ? (this.#welcome?.revival ?? null) : null;
  }

  /** The server did not take the code for this host's: the next connection has to do without it. */
  get unclaimed(): boolean {
    return this.#unclaimed;
  }

  /** Sent at once, or not at all: what matters later is part of what `enter` says. Throws on a message that the server would refuse. */
  send(message: ClientMessage): void {
    const checked = parse(ClientMessageSchema, message, `${message.type} message`);
    if (!checked.ok) throw new Error(checked.sentence);
    if (this.#socket?.readyState !== 1) return;
    this.#saidMs = performance.now();
    this.#socket.send(JSON.stringify(checked.value));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#heartbeat);
    this.#offMoved?.();
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#seenTimer !== null) clearTimeout(this.#seenTimer);
    this.#socket?.close();
    this.#state.emit('closed');
  }

  #connect(): void {
    const code = this.#unclaimed ? undefined : this.#code();
    const socket = this.#environment.openSocket(roomAddress(this.#environment.origin, code));
    this.#socket = socket;
    // Of the connection before; nothing may be said of it on this one.
    this.#edition = null;
    this.#waits = false;
    let greeted = false;
    socket.addEventListener('open', () => {
      this.#heardMs = performance.now();
      this.#retryMs = FIRST_RETRY_MS;
      for (const message of this.#enter()) this.send(message);
      this.#state.emit('connected');
    });
    socket.addEventListener('message', (event) => {
      if (socket !== this.#socket) return;
      this.#heardMs = performance.now();
      const parsed = parseServerMessage(typeof event.data === 'string' ? event.data : '');
      if (!parsed.ok) {
        // Whatever it was, what this device knows of the room may be wrong from now on.
        if (greeted) this.#resync();
        return;
      }
      const message = parsed.value;
      // A server that says nothing of its release before all else is one of release 0.1.0.
      const problem = greeted ? null : versionProblem(message.type === 'hello' ? message.version : null, say.theServer);
      greeted = true;
      if (problem !== null) this.#message.emit({ type: 'error', sentence: problem, refused: true });
      else this.#hear(socket, message);
    });
    socket.addEventListener('close', () => this.#retry(socket));
    socket.addEventListener('error', () => this.#retry(socket));
  }

  #hear(socket: ControlSocket, message: ServerMessage): void {
    switch (message.type) {
      case 'hello':
      case 'pong':
      // For who looks from outside, on a connection of their own.
      case 'outside':
        break;
      case 'ping':
        this.#sayUpTo();
        this.send({ type: 'pong' });
        break;
      case 'welcome': {
        const introduction = { ...message.introduction, room: message.room };
        this.#welcome = { ...message, introduction, claim: message.claim ?? null };
        this.#unclaimed = false;
        this.#isForgotten = false;
        this.#room = null;
        this.#edition = null;
        this.#introduction.emit(introduction);
        // What it said of itself while it waited was not heard.
        if (this.#waits) for (const said of this.#enter().slice(1)) this.send(said);
        this.#waits = false;
        break;
      }
      case 'term':
        if (this.#welcome !== null) this.#welcome = { ...this.#welcome, revival: message.revival };
        break;
      case 'waiting':
        this.#waits = true;
        this.#message.emit(message);
        break;
      case 'ice': {
        if (this.#welcome === null) break;
        const { iceServers } = message;
        this.#welcome = { ...this.#welcome, introduction: { ...this.#welcome.introduction, iceServers } };
        this.#introduction.emit(this.#welcome.introduction);
        break;
      }
      case 'news':
        this.#learn(message);
        break;
      case 'error':
        if (message.why === 'code') this.#isForgotten = true;
        if (message.why === 'claim') {
          this.#unclaimed = true;
          this.#message.emit({ type: 'error', sentence: CODE_IS_LOST, refused: false });
        }
        // After a server's restart the host may come back later than the others: then "no such session" means "not yet".
        if (
          message.refused &&
          message.why !== 'removed' &&
          message.why !== 'deposed' &&
          (this.#welcome !== null || message.why === 'claim')
        ) {
          socket.close();
          this.#retry(socket);
        } else this.#message.emit(message);
        break;
      default:
        this.#message.emit(message);
    }
  }

  #learn(news: Extract<ServerMessage, { type: 'news' }>): void {
    const { edition, since, change, activity, entrance, rounds = [], scores = [] } = news;
    // Of the past, whether or not the rest follows what is known.
    for (const report of rounds) this.#message.emit({ type: 'round', report });
    for (const report of scores) this.#message.emit({ type: 'score', report });
    const follows = since === null || (since === this.#edition && this.#room !== null);
    const room =
      this.#welcome !== null && follows ? changedRoom(this.#welcome, since === null ? null : this.#room, change) : null;
    if (room === null) {
      this.#resync();
      return;
    }
    const isNew = since === null || Object.keys(change).length > 0;
    this.#room = room;
    this.#edition = edition;
    this.#unsaid += 1;
    this.#saySoon();
    if (isNew) this.#message.emit({ type: 'room', room });
    if (activity !== undefined) this.#message.emit({ type: 'activity', activity });
    if (entrance !== undefined) this.#message.emit({ type: 'entrance', entrance });
  }

  #saySoon(): void {
    const restMs = this.#seenMs + SEEN_EVERY_MS - performance.now();
    // Said at once where that may be: a tab in the background has few timers.
    if (restMs <= 0 || this.#unsaid >= MAX_UNSAID) this.#sayUpTo();
    else this.#seenTimer ??= setTimeout(() => this.#sayUpTo(), restMs);
  }

  #sayUpTo(): void {
    if (this.#seenTimer !== null) clearTimeout(this.#seenTimer);
    this.#seenTimer = null;
    this.#seenMs = performance.now();
    this.#unsaid = 0;
    if (this.#edition !== null) this.send({ type: 'seen', edition: this.#edition });
  }

  #resync(): void {
    if (performance.now() - this.#resyncMs < RESYNC_EVERY_MS) return;
    this.#resyncMs = performance.now();
    this.send({ type: 'resync' });
  }

  /** The way to the server may be another one: who waits tries at once, and a connection that does not answer soon is a dead one. */
  #hurry(): void {
    if (this.#closed) return;
    this.#retryMs = FIRST_RETRY_MS;
    if (this.#socket === null) {
      if (this.#timer !== null) clearTimeout(this.#timer);
      this.#connect();
    } else if (this.#socket.readyState === 1) {
      this.#askedMs = performance.now();
      this.#heardMs = this.#askedMs - SILENCE_MS + HURRIED_SILENCE_MS;
      this.send({ type: 'ping' });
    }
  }

  #retry(socket: ControlSocket): void {
    if (this.#closed || socket !== this.#socket) return;
    this.#socket = null;
    this.#state.emit('reconnecting');
    this.#timer = setTimeout(() => this.#connect(), this.#retryMs);
    this.#retryMs = Math.min(MAX_RETRY_MS, 2 * this.#retryMs);
  }

  #beat(): void {
    const socket = this.#socket;
    if (socket === null || socket.readyState !== 1) return;
    const nowMs = performance.now();
    if (nowMs - this.#heardMs > SILENCE_MS) {
      socket.close();
      this.#retry(socket);
    } else if (nowMs - Math.max(this.#askedMs, Math.min(this.#saidMs, this.#heardMs)) >= QUIET_MS) {
      this.#askedMs = nowMs;
      this.send({ type: 'ping' });
    }
  }
}
