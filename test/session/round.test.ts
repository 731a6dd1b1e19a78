import { describe, expect, it } from 'vitest';
import type { RoomAssignment, RoomPlan } from '../../signaling/protocol/plan.ts';
import {
  type Candidate,
  depthOf,
  isComplete,
  progress,
  type RoundState,
  reassign,
  receive,
  startRound,
} from '../../web/session/rounds/round.ts';

const LAYERS = 6;
const work = (device: string, layers: number[], head: boolean, start = 0, count = 8): RoomAssignment => ({
  device,
  layers,
  head,
  samples: { start, count },
  microBatch: count,
  memoryBytes: 0,
  share: 0.5,
  uploadBits: 0,
  computeSeconds: 1,
  uploadSeconds: 1,
});
const plan = (...assignments: RoomAssignment[]): RoomPlan => ({
  version: 7,
  policy: 'crunch',
  solver: '',
  solveMs: 0,
  latencySeconds: 1,
  lowerBoundSeconds: 1,
  limitedBy: '',
  explanation: '',
  assignments,
});
/** Costs a second for each layer of the backward pass. */
const candidate = (device: string, pace = 1, deepest = LAYERS): Candidate => ({
  device,
  cost: (samples, depth) => (depth > deepest ? null : { seconds: pace * (LAYERS + depth), microBatch: samples }),
});
const deft = plan(work('a', [4, 5], true), work('b', [2, 3], false), work('c', [0, 1], false));
const start = (): RoundState => startRound(3, 8, deft, 10);

function receiveAll(state: RoundState, device: string, order: number): RoundState {
  const owed = state.owed.find((o) => o.order.id === order);
  return (owed?.missing ?? []).reduce((s, due) => receive(s, device, order, due)?.state ?? s, state);
}

describe('a round', () => {
  it('asks every device for its blocks, shallow ones first', () => {
    const { owed, nextOrder, planVersion } = start();
    expect(owed.map((o) => [o.order.device, o.order.id, o.missing])).toEqual([
      ['a', 10, ['head', 5, 4, 'done']],
      ['b', 11, [3, 2, 'done']],
      ['c', 12, [1, 0, 'done']],
    ]);
    expect([nextOrder, planVersion]).toEqual([13, 7]);
    expect(owed.map((o) => depthOf(o.order, LAYERS))).toEqual([2, 4, 6]);
  });

  it('is complete when everything came, in whatever order', () => {
    let state = start();
    for (const [device, order] of [
      ['c', 12],
      ['a', 10],
      ['b', 11],
    ] as const) {
      expect(isComplete(state)).toBe(false);
      state = receiveAll(state, device, order);
    }
    expect(isComplete(state)).toBe(true);
  });

  it('leaves out devices that the plan gives nothing to do', () => {
    const idle = startRound(
      1,
      8,
      plan(work('a', [0, 1, 2, 3, 4, 5], true), work('b', [], false), work('c', [1], false, 0, 0)),
      1,
    );
    expect(idle.owed.map((o) => o.order.device)).toEqual(['a']);
  });

  it('counts a gradient once, and only from the device that was asked', () => {
    const once = receive(start(), 'b', 11, 3);
    expect(once?.order.device).toBe('b');
    expect(receive(once?.state ?? start(), 'b', 11, 3)).toBeNull();
    expect(receive(start(), 'a', 11, 3)).toBeNull();
    expect(receive(start(), 'b', 11, 0)).toBeNull();
    expect(receive(start(), 'b', 99, 3)).toBeNull();
  });

  it('gives what a lost device still owes, and nothing else, to another', () => {
    const partly = receive(start(), 'c', 12, 1)?.state ?? start();
    const { state, orders } = reassign(partly, new Set(['c']), [candidate('a'), candidate('b')], LAYERS);
    // a owes 6 + 2 seconds, b 6 + 4: a would be done first.
    expect(orders).toMatchObject([{ id: 13, device: 'a', layers: [0], head: false, start: 0, count: 8, share: 1 }]);
    expect(state.reassigned).toBe(1);
    expect(receive(state, 'c', 12, 0)).toBeNull();
    let rest = receiveAll(state, 'a', 13);
    rest = receiveAll(rest, 'a', 10);
    expect(isComplete(receiveAll(rest, 'b', 11))).toBe(true);
  });

  it('spreads the parts of several lost devices', () => {
    const teams = plan(
      work('a', [0, 1, 2, 3, 4, 5], true, 0, 2),
      work('b', [0, 1, 2, 3, 4, 5], true, 2, 2),
      work('c', [0, 1, 2, 3, 4, 5], true, 4, 2),
      work('d', [0, 1, 2, 3, 4, 5], true, 6, 2),
    );
    const { orders } = reassign(
      startRound(1, 8, teams, 1),
      new Set(['c', 'd']),
      [candidate('a'), candidate('b')],
      LAYERS,
    );
    expect(orders.map((o) => [o.device, o.start])).toEqual([
      ['a', 4],
      ['b', 6],
    ]);
  });

  it('passes over devices that cannot hold the depth, and waits when there is none', () => {
    const shallow = [candidate('a', 1, 3), candidate('b', 5)];
    expect(reassign(start(), new Set(['c']), shallow, LAYERS).orders[0].device).toBe('b');
    const nobody = reassign(start(), new Set(['c']), [candidate('a', 1, 3)], LAYERS);
    expect(nobody.orders).toEqual([]);
    expect(nobody.state.owed).toHaveLength(3);
    const later = reassign(nobody.state, new Set(['c']), [candidate('d')], LAYERS);
    expect(later.orders[0].device).toBe('d');
  });

  it('asks again for the loss when only the report of the head is missing, and for no other report', () => {
    let state = start();
    for (const due of ['head', 5, 4] as const) state = receive(state, 'a', 10, due)?.state ?? state;
    for (const due of [3, 2] as const) state = receive(state, 'b', 11, due)?.state ?? state;
    const { orders } = reassign(state, new Set(['a', 'b']), [candidate('c')], LAYERS);
    expect(orders).toMatchObject([{ device: 'c', layers: [], head: true }]);
  });

  it('chooses the same device whatever order the candidates come in', () => {
    const [x, y] = [candidate('x'), candidate('y')];
    const first = reassign(start(), new Set(['c']), [x, y], LAYERS).orders;
    expect(reassign(start(), new Set(['c']), [y, x], LAYERS).orders).toEqual(first);
  });

  it('tells how far each device is', () => {
    const state = receiveAll(receive(start(), 'a', 10, 'head')?.state ?? start(), 'b', 11);
    expect(progress(state)).toEqual([
      { device: 'a', received: 1, expected: 3 },
      { device: 'b', received: 2, expected: 2 },
      { device: 'c', received: 0, expected: 2 },
    ]);
  });
});
