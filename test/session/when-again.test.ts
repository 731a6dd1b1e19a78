import { describe, expect, it } from 'vitest';
import type { DeviceView, RoomView } from '../../signaling/protocol/room-view.ts';
import { placeInPlan } from '../../web/session/measuring/place-in-plan.ts';
import {
  type AgainEffect,
  type AgainEvent,
  NOT_LEFT_OUT,
  type Place,
  stepAgain,
} from '../../web/session/measuring/when-again.ts';
import { profile, SETTINGS } from '../protocol/samples.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** A device on a clock that only its waits move. */
class Device {
  state = NOT_LEFT_OUT;
  atMs = 0;
  dueMs: number | null = null;
  readonly measuredMs: number[] = [];

  take(event: AgainEvent): readonly AgainEffect[] {
    const { state, effects } = stepAgain(this.state, event);
    this.state = state;
    for (const effect of effects)
      if (effect.type === 'wait') this.dueMs = effect.ms === null ? null : this.atMs + effect.ms;
      else this.measuredMs.push(this.atMs);
    return effects;
  }

  placed(place: Place, turn = 0): readonly AgainEffect[] {
    return this.take({ type: 'placed', place, turn, atMs: this.atMs });
  }

  /** Waits and measures, so often; each takes no time. */
  measures(count: number, how: 'well' | 'busy' | 'missed' = 'well'): readonly number[] {
    const from = this.measuredMs.length;
    for (let i = 0; i < count; i++) {
      if (this.dueMs === null) throw new Error('Nothing is due.');
      this.atMs = this.dueMs;
      this.dueMs = null;
      this.take({ type: 'due' });
      this.take({ type: 'measured', how });
    }
    return this.measuredMs.slice(from);
  }
}

describe('a device that a plan leaves out', () => {
  it('measures itself after 10 s, and then after pauses that double up to 10 minutes', () => {
    const device = new Device();
    device.placed('out');
    const times = device.measures(9);
    const pauses = times.map((ms, i) => (ms - (times[i - 1] ?? 0)) / SECOND);
    expect(pauses).toEqual([10, 20, 40, 80, 160, 320, 600, 600, 600]);
  });

  it('does not wait longer after what a busy machine spoilt, three times in a row', () => {
    const device = new Device();
    device.placed('out');
    const times = device.measures(6, 'busy');
    expect(times.map((ms, i) => (ms - (times[i - 1] ?? 0)) / SECOND)).toEqual([10, 10, 10, 10, 20, 20]);
  });

  it('tries again after the same pause where other work came first', () => {
    const device = new Device();
    device.placed('out');
    expect(device.measures(4, 'missed').map((ms) => ms / SECOND)).toEqual([10, 20, 30, 40]);
  });

  it('takes its turn: 64 that are left out together measure 2 s after each other, every time', () => {
    const devices = Array.from({ length: 64 }, (_, turn) => {
      const device = new Device();
      device.placed('out', turn);
      return device;
    });
    for (const round of [1, 2, 3]) {
      const times = devices.map((device) => device.measures(1)[0] ?? Number.NaN).sort((a, b) => a - b);
      const gaps = times.slice(1).map((ms, i) => ms - (times[i] ?? 0));
      expect(Math.min(...gaps), `measurement ${round}`).toBeGreaterThanOrEqual(2 * SECOND);
    }
  });

  it('measures nothing once it has a part, or can have none', () => {
    for (const place of ['in', 'none'] as const) {
      const device = new Device();
      device.placed('out');
      expect(device.placed(place)).toEqual([{ type: 'wait', ms: null }]);
      // A timer that was on its way already.
      expect(device.take({ type: 'due' })).toEqual([]);
    }
  });

  it('goes on where its pauses were when a plan used it for a moment, and begins anew after 10 minutes of work', () => {
    const device = new Device();
    device.placed('out');
    device.measures(2);
    device.placed('in');
    device.atMs += MINUTE;
    // A plan that is made anew is no end of its use.
    device.placed('none');
    expect(device.placed('out')).toEqual([{ type: 'wait', ms: 40 * SECOND }]);
    device.placed('in');
    device.atMs += 5 * MINUTE;
    device.placed('none');
    device.placed('in');
    device.atMs += 5 * MINUTE;
    expect(device.placed('out')).toEqual([{ type: 'wait', ms: 10 * SECOND }]);
  });

  it('does one at a time, also where its place changes meanwhile', () => {
    const device = new Device();
    device.placed('out');
    expect(device.take({ type: 'due' })).toEqual([{ type: 'measure' }]);
    expect(device.take({ type: 'due' })).toEqual([]);
    device.placed('in');
    expect(device.placed('out')).toEqual([]);
    expect(device.take({ type: 'measured', how: 'well' })).toEqual([{ type: 'wait', ms: 20 * SECOND }]);
  });

  it('says nothing of room changes that leave it where it is', () => {
    const device = new Device();
    device.placed('out');
    expect(device.placed('out', 3)).toEqual([]);
    expect(device.take({ type: 'due' })).toEqual([{ type: 'measure' }]);
    // The next wait is by its turn as it is by then.
    expect(device.take({ type: 'measured', how: 'well' })).toEqual([{ type: 'wait', ms: 26 * SECOND }]);
  });
});

describe('the place of a device in a plan', () => {
  const device = (id: string, change: Partial<DeviceView> = {}): DeviceView => ({
    ...{ id, name: id, kind: 'tab', status: { kind: 'ready' }, hidden: false, linked: true, online: true },
    ...{ peerId: null, profile: profile(), ...change },
  });
  const room = (devices: readonly DeviceView[], used: readonly string[] | null, change: Partial<RoomView> = {}) => {
    const assignment = { layers: [], head: true, samples: { start: 0, count: 1 }, microBatch: 1, memoryBytes: 0 };
    const seconds = { share: 1, uploadBits: 0, computeSeconds: 1, uploadSeconds: 0 };
    const plan: RoomView['plan'] = used && {
      ...{ version: 1, policy: 'single', solver: '', solveMs: 0, latencySeconds: 1, lowerBoundSeconds: 1 },
      ...{ limitedBy: '', explanation: '' },
      assignments: used.map((id) => ({ device: id, ...assignment, ...seconds })),
    };
    const view: RoomView = {
      ...{ id: 'abc234', settings: SETTINGS, phase: 'training', host: 'a', planNote: null },
      ...{ devices: [...devices], plan, ...change },
    };
    return view;
  };
  const four = ['d', 'b', 'a', 'c'].map((id) => device(id));

  it('is by the ids of those that are left out', () => {
    const view = room(four, ['b']);
    expect(['a', 'b', 'c', 'd'].map((id) => placeInPlan(view, id))).toEqual([
      { place: 'out', turn: 0 },
      { place: 'in', turn: 0 },
      { place: 'out', turn: 1 },
      { place: 'out', turn: 2 },
    ]);
  });

  it('is none without a plan, without a link, on probation, paused, in a session that is over or that trains on the host alone', () => {
    const none = { place: 'none', turn: 0 };
    expect(placeInPlan(null, 'd')).toEqual(none);
    expect(placeInPlan(room(four, null), 'd')).toEqual(none);
    expect(placeInPlan(room(four, ['a'], { phase: 'finished' }), 'd')).toEqual(none);
    expect(placeInPlan(room(four, ['a'], { settings: { ...SETTINGS, policy: 'offload' } }), 'd')).toEqual(none);
    const changes: Partial<DeviceView>[] = [
      { linked: false },
      { profile: null },
      { probation: { why: 'late', since: 1, next: 2 } },
      { status: { kind: 'paused' } },
      { status: { kind: 'watching' } },
    ];
    for (const change of changes)
      expect(placeInPlan(room([device('a'), device('d', change)], ['a']), 'd'), JSON.stringify(change)).toEqual(none);
    expect(placeInPlan(room([device('a'), device('d')], ['a']), 'd').place).toBe('out');
  });
});
