import type { Core, Effect } from '../../signaling/connection/core.ts';
import { DEFAULT_LIMITS, type Limits } from '../../signaling/connection/limits.ts';
import { newCore, step } from '../../signaling/connection/step.ts';
import { planRoom } from '../../signaling/planner/room-plan.ts';
import { type ClientMessage, parseServerMessage, type ServerMessage } from '../../signaling/protocol/messages.ts';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { SETTINGS } from '../protocol/samples.ts';

export const device = (id: string) => ({ id, key: `keykeykeykey0000${id}`, name: id, kind: 'tab' as const });

/** The core without a home: a test hands in what happened and reads what was to be done. Time stands still unless it is told. */
export class Play {
  readonly core: Core;
  readonly logged: string[] = [];
  readonly closed: number[] = [];
  readonly #said = new Map<number, ServerMessage[]>();
  /** Whether the planner answers at once. */
  plans = true;
  asked = 0;
  alarmMs: number | null = null;
  nowMs = 1_000_000;
  #lastId = 0;
  #seed = 1;

  constructor(limits: Partial<Limits> = {}) {
    this.core = newCore({ ...DEFAULT_LIMITS, ...limits });
  }

  open(address = '192.0.2.1'): number {
    const connection = ++this.#lastId;
    this.take({ type: 'opened', connection, address });
    return connection;
  }

  send(connection: number, message: ClientMessage): void {
    this.text(connection, JSON.stringify(message));
  }

  text(connection: number, text: string): void {
    const random = Uint8Array.from({ length: 16 }, (_, i) => (this.#seed * 31 + i * 7) % 256);
    this.#seed += 1;
    this.take({ type: 'text', connection, text, random });
  }

  drop(connection: number): void {
    this.take({ type: 'closed', connection });
  }

  /** Lets so much time pass, and rings every alarm on the way. */
  pass(ms: number): void {
    const untilMs = this.nowMs + ms;
    while (this.alarmMs !== null && this.alarmMs <= untilMs) {
      this.nowMs = Math.max(this.nowMs, this.alarmMs);
      this.alarmMs = null;
      this.take({ type: 'time' });
    }
    this.nowMs = untilMs;
  }

  /** A room with its host on a connection of its own, and what is said so far forgotten. */
  host(id = 'hosthost', address?: string): { connection: number; room: string } {
    const connection = this.open(address);
    this.send(connection, { type: 'create', version: PROTOCOL_VERSION, device: device(id), settings: SETTINGS });
    this.pass(100);
    const room = this.core.connections.get(connection)?.place?.room;
    if (room === undefined) throw new Error(`no room: ${JSON.stringify(this.said(connection))}`);
    this.said(connection);
    return { connection, room };
  }

  join(room: string, id: string, address?: string): number {
    const connection = this.open(address);
    this.send(connection, { type: 'join', version: PROTOCOL_VERSION, device: device(id), room, watch: false });
    return connection;
  }

  /** What a connection was told since the last look. */
  said(connection: number): readonly ServerMessage[] {
    const messages = this.#said.get(connection) ?? [];
    this.#said.delete(connection);
    return messages;
  }

  take(input: Parameters<typeof step>[1]): void {
    for (const effect of step(this.core, input, this.nowMs)) this.#do(effect);
  }

  #do(effect: Effect): void {
    switch (effect.type) {
      case 'send': {
        const parsed = parseServerMessage(effect.text);
        if (!parsed.ok) throw new Error(parsed.sentence);
        for (const to of effect.to) this.#said.set(to, [...(this.#said.get(to) ?? []), parsed.value]);
        break;
      }
      case 'close':
        this.closed.push(effect.connection);
        break;
      case 'plan':
        this.asked += 1;
        if (this.plans) {
          const { room, request } = effect;
          this.take({ type: 'planned', room, request, answer: planRoom(request.problem) });
        }
        break;
      case 'wakeAt':
        this.alarmMs = effect.atMs;
        break;
      case 'log':
        this.logged.push(effect.line);
        break;
    }
  }
}
