import {
  type ClientMessage,
  ClientMessageSchema,
  parse,
  parseServerMessage,
  type ServerMessage,
} from '../../../signaling/protocol/messages.ts';
import { versionProblem } from '../../../signaling/protocol/version.ts';
import { Emitter } from '../world/emitter.ts';
import type { SessionEnvironment } from '../world/environment.ts';

const FIRST_RETRY_MS = 300;
const MAX_RETRY_MS = 5000;
/** An answer must come so soon, or the connection counts as dead. */
const SILENCE_MS = 12_000;
const PING_EVERY_MS = 4000;

/** What a session hears of its room; the rest is the connection's own business. */
export type RoomMessage = Exclude<ServerMessage, { type: 'hello' | 'ping' | 'pong' }>;

/**
 * The control connection to the server: validated messages, and reconnection for as long as the session lives. `enter` is sent first on
 * every connection, so that a server that restarted builds its room again from those who come back.
 */
export class RoomClient {
  readonly #environment: SessionEnvironment;
  readonly #enter: () => readonly ClientMessage[];
  readonly #message = new Emitter<RoomMessage>();
  readonly #state = new Emitter<'connected' | 'reconnecting' | 'closed'>();
  readonly onMessage = this.#message.on;
  readonly onState = this.#state.on;
  #socket: WebSocket | null = null;
  #closed = false;
  #entered = false;
  #retryMs = FIRST_RETRY_MS;
  #heardMs = performance.now();
  #timer: ReturnType<typeof setTimeout> | null = null;
  readonly #heartbeat: ReturnType<typeof setInterval>;

  constructor(environment: SessionEnvironment, enter: () => readonly ClientMessage[]) {
    this.#environment = environment;
    this.#enter = enter;
    this.#heartbeat = setInterval(() => this.#beat(), PING_EVERY_MS);
    this.#connect();
  }

  /** Sent at once, or not at all: what matters later is part of what `enter` says. Throws on a message that the server would refuse. */
  send(message: ClientMessage): void {
    const checked = parse(ClientMessageSchema, message, `${message.type} message`);
    if (!checked.ok) throw new Error(checked.sentence);
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(checked.value));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#heartbeat);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#socket?.close();
    this.#state.emit('closed');
  }

  #connect(): void {
    const url = `${this.#environment.origin.replace(/^http/, 'ws')}/room`;
    const socket = this.#environment.openSocket(url);
    this.#socket = socket;
    let greeted = false;
    socket.addEventListener('open', () => {
      this.#heardMs = performance.now();
      this.#retryMs = FIRST_RETRY_MS;
      for (const message of this.#enter()) this.send(message);
      this.#state.emit('connected');
    });
    socket.addEventListener('message', (event: MessageEvent<unknown>) => {
      this.#heardMs = performance.now();
      const parsed = parseServerMessage(typeof event.data === 'string' ? event.data : '');
      if (!parsed.ok) return;
      const message = parsed.value;
      // A server that says nothing of its release before all else is one of release 0.1.0.
      const problem = greeted ? null : versionProblem(message.type === 'hello' ? message.version : null, 'The server');
      greeted = true;
      if (problem !== null) this.#message.emit({ type: 'error', sentence: problem, refused: true });
      else this.#hear(socket, message);
    });
    socket.addEventListener('close', () => this.#retry(socket));
    socket.addEventListener('error', () => this.#retry(socket));
  }

  #hear(socket: WebSocket, message: ServerMessage): void {
    switch (message.type) {
      case 'hello':
      case 'pong':
        return;
      case 'ping':
        this.send({ type: 'pong' });
        return;
      case 'room':
        this.#entered = true;
        this.#message.emit(message);
        return;
      case 'error':
        // After a server's restart the host may come back later than the others: then "no such session" means "not yet".
        if (message.refused && this.#entered) socket.close();
        else this.#message.emit(message);
        return;
      default:
        this.#message.emit(message);
    }
  }

  #retry(socket: WebSocket): void {
    if (this.#closed || socket !== this.#socket) return;
    this.#socket = null;
    this.#state.emit('reconnecting');
    this.#timer = setTimeout(() => this.#connect(), this.#retryMs);
    this.#retryMs = Math.min(MAX_RETRY_MS, 2 * this.#retryMs);
  }

  #beat(): void {
    const socket = this.#socket;
    if (socket === null || socket.readyState !== 1) return;
    if (performance.now() - this.#heardMs > SILENCE_MS) {
      socket.close();
      this.#retry(socket);
    } else this.send({ type: 'ping' });
  }
}
