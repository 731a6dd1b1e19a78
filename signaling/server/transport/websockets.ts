import { type IncomingMessage, STATUS_CODES } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { MAX_CONTROL_CHARACTERS } from '../../protocol/limits.ts';
import { dismiss, FloodWatch } from './socket-guard.ts';
import type { UnfinishedMessages } from './unfinished.ts';
import type { Caller, Home, Wire } from './wire.ts';

/** In bytes; of what is in UTF-8, a character takes up to three for each UTF-16 code unit. */
export const MAX_MESSAGE_BYTES = 3 * MAX_CONTROL_CHARACTERS;
/** Browsers send a long message in a few frames. */
const MAX_FRAGMENTS = 1024;
/** As RFC 6455's registry has it: the client may reconnect. */
const SERVICE_RESTART = 1012;
/** A client that has not hung up by then is not waited for. */
const DRAIN_MS = 1000;
/** A socket that was told goodbye and does not close is closed. */
const GOODBYE_MS = 3000;

/** Connections over WebSockets, one each. */
export class WebSockets {
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    maxFragments: MAX_FRAGMENTS,
    perMessageDeflate: false,
  });
  readonly #floods = new FloodWatch();
  readonly #home: Home;
  readonly #unfinished: UnfinishedMessages;

  constructor(home: Home, unfinished: UnfinishedMessages) {
    this.#home = home;
    this.#unfinished = unfinished;
  }

  accept(request: IncomingMessage, socket: Duplex, head: Buffer, caller: Caller): void {
    this.#server.handleUpgrade(request, socket, head, (client) => {
      const bytesRead = (): number => (socket instanceof Socket ? socket.bytesRead : 0);
      this.#floods.add(client, bytesRead);
      this.#connect(client, caller, bytesRead);
    });
  }

  /** Tells all clients that they may come back, and waits until they have hung up, or for `DRAIN_MS`. */
  async drain(): Promise<void> {
    const { clients } = this.#server;
    const gone = [...clients].map((client) => new Promise((resolve) => client.once('close', resolve)));
    for (const client of clients) client.close(SERVICE_RESTART, 'The server is being restarted.');
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, DRAIN_MS);
    });
    await Promise.race([Promise.all(gone), late]);
    clearTimeout(timer);
    for (const client of clients) client.terminate();
    this.#floods.close();
  }

  #connect(socket: WebSocket, caller: Caller, bytesRead: () => number): void {
    const speaker = { address: caller.address, bytesRead, terminate: () => socket.terminate() };
    this.#unfinished.add(speaker);
    socket.on('error', () => socket.terminate());
    const heard = this.#home.connect(wireOf(socket), caller);
    socket.on('message', (data, isBinary) => {
      this.#unfinished.finished(speaker);
      // No message of ours is binary; an empty text is refused like any other that is not JSON.
      heard.text(isBinary ? '' : data.toString());
    });
    socket.on('close', () => {
      this.#unfinished.remove(speaker);
      heard.closed();
    });
  }
}

const wireOf = (socket: WebSocket): Wire => ({
  get unsentBytes() {
    return socket.bufferedAmount;
  },
  send: (bytes) => socket.send(bytes, { binary: false }),
  close: () => {
    socket.removeAllListeners('message');
    socket.close();
    const timer = setTimeout(() => socket.terminate(), GOODBYE_MS).unref();
    socket.once('close', () => clearTimeout(timer));
  },
  terminate: () => socket.terminate(),
});

/** Answers a wish for a WebSocket that is not granted. */
export function refuseUpgrade(socket: Duplex, status: number): void {
  dismiss(socket, `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n\r\n`);
}
