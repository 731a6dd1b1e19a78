import type { Actor } from './actors.ts';
import { NO_MEMORY } from './changed-world.ts';
import type { ChaosRoom } from './chaos-room.ts';
import type { Act, Said } from './messages.ts';
import type { Planned } from './schedule.ts';
import { type Strike, Strikes } from './strikes.ts';
import { TabActor } from './tab-actor.ts';
import type { Run, Struck } from './verdict.ts';

/** A host that does not answer for so long is followed by another one. */
const HOST_IS_LOST_SECONDS = 5;
/** A fault that has not met its phase after so many rounds may strike whoever comes to it. */
const WIDEN_AFTER_ROUNDS = 3;
const EVALUATION_WIDENS_AFTER = 12;

const UNTOLD_SECONDS = 10;
/** Of an export: the fault that is tried, and that another one leads by then. */
const TO_BE_EXPECTED: ReadonlySet<string> = new Set([NO_MEMORY, 'The session is over.']);

interface Armed {
  readonly planned: Planned;
  readonly since: number;
  /** Who is held when it comes to the phase. */
  holders: readonly Actor[];
}

export interface ConductorOptions {
  readonly rounds: number;
  readonly planned: readonly Planned[];
  /** Devices beside the host with a part in the rounds, before anything is done to one of them. */
  readonly leastDevices: number;
  /** Of the whole run. */
  readonly limitSeconds: number;
  readonly log: (line: string) => void;
}

/**
 * Leads a session through its faults. Before a round with a fault begins, the room must be whole enough to stand it; then whoever is to be struck
 * is held when it comes to the phase, is struck, and everything else goes on.
 */
export class Conductor {
  readonly #room: ChaosRoom;
  readonly #options: ConductorOptions;
  readonly #strikes: Strikes;
  readonly #waiting: Planned[];
  #armed: Armed[] = [];
  readonly #struck: Struck[] = [];
  readonly #held: [number, number][] = [];
  readonly #unasked: string[] = [];
  #isOver = false;
  readonly #failed: Promise<never>;
  #fail: (error: unknown) => void = () => undefined;
  readonly #startMs = performance.now();

  constructor(room: ChaosRoom, options: ConductorOptions) {
    this.#room = room;
    this.#options = options;
    this.#waiting = [...options.planned];
    this.#strikes = new Strikes(room, (line) => this.#log(line));
    this.#failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.#failed.catch(() => undefined);
    room.onSaid(({ member, said }) => {
      this.#hear(member, said).catch((error: unknown) => this.#fail(error));
    });
  }

  /** Begins the training and follows it to its end. Rejects where it does not end. */
  async run(): Promise<Run> {
    const room = this.#room;
    room.host?.tell({ do: 'start' });
    const ended = room.until(
      'end of the training',
      () => {
        const view = room.host?.view;
        return view?.phase === 'finished' && view.scores > 0 ? room.host : null;
      },
      this.#options.limitSeconds,
    );
    const host = await Promise.race([ended, this.#failed]);
    this.#isOver = true;
    const history = new Promise<Said & { say: 'history' }>((resolve) => {
      room.onSaid(({ member, said }) => {
        if (member === host && said?.say === 'history') resolve(said);
      });
    });
    host?.tell({ do: 'history' });
    return {
      rounds: this.#options.rounds,
      planned: this.#options.planned,
      struck: this.#struck,
      reports: room.reports,
      history: (await Promise.race([history, this.#failed])).rounds,
      held: this.#held,
      unasked: this.#unasked,
      seconds: (performance.now() - this.#startMs) / 1000,
    };
  }

  async #hear(member: Actor, said: Said | null): Promise<void> {
    if (this.#isOver) return;
    if (said === null) await this.#gone(member);
    else if (said.say === 'next') await this.#next(member, said.round, said.id);
    else if (said.say === 'at') await this.#at(member, said);
    else if (said.say === 'exported' && said.error !== null && !TO_BE_EXPECTED.has(said.error))
      this.#unasked.push(`An export of ${member.name} failed: ${said.error}`);
    else if (said.say === 'view') await this.#seen(member);
    else if (said.say === 'round') this.#toldRound(member, said.round);
    else if (said.say === 'notice' && /was removed:|undone and repeated/.test(said.sentence))
      this.#log(`${member.name}: ${said.sentence}`);
    else if (said.say === 'notice' && /Training was paused:/.test(said.sentence))
      throw new Error(`${member.name}: ${said.sentence}`);
  }

  #toldRound(member: Actor, round: number): void {
    const again = this.#room.reports.filter((one) => one.round === round);
    if (again.length > 1) this.#log(`${member.name} did round ${round} again; ${again[0]?.by} had done it`);
  }

  /** What a person would do who sits in front of it. */
  async #seen(member: Actor): Promise<void> {
    const { view } = member;
    // A host that is back before anybody followed it has its session as it was kept: paused.
    if (view?.role === 'host' && view.phase === 'paused') member.tell({ do: 'start' });
    if (view?.status !== 'failed' || this.#strikes.endOf(member) !== null) return;
    this.#log(`${member.name} cannot train, and begins anew`);
    await this.#strikes.replace(member);
  }

  /** A process ended; somebody comes in its place. */
  async #gone(member: Actor): Promise<void> {
    for (const armed of this.#armed) armed.holders = armed.holders.filter((one) => one !== member);
    const why = this.#strikes.endOf(member);
    // While the server is new its host has yet to come back: who follows a link in that moment tries again.
    const isTooEarly = member.view?.phase == null && /no session with the code/.test(member.view?.ended ?? '');
    if (why === null && !isTooEarly)
      this.#unasked.push(`${member.name} ended: ${member.view?.ended ?? 'without a word'}.`);
    this.#log(`${member.name} is gone (${why ?? 'unasked'}): ${member.view?.ended ?? ''}`);
    if (why === 'returns') await this.#room.comeBack(member);
    else await this.#room.join(member instanceof TabActor ? member.kind : undefined);
  }

  /** The host would begin a round. */
  async #next(host: Actor, round: number, id: number): Promise<void> {
    try {
      if (host !== this.#room.host) return;
      this.#aimAgain(round);
      const planned = this.#nextFault(round);
      if (planned === null) return;
      // Nobody else takes it meanwhile: the same round may be asked for again.
      this.#waiting.splice(this.#waiting.indexOf(planned), 1);
      await this.#reported(host, round - 1);
      const beganMs = performance.now();
      const isReady = await this.#isReadyFor(planned);
      this.#held.push([beganMs, performance.now()]);
      if (isReady) await this.#aim({ planned, since: round, holders: [] }, round);
      else this.#waiting.unshift(planned);
    } finally {
      host.tell({ do: 'go', id, act: { act: 'go' } });
    }
  }

  #nextFault(round: number): Planned | null {
    return this.#waiting.find((planned) => planned.round <= round && !this.#mustWait(planned)) ?? null;
  }

  /** What a dead host knew of a liar is gone with it; so liars are found before. */
  #mustWait({ manner }: Planned): boolean {
    if (!this.#strikes.hasLiar) return false;
    return manner.kind === 'liar' || endsHost(manner);
  }

  /** Waits while devices are on their way; false where it takes rounds until enough are there. */
  async #isReadyFor(planned: Planned): Promise<boolean> {
    const { leastDevices } = this.#options;
    const room = this.#room;
    const state = await room.until('room that is whole again', () => {
      if (this.#isOver || this.#room.host === null) return 'over';
      if (room.host?.view?.server !== 'connected') return null;
      if (room.devices.length >= leastDevices) return 'ready';
      return room.devices.length + room.coming.length < leastDevices ? 'rounds' : null;
    });
    if (state !== 'ready') return false;
    if (!endsHost(planned.manner)) return true;
    // Who comes after the host must have something to go on from.
    const heirs = room.living.filter((one) => one !== room.host && !one.isStopped).map(({ heldRound }) => heldRound);
    const newest = Math.max(...heirs);
    return newest > 0 && heirs.filter((held) => held >= newest - 1).length >= 2;
  }

  /** The round before is over: what is done now is done to this one. */
  async #reported(host: Actor, round: number): Promise<void> {
    const newest = (): number => this.#room.reports.at(-1)?.round ?? 0;
    // Who follows a host may hold a round that the dead one did not tell here any more.
    const told = this.#room.until(`report of round ${round}`, () => host.isGone || newest() >= round, UNTOLD_SECONDS);
    await told.catch(() => undefined);
  }

  async #aim(armed: Armed, round: number): Promise<void> {
    const { planned } = armed;
    const { phase, manner } = planned;
    const { host, victims: devices } = this.#room;
    if (host === null) {
      this.#waiting.unshift(planned);
      return;
    }
    const ofDevice = manner.kind === 'kill' || manner.kind === 'liar' || manner.kind === 'staller';
    if (phase === 'order' && !ofDevice && manner.kind !== 'memory') {
      await this.#strike(planned, host, round);
      return;
    }
    this.#armed.push(armed);
    const one = devices[Math.floor(planned.victim * devices.length)];
    if (phase === 'merge' || phase === 'checkpoint' || phase === 'export') armed.holders = [host];
    else if (phase === 'evaluation' || one === undefined) armed.holders = devices;
    else armed.holders = [one];
    // An evaluation is of an earlier round; what is computed for an audit is of the round before this one at the latest.
    const isWithin = phase === 'order' || phase === 'compute' || phase === 'upload' || phase === 'merge';
    for (const holder of armed.holders) holder.tell({ do: 'arm', phase, round: isWithin ? round : 0 });
    if (phase === 'export') host.tell({ do: 'export' });
  }

  /** Whoever was to be struck may be gone, or no longer the host, or not come to the phase. */
  #aimAgain(round: number): void {
    const { host, devices } = this.#room;
    for (const armed of [...this.#armed]) {
      const { planned, since, holders } = armed;
      const { phase } = planned;
      const ofHost = phase === 'merge' || phase === 'checkpoint' || phase === 'export';
      const there = holders.filter((one) => (ofHost ? one === host : devices.includes(one)));
      const patience = phase === 'evaluation' ? EVALUATION_WIDENS_AFTER : WIDEN_AFTER_ROUNDS;
      if (there.length > 0 && round < since + patience) continue;
      for (const one of holders) one.tell({ do: 'disarm', phase });
      this.#armed = this.#armed.filter((other) => other !== armed);
      this.#waiting.unshift(planned);
    }
  }

  async #at(holder: Actor, said: Said & { say: 'at' }): Promise<void> {
    const armed = this.#armed.find(({ planned, holders }) => planned.phase === said.phase && holders.includes(holder));
    let act: Act = { act: 'go' };
    try {
      if (armed === undefined) return;
      this.#armed = this.#armed.filter((other) => other !== armed);
      for (const one of armed.holders) if (one !== holder) one.tell({ do: 'disarm', phase: said.phase });
      act = (await this.#strike(armed.planned, holder, said.round)) ?? act;
    } finally {
      holder.tell({ do: 'go', id: said.id, act });
    }
  }

  /** What becomes of the call at which the holder is. */
  async #strike(planned: Planned, holder: Actor, round: number): Promise<Act | null> {
    const atMs = performance.now();
    const strike: Strike = { planned, holder };
    const done = await this.#strikes.strike(strike);
    if (done === null) {
      this.#waiting.unshift(planned);
      return null;
    }
    const { sentence, act } = done;
    this.#struck.push({ planned, round, atMs, sentence });
    this.#log(`round ${round}, ${planned.phase}: ${sentence}`);
    return act;
  }

  #log(line: string): void {
    this.#options.log(`${((performance.now() - this.#startMs) / 1000).toFixed(1)} s: ${line}`);
  }
}

const endsHost = (manner: Planned['manner']): boolean =>
  manner.kind === 'host' || (manner.kind === 'stop' && manner.ofHost && manner.seconds >= HOST_IS_LOST_SECONDS);
