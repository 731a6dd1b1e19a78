import { DEFAULT_LIMITS, type Limits } from '../../signaling/connection/bounds/limits.ts';
import type { Core, Effect, Input, Secrets } from '../../signaling/connection/core.ts';
import { KeptCore, type Store } from '../../signaling/connection/kept/kept-core.ts';
import { newCore, stepCore } from '../../signaling/connection/step.ts';
import { planRoom } from '../../signaling/planner/room-plan.ts';
import { type ClientMessage, parseServerMessage, type ServerMessage } from '../../signaling/protocol/messages.ts';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { OPEN_DOOR, SETTINGS } from '../protocol/samples.ts';

export const SECRETS = { server: new Uint8Array(32).fill(7), turn: null };

export const device = (id: string) => ({ id, key: `keykeykeykey0000${id}`, name: id, kind: 'tab' as const });

/** The same files run with a core that stays in memory and, in a project of their own (vitest.config.ts), with one that is put away. */
const IS_KEPT = process.env.TABLOOM_CORE === 'kept';

export class MemoryStore implements Store {
  snapshot: string | null = null;
  added: string[] = [];

  read() {
    return this.snapshot === null ? null : { snapshot: this.snapshot, added: [...this.added] };
  }

  add(text: string): void {
    this.added.push(text);
  }

  replace(snapshot: string): void {
    this.snapshot = snapshot;
    this.added = [];
  }

  clear(): void {
    this.snapshot = null;
    this.added = [];
  }
}

/** Making a core anew takes longer than an input does: of many inputs, or with much to read, fewer find a new one. */
const EVERY_INPUT = 1500;
const LATER_EVERY = 13;
const EVERY_CHARACTERS = 30_000;
let takenOfFile = 0;

/** A core that is written down after every input, and made anew from what is written before the next one. */
class PutAway {
  readonly #store = new MemoryStore();
  readonly #fresh: () => Core;
  #now: KeptCore;
  #since = 0;

  constructor(fresh: () => Core) {
    this.#fresh = fresh;
    this.#now = this.#restored();
  }

  get core(): Core {
    return this.#now.core;
  }

  take(input: Input, nowMs: number): readonly Effect[] {
    takenOfFile += 1;
    this.#since += 1;
    const length = this.#store.snapshot?.length ?? 0;
    if (this.#since >= Math.max(takenOfFile < EVERY_INPUT ? 1 : LATER_EVERY, length / EVERY_CHARACTERS)) {
      this.#now = this.#restored();
      this.#since = 0;
    }
    const effects = this.#now.take(input, nowMs);
    this.#now.write();
    return effects;
  }

  #restored(): KeptCore {
    return new KeptCore({ store: this.#store, fresh: this.#fresh, snapshotEvery: 16 });
  }
}

/** The core without a home: a test hands in what happened and reads what was to be done. Time stands still unless it is told. */
export class Play {
  readonly #home: { readonly core: Core; take(input: Input, nowMs: number): readonly Effect[] };
  readonly logged: string[] = [];
  readonly closed: number[] = [];
  /** What was sent over connections for introductions. */
  readonly introduced: [connection: number, message: unknown][] = [];
  readonly #said = new Map<number, ServerMessage[]>();
  /** Who says nothing of its own accord: everybody else says what it has seen. */
  readonly ignorant = new Set<number>();
  /** Whether the planner answers at once. */
  plans = true;
  asked = 0;
  alarmMs: number | null = null;
  nowMs = 1_000_000;
  #lastId = 0;
  #seed = 1;

  constructor(
    limits: Partial<Limits> = {},
    { server = SECRETS.server, turn = null, iceServers = [] }: Partial<Secrets & Pick<Core, 'iceServers'>> = {},
  ) {
    const fresh = (): Core => newCore({ ...DEFAULT_LIMITS, ...limits }, { server, turn }, iceServers);
    const core = fresh();
    this.#home = IS_KEPT ? new PutAway(fresh) : { core, take: (input, nowMs) => stepCore(core, input, nowMs) };
  }

  get core(): Core {
    return this.#home.core;
  }

  open(address = '192.0.2.1'): number {
    const connection = ++this.#lastId;
    this.take({ type: 'opened', connection, address, introduction: null });
    return connection;
  }

  /** A connection for introductions. */
  line(introduction: { readonly id: string; readonly token: string }, address = '192.0.2.1'): number {
    const connection = ++this.#lastId;
    this.take({ type: 'opened', connection, address, introduction });
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
  host(
    id = 'hosthost',
    address?: string,
    door: Partial<Extract<ClientMessage, { type: 'create' }>> = {},
  ): { connection: number; room: string } {
    const connection = this.open(address);
    const entry = { type: 'create', version: PROTOCOL_VERSION, device: device(id), settings: SETTINGS } as const;
    this.send(connection, { ...entry, ...OPEN_DOOR, ...door });
    this.pass(100);
    const room = this.core.connections.get(connection)?.place?.room;
    if (room === undefined) throw new Error(`no room: ${JSON.stringify(this.said(connection))}`);
    this.said(connection);
    return { connection, room };
  }

  join(
    room: string,
    id: string,
    address?: string,
    shown: { readonly pass?: string; readonly claim?: string } = {},
  ): number {
    const connection = this.open(address);
    const entry = { type: 'join', version: PROTOCOL_VERSION, device: device(id), room, watch: false } as const;
    this.send(connection, { ...entry, ...shown });
    return connection;
  }

  /** What a connection was told since the last look. */
  said(connection: number): readonly ServerMessage[] {
    const messages = this.#said.get(connection) ?? [];
    this.#said.delete(connection);
    return messages;
  }

  take(input: Input): void {
    const seen: [number, number][] = [];
    for (const effect of this.#home.take(input, this.nowMs)) this.#do(effect, seen);
    for (const [connection, edition] of seen) this.send(connection, { type: 'seen', edition });
  }

  #do(effect: Effect, seen: [number, number][]): void {
    switch (effect.type) {
      case 'send': {
        const parsed = parseServerMessage(effect.text);
        // Not a control message: PeerJS's.
        if (!parsed.ok) {
          for (const to of effect.to) this.introduced.push([to, JSON.parse(effect.text)]);
          break;
        }
        for (const to of effect.to) {
          this.#said.set(to, [...(this.#said.get(to) ?? []), parsed.value]);
          if (parsed.value.type === 'news' && !this.ignorant.has(to)) seen.push([to, parsed.value.edition]);
        }
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
