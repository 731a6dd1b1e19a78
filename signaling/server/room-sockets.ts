import { randomBytes } from 'node:crypto';
import type { WebSocket } from 'ws';
import { refusesConnection } from '../connection/addresses.ts';
import type { ConnectionId, Core, Effect, Input } from '../connection/core.ts';
import { stepCore } from '../connection/step.ts';
import type { Counts } from './metrics.ts';
import type { RoomPlanner } from './plan-service.ts';
import { UnfinishedMessages } from './unfinished.ts';

/** Enough for a room's code. */
const RANDOM_BYTES = 16;
/** Bytes that a socket may have taken and not yet sent. The core stops long before, but for what it cannot hold back. */
const MAX_UNSENT_BYTES = 2 * 1024 * 1024;

/** What was begun and not ended is looked at so often. */
const SWEEP_MS = 1000;
/** A socket that was told goodbye and does not close is closed. */
const GOODBYE_MS = 3000;

/** The connection core's home in a Node process: its sockets, its clock, its planner. */
export class RoomSockets {
  readonly #core: Core;
  readonly #sockets = new Map<ConnectionId, WebSocket>();
  readonly #planner: RoomPlanner;
  readonly #log: (line: string) => void;
  #lastId = 0;
  #messagesReceived = 0;
  #messagesSent = 0;
  readonly #unfinished = new UnfinishedMessages();
  #sweeping: NodeJS.Timeout | null = null;
  #alarm: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(core: Core, planner: RoomPlanner, log: (line: string) => void) {
    this.#core = core;
    this.#planner = planner;
    this.#log = log;
  }

  get counts(): Counts {
    const rooms = [...this.#core.rooms.values()];
    return {
      rooms: rooms.length,
      devices: rooms.reduce((sum, { seats }) => sum + seats.size, 0),
      connections: this.#sockets.size,
      messagesReceived: this.#messagesReceived,
      messagesSent: this.#messagesSent,
    };
  }

  /** Why an address may not open one more connection now, or null. */
  refuses(address: string): string | null {
    return refusesConnection(this.#core, address, Date.now());
  }

  /** `introduction` is who a connection for introductions says to be; null for one to a room. */
  connect(
    socket: WebSocket,
    {
      address,
      introduction,
      bytesRead,
    }: {
      readonly address: string;
      readonly introduction: { id: string; token: string } | null;
      readonly bytesRead: () => number;
    },
  ): void {
    const connection = ++this.#lastId;
    const speaker = { address, bytesRead, terminate: () => socket.terminate() };
    this.#unfinished.add(speaker);
    this.#sweeping ??= setInterval(() => this.#unfinished.sweep(Date.now()), SWEEP_MS).unref();
    this.#sockets.set(connection, socket);
    socket.on('error', () => socket.terminate());
    socket.on('message', (data, isBinary) => {
      // No message of ours is binary; an empty text is refused like any other that is not JSON.
      this.#unfinished.finished(speaker);
      const text = isBinary ? '' : data.toString();
      this.#messagesReceived += 1;
      this.#take({ type: 'text', connection, text, random: randomBytes(RANDOM_BYTES) });
    });
    socket.on('close', () => {
      this.#sockets.delete(connection);
      this.#unfinished.remove(speaker);
      this.#take({ type: 'closed', connection });
    });
    this.#take({ type: 'opened', connection, address, introduction });
  }

  close(): void {
    this.#closed = true;
    if (this.#alarm !== null) clearTimeout(this.#alarm);
    if (this.#sweeping !== null) clearInterval(this.#sweeping);
  }

  #take(input: Input): void {
    if (this.#closed) return;
    try {
      for (const effect of stepCore(this.#core, input, Date.now())) this.#do(effect);
    } catch (error) {
      // A fault of ours: whoever met it loses the connection, and nobody else anything.
      this.#log(`An input could not be answered: ${error instanceof Error ? error.stack : String(error)}`);
      if ('connection' in input) this.#sockets.get(input.connection)?.terminate();
    }
  }

  #do(effect: Effect): void {
    switch (effect.type) {
      case 'send': {
        const bytes = Buffer.from(effect.text);
        for (const id of effect.to) this.#send(id, bytes);
        break;
      }
      case 'close':
        this.#hangUp(effect.connection);
        break;
      case 'plan': {
        const { room, request } = effect;
        void this.#planner
          .plan(request.problem)
          .then((answer) => this.#take({ type: 'planned', room, request, answer }));
        break;
      }
      case 'wakeAt':
        if (this.#alarm !== null) clearTimeout(this.#alarm);
        this.#alarm = setTimeout(() => this.#take({ type: 'time' }), Math.max(0, effect.atMs - Date.now()));
        this.#alarm.unref();
        break;
      case 'log':
        this.#log(effect.line);
        break;
      default:
        effect satisfies never;
    }
  }

  /** Says goodbye, hears nothing more, and does not wait long for the other to say it, too. */
  #hangUp(id: ConnectionId): void {
    const socket = this.#sockets.get(id);
    if (socket === undefined) return;
    socket.removeAllListeners('message');
    socket.close();
    const timer = setTimeout(() => socket.terminate(), GOODBYE_MS).unref();
    socket.once('close', () => clearTimeout(timer));
  }

  #send(id: ConnectionId, bytes: Buffer): void {
    const socket = this.#sockets.get(id);
    if (socket === undefined) return;
    if (socket.bufferedAmount > MAX_UNSENT_BYTES) socket.terminate();
    else {
      socket.send(bytes, { binary: false });
      this.#messagesSent += 1;
    }
  }
}
