import type { IncomingMessage, ServerResponse } from 'node:http';
import express from 'express';
import type { Limits } from '../../connection/bounds/limits.ts';
import type { CodeShare } from '../../connection/core.ts';
import { OpenStream } from './open-stream.ts';
import type { UnfinishedMessages } from './unfinished.ts';
import { MAX_MESSAGE_BYTES } from './websockets.ts';
import type { Home } from './wire.ts';

/** A request brings one message of the longest kind, or many short ones. */
const MAX_BODY_BYTES = MAX_MESSAGE_BYTES + 1024;

export interface StreamOptions {
  readonly home: Home;
  readonly gate: {
    refusesOrigin(request: IncomingMessage): string | null;
    addressOf(request: IncomingMessage): string;
  };
  readonly limits: Limits;
  readonly share: CodeShare;
  readonly unfinished: UnfinishedMessages;
}

/**
 * Connections for clients that get no WebSocket: all of a tab's over one answer that never ends (server-sent events), and what it says in
 * requests of their own, one at a time. `POST /stream` opens a stream, `POST /stream/TOKEN?at=N` brings the N-th request of its client; one
 * whose answer was lost comes again, and is not heard twice.
 */
export class EventStreams {
  readonly routes = express.Router();
  readonly #streams = new Map<string, OpenStream>();
  readonly #ofAddress = new Map<string, number>();
  readonly #options: StreamOptions;
  #closing = false;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.routes.post('/stream', (request, response) => this.#open(request, response));
    this.routes.post('/stream/:token', (request, response) => {
      void this.#hear(request, response, request.params.token, request.query.at);
    });
  }

  /** Ends all streams: whoever is told so comes back to the next process. */
  close(): void {
    this.#closing = true;
    for (const stream of this.#streams.values()) stream.end();
  }

  #open(request: IncomingMessage, response: ServerResponse): void {
    const { gate, home, unfinished, share } = this.#options;
    const address = gate.addressOf(request);
    // Asked for before the answer to an earlier request was whole, it would wait behind that: nobody would ever hear it, nor when it ends.
    const waits = response.socket === null;
    const status = gate.refusesOrigin(request) !== null ? 403 : waits ? 400 : this.#refuses(address);
    if (status !== null) {
      answer(response, status);
      return;
    }
    request.resume();
    const stream = new OpenStream(home, address, share, response);
    this.#streams.set(stream.token, stream);
    this.#ofAddress.set(address, (this.#ofAddress.get(address) ?? 0) + 1);
    unfinished.add(stream);
    response.once('close', () => {
      this.#streams.delete(stream.token);
      unfinished.remove(stream);
      const left = (this.#ofAddress.get(address) ?? 1) - 1;
      if (left > 0) this.#ofAddress.set(address, left);
      else this.#ofAddress.delete(address);
    });
  }

  /** The status that an address gets in place of a stream, or null. */
  #refuses(address: string): number | null {
    const { home, limits } = this.#options;
    if (this.#closing) return 503;
    const isFull =
      this.#streams.size >= limits.connections || (this.#ofAddress.get(address) ?? 0) >= limits.connectionsOfAddress;
    return isFull || home.refuses(address) !== null ? 429 : null;
  }

  async #hear(request: IncomingMessage, response: ServerResponse, token: string, at: unknown): Promise<void> {
    const stream = this.#streams.get(token);
    if (this.#options.gate.refusesOrigin(request) !== null) answer(response, 403);
    else if (stream === undefined) answer(response, 404);
    else if (stream.reading !== null) answer(response, 409);
    // The answer to it did not reach the client, which says it again.
    else if (at === String(stream.requests - 1)) answer(response, 204);
    else if (at !== String(stream.requests)) {
      answer(response, 400);
      stream.terminate();
    } else {
      stream.reading = request;
      const body = await readBody(request, (bytes) => stream.received(bytes));
      stream.reading = null;
      if (body === null) {
        answer(response, 413);
        stream.terminate();
      } else if (body === undefined) response.destroy();
      else {
        this.#options.unfinished.finished(stream);
        stream.requests += 1;
        answer(response, 204);
        stream.hear(body);
      }
    }
  }
}

/** Null when it is too long, or `takes` has had enough; undefined when it broke off: then the client brings it again. */
function readBody(request: IncomingMessage, takes: (bytes: number) => boolean): Promise<string | null | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve) => {
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (takes(chunk.length) && bytes <= MAX_BODY_BYTES) chunks.push(chunk);
      else {
        chunks.length = 0;
        resolve(null);
      }
    });
    request.once('end', () => resolve(Buffer.concat(chunks).toString()));
    for (const event of ['close', 'error']) request.once(event, () => resolve(undefined));
  });
}

/** Without what is left of the request, should anything be. */
function answer(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'Cache-Control': 'no-store' }).end();
}
