import { randomBytes, randomInt } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Allowance, fullAllowance, spend } from '../../connection/bounds/allowance.ts';
import { ENTER_MS } from '../../connection/bounds/limits.ts';
import type { CodeShare } from '../../connection/core.ts';
import { ROOM_ID_ALPHABET } from '../../protocol/ids.ts';
import {
  MAX_CONNECTIONS_OF_STREAM,
  parseStreamItem,
  type StreamItem,
  streamItemText,
  TOKEN_MARK,
} from '../../protocol/text/stream-text.ts';
import { RECEIVED } from './socket-guard.ts';
import type { Speaker } from './unfinished.ts';
import type { Heard, Home, Wire } from './wire.ts';

const TOKEN_BYTES = 16;
/** Base64url; its first character says, as a code's does, which of several processes opened the stream. */
const TOKEN_LENGTH = 22;
const DATA = Buffer.from('data: ');
const END = Buffer.from('\n\n');

/** One client's stream: an answer that never ends, and the connections that it carries. */
export class OpenStream implements Speaker {
  readonly token: string;
  readonly address: string;
  /** Requests of the client that were taken. */
  requests = 0;
  /** The one that is being read: it ends with the stream, since nothing else would count what it holds. */
  reading: IncomingMessage | null = null;
  readonly #home: Home;
  readonly #response: ServerResponse;
  /** By the client's own numbers, of which each is given once. */
  readonly #connections = new Map<number, Heard>();
  #lastConnection = -1;
  #bytesRead = 0;
  #received: Allowance = fullAllowance(RECEIVED, Date.now());
  /** Runs while the stream carries nothing. */
  #idle: NodeJS.Timeout | null = null;

  constructor(home: Home, address: string, share: CodeShare, response: ServerResponse) {
    this.#home = home;
    const own = Array.from(ROOM_ID_ALPHABET).filter((_, i) => i % share.count === share.index);
    const first = own[randomInt(own.length)] ?? '';
    this.token = `${first}${randomBytes(TOKEN_BYTES).toString('base64url')}`.slice(0, TOKEN_LENGTH);
    this.address = address;
    this.#response = response;
    response.on('error', () => response.destroy());
    response.once('close', () => {
      for (const connection of [...this.#connections.keys()]) this.#release(connection);
      this.reading?.destroy();
      if (this.#idle !== null) clearTimeout(this.#idle);
    });
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store, no-transform',
      // nginx would keep what is small until there is more.
      'X-Accel-Buffering': 'no',
    });
    this.#tell(Buffer.from(TOKEN_MARK + this.token));
    this.#expectConnections();
  }

  bytesRead(): number {
    return this.#bytesRead;
  }

  /** Counts what came in a request's body; false when it is more than messages could be. */
  received(bytes: number): boolean {
    this.#bytesRead += bytes;
    const left = spend(this.#received, RECEIVED, Date.now(), bytes);
    this.#received = left ?? this.#received;
    return left !== null;
  }

  /** What the client says in the body of a request. */
  hear(body: string): void {
    for (const line of body.split('\n')) {
      if (line === '' || this.#response.destroyed) continue;
      const item = parseStreamItem(line);
      if (item === null) this.terminate();
      else if (item.type === 'open') this.#connect(item);
      else if (item.type === 'text') this.#connections.get(item.connection)?.text(item.text);
      else this.#release(item.connection);
    }
  }

  /** After all that was told before. */
  end(): void {
    this.#response.end();
  }

  terminate(): void {
    this.#response.destroy();
  }

  #connect({ connection, introduction }: Extract<StreamItem, { type: 'open' }>): void {
    if (connection <= this.#lastConnection) {
      this.terminate();
      return;
    }
    this.#lastConnection = connection;
    if (this.#connections.size >= MAX_CONNECTIONS_OF_STREAM || this.#home.refuses(this.address) !== null) {
      this.#tellItem({ type: 'close', connection });
      return;
    }
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#tellItem({ type: 'open', connection, introduction: null });
    // The home may close a connection before it says who hears it.
    let heard: Heard | null = null;
    this.#connections.set(connection, {
      text: (text) => heard?.text(text),
      // Not within a step that told of it.
      closed: () => queueMicrotask(() => heard?.closed()),
    });
    heard = this.#home.connect(this.#wire(connection), { address: this.address, introduction });
  }

  #wire(connection: number): Wire {
    const mark = Buffer.from(`${connection}:`);
    const response = this.#response;
    return {
      get unsentBytes() {
        return response.writableLength;
      },
      send: (bytes) => {
        if (this.#connections.has(connection)) this.#tell(Buffer.concat([mark, bytes]));
      },
      close: () => {
        if (this.#release(connection)) this.#tellItem({ type: 'close', connection });
      },
      terminate: () => this.terminate(),
    };
  }

  /** One of the connections is over; false when it was so already. */
  #release(connection: number): boolean {
    const heard = this.#connections.get(connection);
    if (heard === undefined) return false;
    this.#connections.delete(connection);
    heard.closed();
    if (this.#connections.size === 0) this.#expectConnections();
    return true;
  }

  /** A stream that carries nothing is closed after a while. */
  #expectConnections(): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.end(), ENTER_MS).unref();
  }

  #tell(bytes: Buffer): void {
    if (!this.#response.writableEnded && !this.#response.destroyed)
      this.#response.write(Buffer.concat([DATA, bytes, END]));
  }

  #tellItem(item: StreamItem): void {
    this.#tell(Buffer.from(streamItemText(item)));
  }
}
