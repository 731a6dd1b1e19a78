import { describe, expect, it } from 'vitest';
import { planRoom } from '../../signaling/planner/room-plan.ts';
import { computeSeconds } from '../../signaling/protocol/cost-model.ts';
import type { Profile } from '../../signaling/protocol/profile.ts';
import type { Policy } from '../../signaling/protocol/settings.ts';
import { quickerProfile } from '../../signaling/room/measured-again.ts';
import { apply, createRoom, next, type RoomEvent, type RoomState, roomView } from '../../signaling/room/room.ts';
import { placeInPlan } from '../../web/session/measuring/place-in-plan.ts';
import { type AgainEvent, NOT_LEFT_OUT, stepAgain } from '../../web/session/measuring/when-again.ts';
import { profile, SETTINGS } from '../protocol/samples.ts';

/** A room on the server and a phone that measures itself again, as the steps that they are; the clock goes by rounds. */
const LAYERS = SETTINGS.shape.layers;
const SAMPLES = SETTINGS.training.samplesPerRound;

interface Phone {
  /** What it measures of itself now. */
  measures: Profile;
  /** How long its work really takes. */
  really: Profile;
}

class Session {
  atMs = 0;
  round = 0;
  room: RoomState;
  again = NOT_LEFT_OUT;
  dueMs: number | null = null;
  measured = 0;
  /** Rounds in which the phone had work. */
  readonly used: number[] = [];
  readonly phone: Phone;
  /** A round takes at least so long. */
  roundMs = 1000;

  constructor(first: Profile, phone: Phone, policy: Policy = 'data-parallel') {
    this.phone = phone;
    const self = (id: string) => ({ id, key: id, name: id, kind: 'tab' as const });
    this.room = createRoom('abc234', self('host'), { ...SETTINGS, policy });
    this.tell({ type: 'joined', device: self('phone'), watch: false });
    this.tell({ type: 'profile', device: 'host', profile: profile() });
    this.tell({ type: 'profile', device: 'phone', profile: first });
    this.tell({ type: 'linked', device: 'phone', linked: true });
  }

  get uses(): boolean {
    return this.room.plan?.assignments.some(({ device }) => device === 'phone') ?? false;
  }

  tell(event: RoomEvent): void {
    this.room = apply(this.room, event);
    for (let asked = next(this.room); asked !== null; asked = next(this.room))
      this.room = apply(this.room, { type: 'planned', request: asked, answer: planRoom(asked.problem) });
    this.#take({ type: 'placed', ...placeInPlan(roomView(this.room), 'phone'), atMs: this.atMs });
  }

  train(seconds: number): void {
    this.tell({ type: 'phase', phase: 'training' });
    for (const endMs = this.atMs + 1000 * seconds; this.atMs < endMs; ) this.#oneRound();
  }

  #take(event: AgainEvent): void {
    const { state, effects } = stepAgain(this.again, event);
    this.again = state;
    for (const effect of effects)
      if (effect.type === 'wait') this.dueMs = effect.ms === null ? null : this.atMs + effect.ms;
      else {
        this.measured++;
        this.tell({ type: 'profile', device: 'phone', profile: { ...this.phone.measures }, again: true });
        this.#take({ type: 'measured', how: 'well' });
      }
  }

  /** As long as the plan says, at least. */
  #oneRound(): void {
    const { plan } = this.room;
    if (plan === null) throw new Error('There is no plan.');
    this.atMs += Math.max(this.roundMs, 1000 * plan.latencySeconds);
    this.round++;
    if (this.uses) this.used.push(this.round);
    const devices = plan.assignments.map(({ device, samples, layers }) => {
      const deepestDepth = LAYERS - Math.min(...layers, LAYERS);
      const own = device === 'phone' ? this.phone.really : profile();
      return {
        ...{ device, samples: samples.count, deepestDepth, uploadSeconds: 0, uploadBits: 0 },
        computeSeconds: computeSeconds(own, LAYERS, samples.count, deepestDepth),
      };
    });
    const facts = { planVersion: plan.version, loss: 1, learningRate: 1, gradientNorm: 1, reassigned: 0 };
    const elapsedSeconds = Math.max(...devices.map((one) => one.computeSeconds));
    this.tell({ type: 'round', report: { round: this.round, ...facts, elapsedSeconds, devices } });
    if (this.dueMs === null || this.atMs < this.dueMs) return;
    this.dueMs = null;
    this.#take({ type: 'due' });
  }
}

const slow = profile(50);

describe.each(['data-parallel', 'teams', 'auto'] as const)('under %s', (policy) => {
  it('a device that was measured 50 times too slow is used within a minute', () => {
    const session = new Session(slow, { measures: profile(), really: profile() }, policy);
    expect(session.uses).toBe(false);
    session.train(60);
    expect(session.uses).toBe(true);
    expect(session.used[0]).toBeLessThanOrEqual(15);
    // As much as one that was measured well at once.
    const told = new Session(profile(), { measures: profile(), really: profile() }, policy);
    const samples = ({ room }: Session) => room.plan?.assignments.map(({ samples: { count } }) => count);
    expect(samples(session)).toEqual(samples(told));
  });

  it('one that really is as slow is never used, measures itself ever less often, and leaves the plan alone', () => {
    const session = new Session(slow, { measures: profile(48), really: slow }, policy);
    const before = session.room.plan;
    session.roundMs = 10_000;
    session.train(3600);
    expect(session.used).toEqual([]);
    expect(session.room.plan).toBe(before);
    // After 10, 30, 70, 150, 310 and 630 s, and then every 10 minutes: 1230, 1830, 2430, 3030.
    expect(session.measured).toBe(10);
  });
});

it('one whose link alone was measured 50 times too slow is used, too', () => {
  const first = { ...profile(), linkBitsPerSecond: profile().linkBitsPerSecond / 1000 };
  const session = new Session(first, { measures: profile(), really: profile() });
  expect(session.uses).toBe(false);
  session.train(60);
  expect(session.uses).toBe(true);
});

it('one that measures itself quick and is slow in every round is tried ever less often', () => {
  const session = new Session(slow, { measures: profile(), really: slow });
  session.roundMs = 5000;
  session.train(3600);
  // Used for some rounds after each measurement that it boasts with, until its rounds tell.
  expect(session.used.length).toBeGreaterThan(0);
  expect(session.measured).toBeLessThanOrEqual(10);
  expect(session.used.length).toBeLessThan(0.05 * session.round);
});

it('before the first round the plan takes a device up at once', () => {
  const session = new Session(slow, { measures: profile(), really: profile() });
  session.tell({ type: 'profile', device: 'phone', profile: profile(), again: true });
  expect(session.uses).toBe(true);
});

it('one that has work is left to its rounds', () => {
  const session = new Session(profile(), { measures: profile(), really: profile() });
  const before = session.room;
  session.tell({ type: 'profile', device: 'phone', profile: profile(1 / 4), again: true });
  expect(session.room).toBe(before);
});

describe('what is believed of a device that measured itself again', () => {
  const round = { layers: LAYERS, samples: SAMPLES };
  const base = profile();
  const rate = base.linkBitsPerSecond;

  it('is what is quicker by a quarter, speed and link apart', () => {
    const halfLink = { ...profile(1 / 2), linkBitsPerSecond: rate / 2 };
    expect(quickerProfile(base, halfLink, round)).toEqual({ ...profile(1 / 2), linkBitsPerSecond: rate });
    const busy = { ...profile(3), linkBitsPerSecond: 2 * rate };
    expect(quickerProfile(base, busy, round)).toEqual({ ...base, linkBitsPerSecond: 2 * rate });
  });

  it('is nothing new where it is as before, or slower', () => {
    for (const pace of [0.81, 1, 1.2, 50]) expect(quickerProfile(base, profile(pace), round), `${pace}`).toBeNull();
    expect(quickerProfile(base, { ...base, linkBitsPerSecond: 1.24 * rate }, round)).toBeNull();
    expect(quickerProfile(base, { ...base, linkBitsPerSecond: 1.25 * rate }, round)).not.toBeNull();
  });
});
