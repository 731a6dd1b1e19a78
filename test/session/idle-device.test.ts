import { describe, expect, it } from 'vitest';
import { planRoom } from '../../signaling/planner/room-plan.ts';
import { computeSeconds } from '../../signaling/protocol/cost-model.ts';
import type { Profile } from '../../signaling/protocol/profile.ts';
import type { RoundReport } from '../../signaling/protocol/room-view.ts';
import { POLICIES, type Policy } from '../../signaling/protocol/settings.ts';
import { apply, createRoom, next, type RoomEvent, type RoomState } from '../../signaling/room/room.ts';
import { type ConductEvent, isOnProbation, NO_CONDUCT, stepConduct } from '../../web/session/rounds/probation.ts';
import { depthOf, dueOf, type Order, tagOf } from '../../web/session/rounds/round.ts';
import {
  beginRound,
  patienceOf,
  type RoundEffect,
  type RoundEvent,
  stepRound,
} from '../../web/session/rounds/round-step.ts';
import { profile, SETTINGS } from '../protocol/samples.ts';

/**
 * A host, its room on the server and their devices as the steps that they are, on a clock that only computing and deadlines move: what a
 * device that states no costs and never answers does to a session, to the second.
 */
const LAYERS = SETTINGS.shape.layers;
const SAMPLES = SETTINGS.training.samplesPerRound;
const FREE: Profile = {
  ...profile(),
  overheadSeconds: 0,
  secondsPerSample: { embed: 0, forwardPerLayer: 0, backwardPerLayer: 0, head: 0 },
  linkBitsPerSecond: 1e15,
};

/** What a device states, and what it takes; `null` never answers. */
interface Device {
  readonly stated: Profile;
  readonly really: Profile | null;
}

class Session {
  atMs = 0;
  round = 0;
  room: RoomState;
  conduct = NO_CONDUCT;
  readonly roundMs: number[] = [];
  readonly #devices: ReadonlyMap<string, Device>;

  constructor(policy: Policy, devices: Record<string, Device>) {
    this.#devices = new Map(Object.entries(devices));
    const self = (id: string) => ({ id, key: id, name: id, kind: 'tab' as const });
    this.room = createRoom('abc234', self('host'), { ...SETTINGS, policy });
    for (const [id, { stated }] of this.#devices) {
      if (id !== 'host') this.#tell({ type: 'joined', device: self(id), watch: false });
      this.#tell({ type: 'linked', device: id, linked: true });
      this.#tell({ type: 'profile', device: id, profile: stated });
    }
  }

  rounds(count: number): void {
    for (let i = 0; i < count; i++) this.#oneRound();
  }

  spares(device: string): boolean {
    return isOnProbation(this.conduct, device);
  }

  samplesOf(device: string): number {
    return this.room.plan?.assignments.find((a) => a.device === device)?.samples.count ?? 0;
  }

  #tell(event: RoomEvent): void {
    this.room = apply(this.room, event);
    for (let asked = next(this.room); asked !== null; asked = next(this.room))
      this.room = apply(this.room, { type: 'planned', request: asked, answer: planRoom(asked.problem) });
  }

  #take(event: ConductEvent): void {
    const { state, effects } = stepConduct(this.conduct, event);
    this.conduct = state;
    for (const effect of effects) {
      if (effect.type === 'standing') this.#tell({ ...effect, type: 'probation' });
      const really = this.#devices.get(effect.device)?.really ?? null;
      if (effect.type !== 'try' || really === null) continue;
      const { tag, work, missing } = effect.trial;
      const seconds = computeSeconds(really, LAYERS, work.samples.count, LAYERS);
      const atMs = this.atMs + 1000 * seconds;
      for (const due of missing)
        this.#take({
          type: 'part',
          device: effect.device,
          tag,
          due,
          computeSeconds: due === 'done' ? seconds : null,
          layers: LAYERS,
          atMs,
        });
    }
  }

  #oneRound(): void {
    const { plan } = this.room;
    if (plan === null) throw new Error('There is no plan.');
    const beganMs = this.atMs;
    this.round++;
    const { round } = this;
    const devices = this.room.devices.flatMap(({ id, profile: stated }) => (stated === null ? [] : [{ id, stated }]));
    const planned = new Set(plan.assignments.map(({ device }) => device));
    this.#take({
      type: 'round',
      term: 1,
      course: 0,
      round,
      samples: SAMPLES,
      layers: LAYERS,
      trained: Array.from({ length: LAYERS }, (_, layer) => layer),
      orders: plan.assignments.length,
      maxOrders: 64,
      patienceMs: patienceOf(plan),
      present: devices.map(({ id, stated }) => ({ device: id, profile: stated, planned: planned.has(id) })),
      atMs: this.atMs,
    });
    const able = devices.map(({ id, stated }) => ({ device: id, profile: stated, onProbation: this.spares(id) }));
    const linked = new Set(devices.map(({ id }) => id));
    const begun = beginRound({ term: 1, course: 0, round, samples: SAMPLES, plan, layers: LAYERS, linked, able });
    let { state } = begun;
    const coming: { atMs: number; events: RoundEvent[] }[] = [];
    const busyUntil = new Map<string, number>();
    let deadlineMs = Infinity;
    let complete = false;
    const perform = (effects: readonly RoundEffect[]): void => {
      for (const effect of effects) {
        if (effect.type === 'wait') deadlineMs = this.atMs + effect.ms;
        if (effect.type === 'complete') complete = true;
        if (effect.type === 'send') this.#computes(effect.order, busyUntil, coming, state.round);
      }
    };
    perform(begun.effects);
    while (!complete) {
      coming.sort((a, b) => a.atMs - b.atMs);
      const soonest = coming[0];
      const events: RoundEvent[] = soonest && soonest.atMs <= deadlineMs ? coming.shift()!.events : [{ type: 'late' }];
      this.atMs = Math.min(soonest?.atMs ?? Infinity, deadlineMs);
      for (const event of events) {
        const stepped = stepRound(state, event);
        state = stepped.state;
        perform(stepped.effects);
      }
    }
    this.roundMs.push(this.atMs - beganMs);
    const reports = state.timings.flatMap(({ order, computeSeconds: seconds }): RoundReport['devices'] =>
      seconds === null
        ? []
        : [
            {
              device: order.device,
              samples: order.samples.count,
              deepestDepth: depthOf(order, LAYERS),
              computeSeconds: seconds,
              uploadSeconds: 0,
              uploadBits: 0,
            },
          ],
    );
    const delivered = reports.map(({ device }) => device);
    const late = [...state.late];
    this.#take({ type: 'outcome', of: 'round', round, late, failed: [], delivered, atMs: this.atMs });
    const facts = { planVersion: plan.version, loss: 1, learningRate: 1, gradientNorm: 1, reassigned: 0 };
    this.#tell({ type: 'round', report: { round, ...facts, elapsedSeconds: 1, devices: reports } });
  }

  #computes(
    order: Order,
    busyUntil: Map<string, number>,
    coming: { atMs: number; events: RoundEvent[] }[],
    round: Parameters<typeof tagOf>[0],
  ): void {
    const { device } = order;
    const really = this.#devices.get(device)?.really ?? null;
    if (really === null) return;
    const seconds = computeSeconds(really, LAYERS, order.samples.count, depthOf(order, LAYERS));
    const atMs = Math.max(this.atMs, busyUntil.get(device) ?? 0) + 1000 * seconds;
    busyUntil.set(device, atMs);
    const tag = tagOf(round, order);
    const events = dueOf(order).map(
      (due): RoundEvent =>
        due === 'done'
          ? { type: 'done', device, tag, lossSum: 1, computeSeconds: seconds, atMs }
          : { type: 'gradient', device, tag, block: due, gradient: new Float32Array(1), bits: 32, atMs },
    );
    coming.push({ atMs, events });
  }
}

const honest = (pace = 1): Device => ({ stated: profile(pace), really: profile(pace) });
const total = (ms: readonly number[]): number => ms.reduce((a, b) => a + b, 0);

/** Its devices do not say what single units cost. */
const WHOLE = POLICIES.filter((policy) => policy !== 'split');

describe.each(WHOLE)('under %s', (policy) => {
  it('a device that states no costs and never answers stops two rounds, and no other of a hundred', () => {
    const session = new Session(policy, { host: honest(), good: honest(), idle: { stated: FREE, really: null } });
    session.rounds(100);
    const waited = session.roundMs.filter((ms) => ms >= 15_000);
    expect(waited.length).toBeLessThanOrEqual(2);
    expect(session.samplesOf('idle')).toBe(0);
    // One device alone takes 0.3 s for a round.
    expect(Math.max(...session.roundMs.slice(4))).toBeLessThan(310);
  });

  it('one that is a thousand times slower than it states soon has the share that it deserves', () => {
    const liar = { stated: { ...profile(1 / 1000), overheadSeconds: 0 }, really: profile(1) };
    const lied = new Session(policy, { host: honest(), liar });
    const told = new Session(policy, { host: honest(), liar: honest() });
    lied.rounds(40);
    told.rounds(40);
    expect(total(lied.roundMs.slice(-20))).toBeLessThanOrEqual(1.25 * total(told.roundMs.slice(-20)));
  });
});

it('one that wakes up is back after its next trial, and trains', () => {
  const asleep: { stated: Profile; really: Profile | null } = { stated: profile(), really: null };
  const session = new Session('data-parallel', { host: honest(), asleep });
  session.rounds(3);
  expect(session.spares('asleep')).toBe(true);
  asleep.really = profile();
  session.rounds(120);
  expect(session.spares('asleep')).toBe(false);
  const awake = new Session('data-parallel', { host: honest(), asleep: honest() });
  expect(awake.samplesOf('asleep')).toBeGreaterThan(0);
  expect(session.samplesOf('asleep')).toBe(awake.samplesOf('asleep'));
});
