import type { ConnectionId, Effect, Input } from '../connection/core.ts';
import { KeptCore } from '../connection/kept/kept-core.ts';
import { dataOf, textOf } from '../connection/kept/text.ts';
import type { RoomPlanAnswer } from '../planner/room-plan.ts';
import { MAX_CONTROL_CHARACTERS } from '../protocol/limits.ts';
import { utf8Bytes } from '../protocol/text/plain-text.ts';
import { visible } from '../protocol/text/visible.ts';
import type { PlanRequest } from '../room/room.ts';
import { changes, TELL_AGAIN_MS, watch } from './account.ts';
import { ask } from './address-object.ts';
import { type Environment, type ObjectSocket, type ObjectState, upgraded } from './platform.ts';
import { callOf } from './room-call.ts';
import { newRoomCore } from './settings.ts';
import { SqlStore } from './sql-store.ts';

/** A deadline as near as this is a timer's; a later one is an alarm, so that the object can be put away until then. */
const NEAR_MS = 10_000;
/** An object that is lost with its timers is woken so much later. */
const ALARM_LATE_MS = 15_000;
/** What only says that somebody is there, or has seen something, is written with what comes next, or after so long. */
const WRITE_MS = 1000;
const QUIET = /^\{"type":"(?:ping|pong|seen)"/;
/** The planner has so long; the room keeps going with the plan that it has. */
const PLAN_MS = 15_000;
/**
 * The platform does not tell what of a message has left. Views are acknowledged, and the core tells no more news to who has not seen the
 * last; for all else this many bytes may be on their way to somebody who says nothing.
 */
const MAX_UNHEARD_BYTES = 2 * 1024 * 1024;

/** After a fault of ours the core looks again at what is due. */
const FAULT_MS = 1000;

const NORMAL = 1000;
const TOO_LONG = 1009;
const FAULT = 1011;
const COME_AGAIN = 1012;
const OPEN = 1;

/**
 * The connection core's home in a Durable Object: one room's core, its connections, its clock. The platform may put the object away while its
 * sockets stay open, and does so when nothing happens; what it says is held back until what it wrote is on disk.
 */
export class RoomObject {
  readonly #state: ObjectState;
  readonly #environment: Environment;
  readonly #isAlwaysPutAway: boolean;
  #store: SqlStore;
  #code: string;
  #kept: KeptCore | null = null;
  readonly #unheardBytes = new Map<ConnectionId, number>();
  #lastId: ConnectionId = 0;
  /** When all addresses' objects were last told what they have here. */
  #toldMs = 0;
  /** Effects wait here until an address's object knows what was spent. */
  #waiting: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #writing: ReturnType<typeof setTimeout> | null = null;
  #alarmMs: number | null = null;

  constructor(state: ObjectState, environment: Environment) {
    this.#state = state;
    this.#environment = environment;
    this.#isAlwaysPutAway = environment.EVICT === 'always';
    this.#store = new SqlStore(state.storage.sql);
    this.#code = this.#store.code ?? '';
    void state.blockConcurrencyWhile(async () => {
      this.#alarmMs = await state.storage.getAlarm();
    });
    if (this.#code !== '') this.#return();
  }

  /** A connection of somebody whom the outer Worker let through. */
  fetch(request: Request): Response {
    const call = callOf(request);
    if (this.#code === '') this.#code = call.code;
    const kept = this.#core();
    if (call.makes && kept.core.rooms.size > 0) {
      // The account was told of one more connection than there is.
      this.#toldMs = 0;
      return new Response(null, { status: 409 });
    }
    const { 0: theirs, 1: ours } = new WebSocketPair();
    // Numbers are not given again while the object lives, even where nothing is kept: a socket that closes late is nobody else's.
    const connection = Math.max(kept.newConnection(), this.#lastId + 1);
    this.#lastId = connection;
    this.#state.acceptWebSocket(ours, [`${connection}`]);
    ours.serializeAttachment(connection);
    const { address, introduction, standing } = call;
    this.#take({ type: 'standing', address, standing }, true);
    this.#take({ type: 'opened', connection, address, introduction });
    return upgraded(theirs);
  }

  webSocketMessage(socket: ObjectSocket, message: string | ArrayBuffer): void {
    const connection = connectionOf(socket);
    if (typeof message === 'string' && message.length > MAX_CONTROL_CHARACTERS) {
      hangUp(socket, TOO_LONG);
      this.#take({ type: 'closed', connection });
      return;
    }
    if (socket.readyState !== OPEN) return;
    this.#unheardBytes.delete(connection);
    // No message of ours is binary; an empty text is refused like any other that is not JSON.
    const text = typeof message === 'string' ? message : '';
    if (this.#core().core.connections.has(connection))
      this.#take({ type: 'text', connection, text, random: NO_CHANCE }, QUIET.test(text));
    // Told goodbye, or of a time that nothing is known of.
    else hangUp(socket, COME_AGAIN);
  }

  webSocketClose(socket: ObjectSocket): void {
    hangUp(socket, NORMAL);
    this.#closed(connectionOf(socket));
  }

  webSocketError(socket: ObjectSocket): void {
    this.#closed(connectionOf(socket));
  }

  alarm(): void {
    this.#alarmMs = null;
    if (this.#code !== '') this.#take({ type: 'time' }, true);
  }

  #closed(connection: ConnectionId): void {
    this.#unheardBytes.delete(connection);
    if (this.#socket(connection) !== undefined) return;
    if (this.#core().core.connections.has(connection)) this.#take({ type: 'closed', connection });
  }

  /** The core, made anew from what is kept where it was put away. */
  #core(): KeptCore {
    this.#kept ??= new KeptCore({ store: this.#store, fresh: () => newRoomCore(this.#environment, this.#code) });
    return this.#kept;
  }

  /** The object is back: some sockets may be gone, and timers are. */
  #return(): void {
    const sockets = this.#state.getWebSockets().filter(({ readyState }) => readyState === OPEN);
    this.#take({ type: 'restored', connections: sockets.map(connectionOf) });
  }

  #take(input: Input, isQuiet = false): void {
    const nowMs = Date.now();
    const kept = this.#core();
    const { limits } = kept.core;
    try {
      const before = watch(kept.core);
      const effects = kept.take(input, nowMs);
      // What is learnt of an address was spent elsewhere.
      const spent = input.type === 'standing' ? [] : changes(before, watch(kept.core), limits, nowMs);
      const isOver = this.#write(kept, isQuiet);
      const told = this.#tell(spent, nowMs);
      this.#perform(effects, told);
      if (isOver) this.#clear();
    } catch (error) {
      // A fault of ours: whoever met it loses the connection, and nobody else anything. What was written is without it.
      console.error(
        `An input could not be answered: ${visible(error instanceof Error ? `${error.stack}` : `${error}`)}`,
      );
      this.#kept = null;
      const socket = 'connection' in input ? this.#socket(input.connection) : undefined;
      if (socket !== undefined) hangUp(socket, FAULT);
      this.#wakeAt(nowMs + FAULT_MS);
    }
    if (this.#isAlwaysPutAway) this.#kept = null;
  }

  /** Writes what was taken, before anybody hears what follows from it; says whether there is nothing left to keep. */
  #write(kept: KeptCore, isQuiet: boolean): boolean {
    const { rooms, connections } = kept.core;
    if (rooms.size === 0 && connections.size === 0 && !isQuiet) return true;
    // An object of a code that is no room's keeps nothing: who guesses codes fills no disk.
    if (rooms.size === 0 && !kept.isKept && !this.#isAlwaysPutAway) return false;
    if (isQuiet && !this.#isAlwaysPutAway) {
      this.#writing ??= setTimeout(() => {
        this.#writing = null;
        this.#kept?.write();
      }, WRITE_MS);
      return false;
    }
    if (!kept.isKept) this.#store.code = this.#code;
    kept.write();
    return false;
  }

  #clear(): void {
    this.#kept = null;
    for (const timer of [this.#timer, this.#writing]) if (timer !== null) clearTimeout(timer);
    this.#timer = null;
    this.#writing = null;
    if (this.#store.code === null) return;
    this.#store.clear();
    this.#store = new SqlStore(this.#state.storage.sql);
    this.#alarmMs = null;
    // With its tables, and its alarm: an empty database would be kept, too.
    void this.#state.blockConcurrencyWhile(() => this.#state.storage.deleteAll());
  }

  /** Tells addresses' objects what changed; what was spent has to be known there before anybody hears of it. Null when nothing was. */
  #tell(spent: ReturnType<typeof changes>, nowMs: number): Promise<void> | null {
    const { core } = this.#core();
    const isDue = nowMs - this.#toldMs >= TELL_AGAIN_MS;
    if (isDue) this.#toldMs = nowMs;
    const all = isDue ? changes(new Map(), watch(core), core.limits, nowMs) : [];
    const reports = [...spent, ...all.filter(({ address }) => !spent.some((one) => one.address === address))];
    const telling = reports.map(async ({ address, ...report }) => {
      try {
        const { standing } = await ask(this.#environment, address, { type: 'report', code: this.#code, ...report });
        if (report.guesses > 0 || report.looks > 0) this.#take({ type: 'standing', address, standing }, true);
      } catch (error) {
        console.error(`An address's account could not be reached: ${visible(`${error}`)}`);
      }
    });
    const isSpent = spent.some(({ guesses, looks }) => guesses > 0 || looks > 0);
    return isSpent ? Promise.all(telling).then(() => undefined) : null;
  }

  #perform(effects: readonly Effect[], after: Promise<void> | null): void {
    if (after === null && this.#waiting === null) {
      for (const effect of effects) this.#do(effect);
      return;
    }
    const waiting: Promise<void> = Promise.all([this.#waiting, after]).then(() => {
      for (const effect of effects) this.#do(effect);
      if (this.#waiting === waiting) this.#waiting = null;
    });
    this.#waiting = waiting;
  }

  #do(effect: Effect): void {
    switch (effect.type) {
      case 'send': {
        const bytes = utf8Bytes(effect.text);
        for (const id of effect.to) this.#send(id, effect.text, bytes);
        break;
      }
      case 'close': {
        const socket = this.#socket(effect.connection);
        if (socket !== undefined) hangUp(socket, NORMAL);
        this.#unheardBytes.delete(effect.connection);
        break;
      }
      case 'plan':
        void this.#plan(effect.room, effect.request);
        break;
      case 'wakeAt':
        this.#wakeAt(effect.atMs);
        break;
      case 'log':
        console.log(visible(effect.line));
        break;
      default:
        effect satisfies never;
    }
  }

  #send(id: ConnectionId, text: string, bytes: number): void {
    const socket = this.#socket(id);
    if (socket === undefined) return;
    const unheard = (this.#unheardBytes.get(id) ?? 0) + bytes;
    this.#unheardBytes.set(id, unheard);
    if (unheard <= MAX_UNHEARD_BYTES) socket.send(text);
    else {
      hangUp(socket, FAULT);
      this.#closed(id);
    }
  }

  #socket(id: ConnectionId): ObjectSocket | undefined {
    return this.#state.getWebSockets(`${id}`).find(({ readyState }) => readyState === OPEN);
  }

  async #plan(room: string, request: PlanRequest): Promise<void> {
    const askedMs = Date.now();
    let answer: RoomPlanAnswer;
    try {
      const response = await this.#environment.PLANNER.fetch('https://planner/', {
        method: 'POST',
        body: textOf(request.problem),
        signal: AbortSignal.timeout(PLAN_MS),
      });
      const told = dataOf(await response.text());
      answer = response.ok && isAnswer(told) ? told : { feasible: false, reason: 'The planner gave no answer.' };
    } catch (error) {
      console.error(`A plan could not be made: ${visible(`${error}`)}`);
      answer = { feasible: false, reason: 'The planner took too long.' };
    }
    // The planner's own clock stands still while it computes.
    const solveMs = Date.now() - askedMs;
    const timed = answer.feasible ? { feasible: true as const, plan: { ...answer.plan, solveMs } } : answer;
    this.#take({ type: 'planned', room, request, answer: timed });
  }

  #wakeAt(atMs: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const nowMs = Date.now();
    const isNear = atMs - nowMs <= NEAR_MS;
    if (isNear)
      this.#timer = setTimeout(
        () => {
          this.#timer = null;
          this.#take({ type: 'time' }, true);
        },
        Math.max(0, atMs - nowMs),
      );
    // Setting an alarm costs a row, so a timer's is set seldom: it only matters where the timer is lost.
    const alarmMs = isNear ? Math.max(nowMs, atMs) + ALARM_LATE_MS : atMs;
    const isSet = this.#alarmMs !== null && this.#alarmMs <= alarmMs;
    if (this.#store.code === null || (isSet && (this.#alarmMs ?? 0) > nowMs)) return;
    this.#alarmMs = alarmMs;
    void this.#state.storage.setAlarm(alarmMs);
  }
}

/** A room's code is the object's own, so no chance is needed. */
const NO_CHANCE = new Uint8Array(0);

const connectionOf = (socket: ObjectSocket): ConnectionId => Number(socket.deserializeAttachment());

const hangUp = (socket: ObjectSocket, code: number): void => {
  try {
    socket.close(code);
  } catch {
    // It is closed already.
  }
};

/** The planner is of this same deployment. */
const isAnswer = (data: unknown): data is RoomPlanAnswer =>
  typeof data === 'object' && data !== null && 'feasible' in data;
