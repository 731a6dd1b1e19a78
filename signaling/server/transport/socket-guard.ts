import type { Server, Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { addressKey } from '../../connection/addresses.ts';
import { type Allowance, fullAllowance, type Rate, spend } from '../../connection/bounds/allowance.ts';

/**
 * What sockets may cost before they are connections that the core knows, and what of a WebSocket the core never sees: somebody who
 * connects and says nothing, a request that comes a letter at a time, frames that make no message.
 */

/** A socket says something by then, and all of a request's head; a whole request, whose body nobody reads, takes this long. */
const FIRST_WORD_MS = 10_000;
const REQUEST_MS = 20_000;
/** A download of which nothing moves for so long has no reader. */
export const IDLE_MS = 60_000;
/** How often Node looks for requests that are late. */
const CHECK_MS = 1000;
/** Sockets of one address beyond its connections to rooms: a browser opens six for files. */
const SPARE_OF_ADDRESS = 200;
/** How long somebody whose connection is refused may take to hang up. */
const LAST_WORD_MS = 2000;
/** Bytes that one connection may send, frames included that are no messages: far above what messages may come to. */
export const RECEIVED: Rate = { perSecond: 2 ** 20, burst: 16 * 2 ** 20 };
/** Browsers send no ping frames at all, proxies one in a while. */
const PINGS: Rate = { perSecond: 2, burst: 40 };
const LOOK_MS = 1000;

/** To be given to `createServer`. */
export const SERVER_TIMES = {
  connectionsCheckingInterval: CHECK_MS,
  headersTimeout: FIRST_WORD_MS,
  requestTimeout: REQUEST_MS,
};

/** `ofAddress`: connections to rooms that an address may have; null where all come through a proxy, and addresses mean nothing. */
export function guardSockets(server: Server, ofAddress: number | null): void {
  const counts = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => socket.destroy());
    const silence = setTimeout(() => {
      if (socket.bytesRead === 0) socket.destroy();
    }, FIRST_WORD_MS);
    socket.once('close', () => clearTimeout(silence));
    const address = addressKey(socket.remoteAddress ?? '');
    if (ofAddress === null) return;
    const count = (counts.get(address) ?? 0) + 1;
    if (count > ofAddress + SPARE_OF_ADDRESS) {
      socket.destroy();
      return;
    }
    counts.set(address, count);
    socket.once('close', () => {
      const left = (counts.get(address) ?? 1) - 1;
      if (left > 0) counts.set(address, left);
      else counts.delete(address);
    });
  });
}

/** Says a last word, and does not wait for the other side to hang up. */
export function dismiss(socket: { end(text: string): unknown; destroy(): unknown }, text: string): void {
  socket.end(text);
  setTimeout(() => socket.destroy(), LAST_WORD_MS).unref();
}

interface Watched {
  readonly client: WebSocket;
  readonly bytesRead: () => number;
  seenBytes: number;
  received: Allowance;
}

/** Ends WebSockets that send more than messages could be. */
export class FloodWatch {
  readonly #watched = new Set<Watched>();
  #timer: NodeJS.Timeout | null = null;

  /** `bytesRead`: all that was ever received on its socket. */
  add(client: WebSocket, bytesRead: () => number): void {
    const nowMs = Date.now();
    const watched: Watched = { client, bytesRead, seenBytes: bytesRead(), received: fullAllowance(RECEIVED, nowMs) };
    let pings = fullAllowance(PINGS, nowMs);
    client.on('ping', () => {
      const left = spend(pings, PINGS, Date.now());
      if (left === null) client.terminate();
      else pings = left;
    });
    this.#watched.add(watched);
    client.once('close', () => this.#watched.delete(watched));
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  #look(): void {
    const nowMs = Date.now();
    for (const watched of this.#watched) {
      const bytesRead = watched.bytesRead();
      const left = spend(watched.received, RECEIVED, nowMs, bytesRead - watched.seenBytes);
      watched.seenBytes = bytesRead;
      if (left === null) watched.client.terminate();
      else watched.received = left;
    }
  }
}
