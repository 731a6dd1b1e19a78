import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { field } from './candidates.ts';

const LOOPBACK = '127.0.0.1';

interface Hears {
  /** Somebody asks for introductions under this id. */
  came(id: string): void;
  /** What it says to another there; what is to be passed on instead, or null for nothing. */
  said(id: string, to: string, text: string): Promise<string | null>;
}

/**
 * A way to the server for one peer: all that it says is passed on as it is, but for where it can be reached. Event streams, on which
 * introductions would go another way, are refused: a peer then stays with WebSockets.
 */
export class Door {
  readonly #server: URL;
  readonly #hears: Hears;
  readonly #listener: Server;
  readonly #introductions = new WebSocketServer({ noServer: true, perMessageDeflate: false, autoPong: false });
  readonly #open = new Set<Duplex>();
  #cut = false;

  private constructor(server: URL, hears: Hears) {
    this.#server = server;
    this.#hears = hears;
    this.#listener = createServer((incoming, response) => {
      if (this.#cut || /^\/stream\b/.test(incoming.url ?? '')) {
        response.writeHead(404).end();
        return;
      }
      const { method, url: path, headers } = incoming;
      const passed = request({ host: server.hostname, port: server.port, method, path, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      passed.on('error', () => response.destroy());
      response.on('close', () => passed.destroy());
      incoming.pipe(passed);
    });
    this.#listener.on('connection', (socket) => this.#hold(socket));
    this.#listener.on('upgrade', (incoming, socket, head) => this.#upgrade(incoming, socket, head));
  }

  static async open(server: URL, hears: Hears): Promise<Door> {
    const door = new Door(server, hears);
    await new Promise<void>((resolve) => door.#listener.listen(0, LOOPBACK, resolve));
    return door;
  }

  /** Instead of the server's. */
  get origin(): string {
    const address = this.#listener.address();
    return `http://${LOOPBACK}:${typeof address === 'object' ? address?.port : ''}`;
  }

  /** A link of the same session that leads through here. */
  link(link: string): string {
    return link.replace(/^\w+:\/\/[^/#]*/, this.origin);
  }

  /** The server is away for this peer: what is open ends, and nothing opens until `heal`. */
  cut(): void {
    this.#cut = true;
    for (const socket of this.#open) socket.destroy();
  }

  /** What is open takes nothing and says nothing any more; what opens afterwards does. */
  stall(): void {
    for (const socket of this.#open) {
      socket.unpipe();
      socket.removeAllListeners('data');
      socket.pause();
    }
  }

  heal(): void {
    this.#cut = false;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#listener.close(resolve));
  }

  #hold<T extends Duplex>(socket: T): T {
    this.#open.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#open.delete(socket));
    return socket;
  }

  #upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { searchParams, pathname } = new URL(incoming.url ?? '/', this.#server);
    const id = searchParams.get('id');
    if (this.#cut) socket.destroy();
    else if (pathname.startsWith('/peer') && id !== null) this.#introduce(id, incoming, socket, head);
    else this.#passOn(incoming, socket, head);
  }

  /** Bytes as they are. */
  #passOn({ method, url, httpVersion, rawHeaders }: IncomingMessage, socket: Duplex, head: Buffer): void {
    const onward: Socket = this.#hold(connect(Number(this.#server.port), this.#server.hostname));
    const lines = [`${method} ${url} HTTP/${httpVersion}`];
    for (let at = 0; at < rawHeaders.length; at += 2) lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
    onward.write(`${lines.join('\r\n')}\r\n\r\n`);
    onward.write(head);
    onward.pipe(socket).pipe(onward);
    onward.on('close', () => socket.destroy());
    socket.on('close', () => onward.destroy());
  }

  #introduce(id: string, incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { host, origin } = incoming.headers;
    const onward = new WebSocket(new URL(incoming.url ?? '/', `ws://${this.#server.host}`), {
      perMessageDeflate: false,
      autoPong: false,
      headers: { ...(host && { host }), ...(origin && { origin }) },
    });
    onward.on('error', () => socket.destroy());
    onward.once('open', () =>
      this.#introductions.handleUpgrade(incoming, socket, head, (client) => {
        this.#hears.came(id);
        client.on('error', () => client.terminate());
        const send = (text: string | null): void => {
          if (text !== null && onward.readyState === WebSocket.OPEN) onward.send(text);
        };
        // To each other peer in the order in which it was said, however long it takes to find a port.
        const before = new Map<string, Promise<unknown>>();
        client.on('message', (data) => {
          const text = data.toString();
          const to = field(JSON.parse(text), 'dst');
          if (typeof to !== 'string') {
            send(text);
            return;
          }
          const passed = Promise.all([this.#hears.said(id, to, text), before.get(to)]);
          before.set(
            to,
            passed.then(([changed]) => send(changed)).catch(() => client.terminate()),
          );
        });
        onward.on('message', (data) => client.send(data.toString()));
        // A peer that is stopped answers nothing; nobody answers for it.
        onward.on('ping', (data) => client.ping(data));
        client.on('ping', (data) => onward.ping(data));
        onward.on('pong', (data) => client.pong(data));
        client.on('pong', (data) => onward.pong(data));
        onward.on('close', () => client.terminate());
        client.on('close', () => onward.terminate());
      }),
    );
    socket.on('close', () => onward.terminate());
  }
}
