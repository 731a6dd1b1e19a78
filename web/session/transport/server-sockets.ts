import type { StreamIntroduction } from '../../../signaling/protocol/text/stream-text.ts';
import { CLOSED, type ControlSocket, OPEN, StandIn } from './control-socket.ts';
import { EventStream } from './event-stream.ts';

/** A WebSocket that is not open by then is not waited for alone: some proxies swallow what they do not know. */
const HEAD_START_MS = 4000;
/** Whoever closes a connection earlier did not wait for the server's first word. */
const FIRST_WORD_MS = 4000;

type Way = 'socket' | 'stream';

/**
 * How a tab reaches its server: over WebSockets, and over an event stream where those are refused, swallowed, or open without a word. Which
 * of the two works is found out with each connection and kept in mind.
 */
export class ServerSockets {
  readonly #origin: string;
  readonly #openSocket: (url: string) => ControlSocket;
  /** By the room that they lead to, "" where no room is named: what began one goes on over its stream. */
  readonly #streams = new Map<string, EventStream>();
  /** A WebSocket brought a message once: then it is tried first, whatever happened since. */
  #socketWorked = false;
  #first: Way = 'socket';

  /** `origin` as in `SessionEnvironment`; `openSocket` opens a plain WebSocket. */
  constructor(origin: string, openSocket: (url: string) => ControlSocket) {
    this.#origin = origin;
    this.#openSocket = openSocket;
  }

  /** `url` is that of a WebSocket. One that neither way opens is told closed. */
  open(url: string): ControlSocket {
    const first = this.#socketWorked ? 'socket' : this.#first;
    const ways: readonly Way[] = first === 'socket' ? ['socket', 'stream'] : ['stream', 'socket'];
    return new TriedSocket(
      ways.map((way) => ({ way, open: () => this.#along(way, url) })),
      (way, worked) => this.#learn(way, worked),
    );
  }

  #along(way: Way, url: string): ControlSocket {
    if (way === 'socket') return this.#openSocket(url);
    const { room, introduction } = readAddress(url);
    let stream = this.#streams.get(room) ?? this.#streams.get('');
    if (stream === undefined || stream.isFull) {
      const opened = new EventStream(this.#origin, room, () => {
        if (this.#streams.get(room) === opened) this.#streams.delete(room);
      });
      this.#streams.set(room, opened);
      stream = opened;
    }
    return stream.open(introduction);
  }

  #learn(way: Way, worked: boolean): void {
    if (way === 'socket') this.#socketWorked = worked;
    this.#first = worked === (way === 'socket') ? 'socket' : 'stream';
  }
}

/** PeerJS says in its address who it is, and names the room by its key; a connection to a room says who it is later. */
function readAddress(url: string): { readonly room: string; readonly introduction: StreamIntroduction | null } {
  const { searchParams } = new URL(url);
  const [id, token] = [searchParams.get('id'), searchParams.get('token')];
  return {
    room: searchParams.get('room') ?? searchParams.get('key') ?? '',
    introduction: id === null || token === null ? null : { id, token },
  };
}

interface Attempt {
  readonly way: Way;
  open(): ControlSocket;
}

/** The first of several sockets that opens. */
class TriedSocket extends StandIn {
  readonly #left: Attempt[];
  readonly #learn: (way: Way, worked: boolean) => void;
  readonly #trying = new Set<ControlSocket>();
  #chosen: ControlSocket | null = null;
  /** Given up here, before the server had time for a word. */
  #hasty = false;
  #openedMs = 0;
  #late: ReturnType<typeof setTimeout> | null = null;

  /** `learn` is told once of the one that opened: whether a message came over it. */
  constructor(attempts: readonly Attempt[], learn: (way: Way, worked: boolean) => void) {
    super();
    this.#left = [...attempts];
    this.#learn = learn;
    this.#next();
  }

  send(text: string): void {
    // A socket that is closing has not said so yet; a browser calls it an error to say something to it.
    if (this.readyState === OPEN && this.#chosen?.readyState === OPEN) this.#chosen.send(text);
  }

  close(): void {
    if (this.readyState === CLOSED) return;
    if (this.#late !== null) clearTimeout(this.#late);
    this.#left.length = 0;
    for (const socket of this.#trying) socket.close();
    if (this.#chosen === null) queueMicrotask(() => this.lost());
    else {
      this.#hasty = performance.now() - this.#openedMs < FIRST_WORD_MS;
      this.#chosen.close();
    }
  }

  #next(): void {
    if (this.#late !== null) clearTimeout(this.#late);
    this.#late = null;
    const attempt = this.#left.shift();
    if (attempt === undefined) {
      if (this.#trying.size === 0) this.lost();
      return;
    }
    const socket = attempt.open();
    this.#trying.add(socket);
    if (this.#left.length > 0) this.#late = setTimeout(() => this.#next(), HEAD_START_MS);
    let spoke = false;
    let over = false;
    socket.addEventListener('open', () => {
      if (this.#chosen !== null || this.readyState === CLOSED) return;
      this.#choose(socket);
    });
    socket.addEventListener('message', (event) => {
      if (socket !== this.#chosen) return;
      if (!spoke) this.#learn(attempt.way, true);
      spoke = true;
      this.heard(event.data);
    });
    const closed = (): void => {
      if (over) return;
      over = true;
      this.#trying.delete(socket);
      if (socket === this.#chosen) {
        if (!spoke && !this.#hasty) this.#learn(attempt.way, false);
        this.lost();
      } else if (this.#chosen === null) this.#next();
    };
    socket.addEventListener('close', closed);
    socket.addEventListener('error', closed);
  }

  #choose(socket: ControlSocket): void {
    if (this.#late !== null) clearTimeout(this.#late);
    this.#late = null;
    this.#left.length = 0;
    this.#chosen = socket;
    this.#openedMs = performance.now();
    this.#trying.delete(socket);
    for (const other of this.#trying) other.close();
    this.opened();
  }
}
