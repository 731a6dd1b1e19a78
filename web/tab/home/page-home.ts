import { DEFAULT_LIMITS } from '../../../signaling/connection/bounds/limits.ts';
import type { ConnectionId, Core, Effect, Input } from '../../../signaling/connection/core.ts';
import { newCore, stepCore } from '../../../signaling/connection/step.ts';
import type { RoomPlanAnswer, RoomProblem } from '../../../signaling/planner/room-plan.ts';
import { OPEN_VALVE, Pipe, type Valve } from './pipe.ts';

/** Enough for a room's code. */
const RANDOM_BYTES = 16;
const SECRET_BYTES = 32;
/** Characters that a pipe may hold for a side that takes nothing. The core stops long before, but for what it cannot hold back. */
const MAX_UNREAD = 1024 * 1024;
/** Never rejects: a failure is an answer. */
export type AskRoomPlanner = (problem: RoomProblem) => Promise<RoomPlanAnswer>;

/** The connection core's home in a page: pipes for sockets, the page's clock, a planner on a thread of the page. Nobody else reaches it. */
export class PageHome {
  readonly #core: Core = newCore(
    DEFAULT_LIMITS,
    { server: crypto.getRandomValues(new Uint8Array(SECRET_BYTES)), turn: null },
    [],
  );
  readonly #planner: AskRoomPlanner;
  readonly #pipes = new Map<ConnectionId, Pipe>();
  #lastId = 0;
  #alarm: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(planner: AskRoomPlanner) {
    this.#planner = planner;
  }

  /** As if to a server, from `address`: `url` is that of a WebSocket to a room, or PeerJS's own for introductions. */
  open(url: string, address: string, valve: Valve = OPEN_VALVE): Pipe {
    const pipe = new Pipe(valve);
    const { searchParams } = new URL(url);
    const [id, token] = [searchParams.get('id'), searchParams.get('token')];
    const introduction = id === null || token === null ? null : { id, token };
    pipe.connect(() => {
      const connection = ++this.#lastId;
      this.#pipes.set(connection, pipe);
      this.#take({ type: 'opened', connection, address, introduction });
      return {
        text: (text) => {
          const random = crypto.getRandomValues(new Uint8Array(RANDOM_BYTES));
          this.#take({ type: 'text', connection, text, random });
        },
        closed: () => {
          if (this.#pipes.delete(connection)) this.#take({ type: 'closed', connection });
        },
      };
    });
    return pipe;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#alarm);
    for (const pipe of this.#pipes.values()) pipe.close();
  }

  #take(input: Input): void {
    if (this.#closed) return;
    try {
      for (const effect of stepCore(this.#core, input, Date.now())) this.#do(effect);
    } catch (error) {
      // A fault of ours: whoever met it loses the connection, and nobody else anything.
      console.error('An input could not be answered:', error);
      if ('connection' in input) this.#pipes.get(input.connection)?.close();
    }
  }

  #do(effect: Effect): void {
    switch (effect.type) {
      case 'send':
        for (const id of effect.to) this.#send(id, effect.text);
        break;
      case 'close':
        this.#pipes.get(effect.connection)?.hangUp();
        break;
      case 'plan': {
        const { room, request } = effect;
        void this.#planner(request.problem).then((answer) => this.#take({ type: 'planned', room, request, answer }));
        break;
      }
      case 'wakeAt':
        clearTimeout(this.#alarm);
        this.#alarm = setTimeout(() => this.#take({ type: 'time' }), Math.max(0, effect.atMs - Date.now()));
        break;
      case 'log':
        break;
      default:
        effect satisfies never;
    }
  }

  #send(id: ConnectionId, text: string): void {
    const pipe = this.#pipes.get(id);
    if (pipe === undefined) return;
    if (pipe.unread > MAX_UNREAD) pipe.close();
    else pipe.deliver(text);
  }
}
