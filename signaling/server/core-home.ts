import { randomBytes } from 'node:crypto';
import { refusesConnection } from '../connection/addresses.ts';
import type { ConnectionId, Core, Effect, Input } from '../connection/core.ts';
import { stepCore } from '../connection/step.ts';
import type { Counts } from './metrics.ts';
import type { RoomPlanner } from './plan-service.ts';
import type { Caller, Heard, Home, Wire } from './transport/wire.ts';

/** Enough for a room's code. */
const RANDOM_BYTES = 16;
/** Drawn at once: a draw costs as much as all else that a short message does. */
const RANDOM_DRAWS = 256;
/** Bytes that a wire may have taken and not yet sent. The core stops long before, but for what it cannot hold back. */
const MAX_UNSENT_BYTES = 2 * 1024 * 1024;

/** The connection core's home in a Node process: its wires, its clock, its planner. */
export class CoreHome implements Home {
  readonly #core: Core;
  readonly #wires = new Map<ConnectionId, Wire>();
  readonly #planner: RoomPlanner;
  readonly #log: (line: string) => void;
  #lastId = 0;
  #messagesReceived = 0;
  #messagesSent = 0;
  #alarm: NodeJS.Timeout | null = null;
  #drawn = Buffer.alloc(0);
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
      connections: this.#wires.size,
      messagesReceived: this.#messagesReceived,
      messagesSent: this.#messagesSent,
    };
  }

  /** Why an address may not open one more connection now, or null. */
  refuses(address: string): string | null {
    return refusesConnection(this.#core, address, Date.now());
  }

  connect(wire: Wire, { address, introduction }: Caller): Heard {
    const connection = ++this.#lastId;
    this.#wires.set(connection, wire);
    this.#take({ type: 'opened', connection, address, introduction });
    return {
      text: (text) => {
        this.#messagesReceived += 1;
        this.#take({ type: 'text', connection, text, random: this.#random() });
      },
      closed: () => {
        if (this.#wires.delete(connection)) this.#take({ type: 'closed', connection });
      },
    };
  }

  close(): void {
    this.#closed = true;
    if (this.#alarm !== null) clearTimeout(this.#alarm);
  }

  /** Given out once, and a copy, so that nobody who keeps one keeps the others. */
  #random(): Uint8Array {
    if (this.#drawn.length < RANDOM_BYTES) this.#drawn = randomBytes(RANDOM_DRAWS * RANDOM_BYTES);
    const random = Uint8Array.from(this.#drawn.subarray(0, RANDOM_BYTES));
    this.#drawn.fill(0, 0, RANDOM_BYTES);
    this.#drawn = this.#drawn.subarray(RANDOM_BYTES);
    return random;
  }

  #take(input: Input): void {
    if (this.#closed) return;
    try {
      for (const effect of stepCore(this.#core, input, Date.now())) this.#do(effect);
    } catch (error) {
      // A fault of ours: whoever met it loses the connection, and nobody else anything.
      this.#log(`An input could not be answered: ${error instanceof Error ? error.stack : String(error)}`);
      if ('connection' in input) this.#wires.get(input.connection)?.terminate();
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
        this.#wires.get(effect.connection)?.close();
        break;
      case 'plan': {
        const { room, request } = effect;
        void this.#planner
          .plan(request.problem, this.#core.rooms.get(room)?.address)
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

  #send(id: ConnectionId, bytes: Buffer): void {
    const wire = this.#wires.get(id);
    if (wire === undefined) return;
    if (wire.unsentBytes > MAX_UNSENT_BYTES) wire.terminate();
    else {
      wire.send(bytes);
      this.#messagesSent += 1;
    }
  }
}
