import {
  MAX_CONNECTION_NUMBER,
  parseStreamItem,
  type StreamIntroduction,
  type StreamItem,
  streamItemText,
  TOKEN_MARK,
  TOKEN_PATTERN,
} from '../../../signaling/protocol/text/stream-text.ts';
import { CLOSED, type ControlSocket, OPEN, StandIn } from './control-socket.ts';
import { readEvents } from './read-events.ts';

/** A stream, a connection over it, or an answer to what was said, that is not there by then does not come. */
const ANSWER_MS = 10_000;
/** A request that fails is tried again so often, at once: its connection was closed while nothing was said, most of the time. */
const TRIES = 3;
/** Said and not yet taken by the server, in UTF-16 code units; beyond it the stream is given up. */
const MAX_UNSENT_CHARACTERS = 4 * 1024 * 1024;
/** In one request, but for a single message that is longer. */
const MAX_BODY_CHARACTERS = 128 * 1024;

/**
 * All of a tab's connections to the server over one stream of server-sent events, and requests for what it says; for browsers and networks
 * in which WebSockets get nowhere. It lasts as long as a connection is open; whatever fails ends all of them.
 */
export class EventStream {
  readonly #origin: string;
  readonly #room: string;
  readonly #onEnd: () => void;
  readonly #sockets = new Map<number, StreamSocket>();
  readonly #abort = new AbortController();
  readonly #unsent: string[] = [];
  #unsentCharacters = 0;
  #token: string | null = null;
  #nextConnection = 0;
  #requests = 0;
  #sending = false;
  #ended = false;

  /** `room`: the code of the room that it is for, or "". */
  constructor(origin: string, room: string, onEnd: () => void) {
    this.#origin = origin;
    this.#room = room;
    this.#onEnd = onEnd;
    void this.#read();
  }

  /** Whether it may carry one more connection. */
  get isFull(): boolean {
    return this.#nextConnection > MAX_CONNECTION_NUMBER;
  }

  /** A connection to a room, or for introductions. */
  open(introduction: StreamIntroduction | null): ControlSocket {
    const connection = this.#nextConnection++;
    const late = setTimeout(() => this.#end(), ANSWER_MS);
    const socket = new StreamSocket(
      (text) => this.#say({ type: 'text', connection, text }),
      () => {
        clearTimeout(late);
        this.#sockets.delete(connection);
        if (this.#sockets.size > 0) this.#say({ type: 'close', connection });
        // The server sees the stream's end; nothing else has to be said.
        else this.#end();
      },
    );
    for (const event of ['open', 'close']) socket.addEventListener(event, () => clearTimeout(late));
    this.#sockets.set(connection, socket);
    this.#say({ type: 'open', connection, introduction });
    return socket;
  }

  async #read(): Promise<void> {
    const late = setTimeout(() => this.#end(), ANSWER_MS);
    try {
      const answer = await fetch(this.#address('', {}), {
        method: 'POST',
        cache: 'no-store',
        signal: this.#abort.signal,
      });
      if (answer.ok && answer.body !== null)
        await readEvents(answer.body, (data) => {
          if (this.#ended) return;
          if (this.#token !== null) this.#hear(data);
          else if (data.startsWith(TOKEN_MARK) && TOKEN_PATTERN.test(data.slice(TOKEN_MARK.length))) {
            clearTimeout(late);
            this.#token = data.slice(TOKEN_MARK.length);
            void this.#send();
          } else this.#end();
        });
    } catch {
      // Lost, or given up here: one end like any other.
    }
    clearTimeout(late);
    this.#end();
  }

  #hear(data: string): void {
    const item = parseStreamItem(data);
    if (item === null) {
      this.#end();
      return;
    }
    const socket = this.#sockets.get(item.connection);
    if (item.type === 'open') socket?.opened();
    else if (item.type === 'text') socket?.heard(item.text);
    else {
      this.#sockets.delete(item.connection);
      socket?.lost();
      if (this.#sockets.size === 0) this.#end();
    }
  }

  #say(item: StreamItem): void {
    if (this.#ended) return;
    const text = streamItemText(item);
    this.#unsent.push(text);
    this.#unsentCharacters += text.length;
    if (this.#unsentCharacters > MAX_UNSENT_CHARACTERS) this.#end();
    else void this.#send();
  }

  /** One request at a time, with all that was said meanwhile. */
  async #send(): Promise<void> {
    if (this.#sending || this.#token === null) return;
    this.#sending = true;
    // What is said in one go goes in one request.
    await Promise.resolve();
    while (this.#unsent.length > 0 && !this.#ended) {
      const body = this.#nextBody();
      if (!(await this.#post(this.#address(`/${this.#token}`, { at: String(this.#requests) }), body))) this.#end();
      this.#requests += 1;
    }
    this.#sending = false;
  }

  #nextBody(): string {
    let characters = 0;
    let count = 0;
    for (const text of this.#unsent) {
      if (count > 0 && characters + text.length > MAX_BODY_CHARACTERS) break;
      characters += text.length;
      count += 1;
    }
    this.#unsentCharacters -= characters;
    return this.#unsent.splice(0, count).join('\n');
  }

  async #post(url: string, body: string): Promise<boolean> {
    const late = setTimeout(() => this.#end(), ANSWER_MS);
    try {
      for (let attempt = 0; attempt < TRIES && !this.#ended; attempt++) {
        // The server does not hear the same request twice.
        const answer = await fetch(url, { method: 'POST', body, signal: this.#abort.signal }).catch(() => null);
        if (answer?.ok) return true;
        // Anything but "you are still saying it" is an answer.
        if (answer !== null && answer.status !== 409) return false;
      }
      return false;
    } finally {
      clearTimeout(late);
    }
  }

  #address(path: string, query: Readonly<Record<string, string>>): string {
    // For a proxy before several processes: the code, or the token, which the process that opened the stream has made.
    const key = this.#room === '' ? this.#token : this.#room;
    const words = new URLSearchParams({ ...query, ...(key !== null && { key }) }).toString();
    return `${this.#origin}/stream${path}${words === '' ? '' : `?${words}`}`;
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onEnd();
    this.#abort.abort();
    const sockets = [...this.#sockets.values()];
    this.#sockets.clear();
    for (const socket of sockets) socket.lost();
  }
}

class StreamSocket extends StandIn {
  readonly #say: (text: string) => void;
  readonly #leave: () => void;

  constructor(say: (text: string) => void, leave: () => void) {
    super();
    this.#say = say;
    this.#leave = leave;
  }

  send(text: string): void {
    if (this.readyState === OPEN) this.#say(text);
  }

  /** As a WebSocket's, its end is told later. */
  close(): void {
    if (this.readyState === CLOSED) return;
    this.#leave();
    queueMicrotask(() => this.lost());
  }
}
