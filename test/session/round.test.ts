import { describe, expect, it } from 'vitest';
import type { RoomAssignment, RoomPlan } from '../../signaling/protocol/plan.ts';
import type { OrderTag } from '../../signaling/protocol/round.ts';
import {
  type Candidate,
  depthOf,
  isComplete,
  type Owed,
  progress,
  type Reassigned,
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
const TERM = 2;
const ROUND = 3;
const start = (): RoundState => startRound({ term: TERM, round: ROUND, samples: 8, plan: deft });
const tag = (order: number, epoch = 1): OrderTag => ({ term: TERM, round: ROUND, order, epoch });
const of =
  (...devices: string[]) =>
  ({ order }: Owed): boolean =>
    devices.includes(order.device);

const ordersOf = (given: Reassigned['given']) => given.map(({ order }) => order);

function receiveAll(state: RoundState, device: string, order: number): RoundState {
  const owed = state.owed.find((o) => o.order.number === order);
  const its = tag(order, owed?.order.epoch);
  return (owed?.missing ?? []).reduce((s, due) => receive(s, device, its, due)?.state ?? s, state);
}

describe('a round', () => {
  it('asks every device for its blocks, shallow ones first', () => {
    const { owed, planVersion } = start();
    expect(owed.map((o) => [o.order.device, o.order.number, o.order.epoch, o.missing])).toEqual([
      ['a', 1, 1, ['head', 5, 4, 'done']],
      ['b', 2, 1, [3, 2, 'done']],
      ['c', 3, 1, [1, 0, 'done']],
    ]);
    expect(planVersion).toBe(7);
    expect(owed.map((o) => depthOf(o.order, LAYERS))).toEqual([2, 4, 6]);
  });

  it('is complete when everything came, in whatever order', () => {
    let state = start();
    for (const [device, order] of [
      ['c', 3],
      ['a', 1],
      ['b', 2],
    ] as const) {
      expect(isComplete(state)).toBe(false);
      state = receiveAll(state, device, order);
    }
    expect(isComplete(state)).toBe(true);
  });

  it('leaves out devices that the plan gives nothing to do', () => {
    const idle = startRound({
      term: 1,
      round: 1,
      samples: 8,
      plan: plan(work('a', [0, 1, 2, 3, 4, 5], true), work('b', [], false), work('c', [1], false, 0, 0)),
    });
    expect(idle.owed.map((o) => o.order.device)).toEqual(['a']);
  });

  it('counts a gradient once, and only from the device that was asked', () => {
    const once = receive(start(), 'b', tag(2), 3);
    expect(once?.order.device).toBe('b');
    expect(receive(once?.state ?? start(), 'b', tag(2), 3)).toBeNull();
    expect(receive(start(), 'a', tag(2), 3)).toBeNull();
    expect(receive(start(), 'b', tag(2), 0)).toBeNull();
    expect(receive(start(), 'b', tag(9), 3)).toBeNull();
  });

  it('gives what a lost device still owes, and nothing else, to another', () => {
    const partly = receive(start(), 'c', tag(3), 1)?.state ?? start();
    const { state, given } = reassign(partly, of('c'), [candidate('a'), candidate('b')], LAYERS);
    // a owes 6 + 2 seconds, b 6 + 4: a would be done first.
    expect(ordersOf(given)).toMatchObject([
      { number: 3, epoch: 2, device: 'a', layers: [0], head: false, samples: { start: 0, count: 8 }, share: 1 },
    ]);
    expect(state.reassigned).toBe(1);
    expect(receive(state, 'c', tag(3), 0)).toBeNull();
    let rest = receiveAll(state, 'a', 3);
    rest = receiveAll(rest, 'a', 1);
    expect(isComplete(receiveAll(rest, 'b', 2))).toBe(true);
  });

  it('counts what others owe, and not what a device is just relieved of', () => {
    // b owes 10 seconds; c, which is back, nothing: its own order of 12 goes to it again.
    const { given } = reassign(start(), of('c'), [candidate('b'), candidate('c')], LAYERS);
    expect(ordersOf(given)).toMatchObject([{ number: 3, epoch: 2, device: 'c' }]);
  });

  it('spreads the parts of several lost devices', () => {
    const teams = plan(
      work('a', [0, 1, 2, 3, 4, 5], true, 0, 2),
      work('b', [0, 1, 2, 3, 4, 5], true, 2, 2),
      work('c', [0, 1, 2, 3, 4, 5], true, 4, 2),
      work('d', [0, 1, 2, 3, 4, 5], true, 6, 2),
    );
    const { given } = reassign(
      startRound({ term: 1, round: 1, samples: 8, plan: teams }),
      of('c', 'd'),
      [candidate('a'), candidate('b')],
      LAYERS,
    );
    expect(ordersOf(given).map((o) => [o.device, o.samples.start])).toEqual([
      ['a', 4],
      ['b', 6],
    ]);
  });

  it('passes over devices that cannot hold the depth, and waits when there is none', () => {
    const shallow = [candidate('a', 1, 3), candidate('b', 5)];
    expect(reassign(start(), of('c'), shallow, LAYERS).given[0].order.device).toBe('b');
    const nobody = reassign(start(), of('c'), [candidate('a', 1, 3)], LAYERS);
    expect(nobody.given).toEqual([]);
    expect(nobody.state.owed).toHaveLength(3);
    const later = reassign(nobody.state, of('c'), [candidate('d')], LAYERS);
    expect(later.given[0].order.device).toBe('d');
  });

  it('asks again for the loss when only the report of the head is missing, and for no other report', () => {
    let state = start();
    for (const due of ['head', 5, 4] as const) state = receive(state, 'a', tag(1), due)?.state ?? state;
    for (const due of [3, 2] as const) state = receive(state, 'b', tag(2), due)?.state ?? state;
    const { given } = reassign(state, of('a', 'b'), [candidate('c')], LAYERS);
    expect(ordersOf(given)).toMatchObject([{ device: 'c', layers: [], head: true }]);
  });

  it('chooses the same device whatever order the candidates come in', () => {
    const [x, y] = [candidate('x'), candidate('y')];
    const first = reassign(start(), of('c'), [x, y], LAYERS).given;
    expect(reassign(start(), of('c'), [y, x], LAYERS).given).toEqual(first);
  });

  it('tells how far each device is', () => {
    const state = receiveAll(receive(start(), 'a', tag(1), 'head')?.state ?? start(), 'b', 2);
    expect(progress(state)).toEqual([
      { device: 'a', received: 1, expected: 3 },
      { device: 'b', received: 2, expected: 2 },
      { device: 'c', received: 0, expected: 2 },
    ]);
  });
});
