import { randomBytes } from 'node:crypto';
import type { WebSocket } from 'ws';
import type { ConnectionId, Core, Effect, Input } from '../connection/core.ts';
import { DEFAULT_LIMITS } from '../connection/limits.ts';
import { newCore, step } from '../connection/step.ts';
import type { RoomPlanner } from './plan-service.ts';

/** Enough for a room's code. */
const RANDOM_BYTES = 16;

/** The connection core's home in a Node process: its sockets, its clock, its planner. */
export class RoomSockets {
  readonly #core: Core = newCore(DEFAULT_LIMITS);
  readonly #sockets = new Map<ConnectionId, WebSocket>();
  readonly #planner: RoomPlanner;
  readonly #log: (line: string) => void;
  #lastId = 0;
  #alarm: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(planner: RoomPlanner, log: (line: string) => void) {
    this.#planner = planner;
    this.#log = log;
  }

  connect(socket: WebSocket, address: string): void {
    const connection = ++this.#lastId;
    this.#sockets.set(connection, socket);
    socket.on('error', () => socket.terminate());
    socket.on('message', (data, isBinary) => {
      // No message of ours is binary; an empty text is refused like any other that is not JSON.
      const text = isBinary ? '' : data.toString();
      this.#take({ type: 'text', connection, text, random: randomBytes(RANDOM_BYTES) });
    });
    socket.on('close', () => {
      this.#sockets.delete(connection);
      this.#take({ type: 'closed', connection });
    });
    this.#take({ type: 'opened', connection, address });
  }

  close(): void {
    this.#closed = true;
    if (this.#alarm !== null) clearTimeout(this.#alarm);
  }

  #take(input: Input): void {
    if (this.#closed) return;
    for (const effect of step(this.#core, input, Date.now())) this.#do(effect);
  }

  #do(effect: Effect): void {
    switch (effect.type) {
      case 'send':
        for (const id of effect.to) this.#sockets.get(id)?.send(effect.text);
        break;
      case 'close':
        this.#sockets.get(effect.connection)?.close();
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
}
