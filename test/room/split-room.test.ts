import { describe, expect, it } from 'vitest';
import { planRoom, type RoomPlanAnswer } from '../../signaling/planner/room-plan.ts';
import type { SplitModel } from '../../signaling/protocol/pipeline/split-problem.ts';
import { LAG_SECONDS, splitDevicesOf, splitModelOf } from '../../signaling/protocol/pipeline/split-room.ts';
import type { RoomPlan } from '../../signaling/protocol/plan.ts';
import { LOCAL_LINK_BITS_PER_SECOND, type Profile } from '../../signaling/protocol/profile.ts';
import type { RoundReport } from '../../signaling/protocol/room-view.ts';
import { type UnitRun, wholeRun } from '../../signaling/protocol/split.ts';
import { NO_PLANNING, observeReport, roomProblem } from '../../signaling/room/planning.ts';
import { decideLayout, loadSeconds, splitSeconds, stageSeconds } from '../../signaling/room/re-layout.ts';
import {
  apply,
  createRoom,
  next,
  type RoomEvent,
  type RoomState,
  roomView,
  trainers,
} from '../../signaling/room/room.ts';
import { profile, SETTINGS } from '../protocol/samples.ts';

const SPLIT = { ...SETTINGS, policy: 'split' as const };
const device = (id: string) => ({ id, key: `key-of-${id}-0000000000`, name: `Device ${id}`, kind: 'tab' as const });
/** One second for a layer forward, two backward, whatever the samples; a layer of 1 MB, embeddings of 4, a head of half a megabyte. */
const parted = (link = 1e9, seconds = 1): Profile => ({
  ...profile(),
  overheadSeconds: 0,
  secondsPerSample: { embed: 0, forwardPerLayer: 1e-7, backwardPerLayer: 1e-7, head: 0 },
  parts: {
    fixedSeconds: { embed: 0, forwardPerLayer: seconds, backwardPerLayer: 2 * seconds, head: 0 },
    embeddingBytes: 4e6,
    layerBytes: 1e6,
    headBytes: 5e5,
  },
  downloadBitsPerSecond: 8e6,
  linkBitsPerSecond: link,
});
const play = (state: RoomState, ...events: RoomEvent[]): RoomState => events.reduce(apply, state);
const measured = (id: string, of: Profile = parted()): RoomEvent[] => [
  { type: 'joined', device: device(id), watch: false },
  { type: 'linked', device: id, linked: true },
  { type: 'status', device: id, status: { kind: 'measured' } },
  { type: 'profile', device: id, profile: of },
];
/** Cut after unit `cut - 1`: the lower stage on the first device. */
const planOf = (cut: number, ids: readonly string[] = ['a', 'b'], latencySeconds = 18, version = 1): RoomPlan => ({
  version,
  policy: 'split',
  solver: '',
  solveMs: 0,
  latencySeconds,
  lowerBoundSeconds: 1,
  limitedBy: ids[0] ?? '',
  explanation: 'So.',
  assignments: [
    { from: 0, to: cut },
    { from: cut, to: 8 },
  ].map((run, index) => ({
    device: ids[index] ?? '',
    layers: [0, 1, 2, 3, 4, 5].filter((layer) => run.from <= layer + 1 && layer + 1 < run.to),
    head: run.to === 8,
    samples: { start: 0, count: 16 },
    microBatch: 16,
    memoryBytes: 0,
    share: 1,
    uploadBits: 0,
    computeSeconds: 9,
    uploadSeconds: 0,
    stage: { pipeline: 0, index, ...run, window: 1, microBatches: 1 },
  })),
});
const MODEL: SplitModel = splitModelOf(SPLIT);
const holder = (id: string, holds?: UnitRun | null, of: Profile = parted()) => ({ id, profile: of, holds });

describe('a device that measured itself before it fetched anything', () => {
  const empty = createRoom('abc234', device('host'), SPLIT);

  it('is planned for, stays so while it loads, and is not ready before it says so', () => {
    const asked = play(empty, ...measured('a'));
    expect(trainers(asked).map(({ id }) => id)).toEqual(['a']);
    expect(roomView(asked).devices[1]?.status).toEqual({ kind: 'measured' });
    const loading = play(asked, { type: 'status', device: 'a', status: { kind: 'loading', done: 0, total: 1 } });
    expect(loading.changes).toBe(asked.changes);
    const held = play(
      loading,
      { type: 'holds', device: 'a', run: { from: 0, to: 3 } },
      { type: 'status', device: 'a', status: { kind: 'ready' } },
    );
    expect(held.changes).toBe(asked.changes);
    expect(roomView(held).devices[1]).toMatchObject({ holds: { from: 0, to: 3 }, status: { kind: 'ready' } });
    const failed = play(held, { type: 'status', device: 'a', status: { kind: 'failed', sentence: 'No room.' } });
    expect(trainers(failed)).toEqual([]);
    expect(failed.changes).toBe(held.changes + 1);
  });

  it('that loads and has no profile yet is no trainer, as ever', () => {
    const loading = play(
      empty,
      { type: 'joined', device: device('a'), watch: false },
      { type: 'linked', device: 'a', linked: true },
      { type: 'status', device: 'a', status: { kind: 'loading', done: 0, total: 1 } },
    );
    expect(trainers(loading)).toEqual([]);
  });

  it('is told to the planner with what it holds, and the rounds that are left', () => {
    const run = { from: 2, to: 4 };
    const problem = roomProblem(SPLIT, 'a', [{ id: 'a', name: 'A', profile: parted(), holds: run }], new Map(), 5);
    expect(problem.devices[0]?.holds).toEqual(run);
    expect(problem).toMatchObject({ hostId: 'a', policy: 'split' });
    expect(problem.split?.roundsLeft).toBe(15);
  });
});

describe('the session in the words of the split planner', () => {
  it('has hidden states at the usual length, their inputs at the longest, and uploads by layer', () => {
    expect(MODEL).toEqual({
      layers: 6,
      samples: 16,
      trainedLayers: 6,
      hiddenBits: 32 * 128 * 32,
      headCutBits: 128 * 32,
      messageBits: 4096,
      layerUploadBits: Array(6).fill(32 * 4 * 8 * 128),
      headUploadBits: 32 * 130 * 129,
      replayBytesPerSample: 64 * 128 * 4,
    });
    const some = splitModelOf({ ...SPLIT, hiddenStates: 'f16', lora: { ...SPLIT.lora, layers: [2, 5] } });
    expect(some.hiddenBits).toBe(MODEL.hiddenBits / 2);
    expect(some.trainedLayers).toBe(4);
    expect(some.layerUploadBits).toEqual([0, 0, 131072, 0, 0, 131072]);
  });

  it('leaves out devices that say nothing of units, and gives the host the others’ usual uplink', () => {
    const host = { id: 'host', profile: parted(LOCAL_LINK_BITS_PER_SECOND) };
    const others = [2e7, 4e7, 9e7].map((rate, i) => ({ id: `d${i}`, profile: parted(rate) }));
    // Its link, of 10 Mbit/s, says what is usual all the same.
    const old = { id: 'old', profile: profile() };
    const rates = splitDevicesOf([host, old, ...others], 6).map(({ id, bitsPerSecond }) => [id, bitsPerSecond]);
    expect(Object.fromEntries(rates)).toEqual({ host: 3e7, d0: 2e7, d1: 4e7, d2: 9e7 });
    expect(splitDevicesOf([host], 6)[0]?.bitsPerSecond).toBe(1e8);
  });
});

describe('a layout', () => {
  it('takes the seconds of its schedule: six layers one after the other, up and down', () => {
    const seconds = splitSeconds(planOf(4), [holder('a'), holder('b')], MODEL, 'a');
    expect(seconds).toBeGreaterThan(18);
    expect(seconds).toBeLessThan(18.1);
    expect(splitSeconds(planOf(4), [holder('a')], MODEL, 'a')).toBe(Number.POSITIVE_INFINITY);
    const [own] = planOf(4).assignments;
    expect(own && stageSeconds(own, parted(), MODEL, 'a')).toBeCloseTo(3 * (1 + 2), 4);
  });

  it('loads what its devices lack, the slowest of them counted: units of 4, 1 and half a megabyte at 8 Mbit/s', () => {
    const seconds = (a: UnitRun | null, b: UnitRun | null) =>
      loadSeconds(planOf(4), [holder('a', a), holder('b', b)], MODEL);
    expect(seconds(null, null)).toBeCloseTo(4 + 3, 9);
    expect(seconds({ from: 0, to: 4 }, null)).toBeCloseTo(3 + 0.5, 9);
    expect(seconds({ from: 0, to: 2 }, { from: 4, to: 8 })).toBeCloseTo(2, 9);
    expect(seconds({ from: 1, to: 4 }, wholeRun(6))).toBeCloseTo(4, 9);
    expect(seconds(wholeRun(6), { from: 3, to: 7 })).toBeCloseTo(0.5, 9);
  });

  it('changes when what it saves in the rounds left is more than its loading, and more than a tenth', () => {
    const decide = (currentSeconds: number, roundsLeft: number, loadingSeconds = 20) =>
      decideLayout({ currentSeconds, candidateSeconds: 8, loadingSeconds, roundsLeft }).change;
    expect([decide(10, 11), decide(10, 10), decide(10, 9)]).toEqual([true, false, false]);
    expect([decide(8.8, 1000), decide(9, 1000)]).toEqual([false, true]);
    expect(decide(Number.POSITIVE_INFINITY, 0, 1e6)).toBe(true);
  });
});

describe('a room’s layout', () => {
  const feasible = (plan: RoomPlan): RoomPlanAnswer => {
    const { version: _, ...rest } = plan;
    return { feasible: true, plan: rest };
  };
  const answered = (state: RoomState, answer: RoomPlanAnswer): RoomState => {
    const request = next(state);
    if (request === null) throw new Error('The planner was not asked.');
    return apply(state, { type: 'planned', request, answer });
  };
  const room = (): RoomState =>
    answered(
      play(createRoom('abc234', device('host'), SPLIT), ...measured('a'), ...measured('b')),
      feasible(planOf(4)),
    );

  it('stays when a device joins for whom loading does not pay, and changes when it does', () => {
    const joined = play(room(), ...measured('c'));
    // Twenty rounds: a second a round saved against seven of loading.
    const better = answered(joined, feasible(planOf(4, ['c', 'b'], 17)));
    expect(better.plan?.assignments[0]?.device).toBe('a');
    const best = answered(joined, feasible(planOf(4, ['c', 'b'], 12)));
    expect(best.plan).toMatchObject({ version: 2, latencySeconds: 12 });
    expect(best.plan?.assignments[0]?.device).toBe('c');
    expect(best.plan?.explanation).toContain('loading takes 7');
    // With one round left nothing pays that takes as long.
    const late = play(joined, { type: 'round', report: report(19, 9) });
    expect(answered(late, feasible(planOf(4, ['c', 'b'], 12))).plan?.assignments[0]?.device).toBe('a');
  });

  it('becomes two pipelines only if what they save in the rounds left is more than what the slower of them fetches', () => {
    const second = planOf(4, ['c', 'd']).assignments.map(({ stage, ...rest }) => ({
      ...rest,
      stage: stage && { ...stage, pipeline: 1 },
    }));
    const one = planOf(4);
    const two = { ...one, latencySeconds: 15, assignments: [...one.assignments, ...second] };
    const loaded = [holder('a', { from: 0, to: 4 }), holder('b', { from: 4, to: 8 })];
    const others = [holder('c', { from: 0, to: 4 }), holder('d', null, parted(1e9, 2))];
    // b's units are there, d's are three layers and the head, twice as slow: 9 + 18 seconds beside 9 + 9.
    expect(loadSeconds(two, [...loaded, ...others], MODEL)).toBeCloseTo(3.5, 9);
    const seconds = splitSeconds(two, [...loaded, ...others], MODEL, 'a');
    expect(seconds).toBeGreaterThan(27);
    expect(seconds).toBeLessThan(27.1);
    expect(splitSeconds(two, [...loaded, ...others.slice(1)], MODEL, 'a')).toBe(Number.POSITIVE_INFINITY);
    // Three seconds a round: six in two rounds are less than seven of loading, nine in three are more.
    const joined = play(room(), ...measured('c'), ...measured('d'));
    const reached = (rounds: number) =>
      answered(play(joined, { type: 'round', report: report(rounds, 9) }), feasible(two)).plan;
    expect(reached(18)?.assignments).toHaveLength(2);
    expect(reached(17)?.assignments).toHaveLength(4);
    expect(reached(17)?.explanation).toContain('loading takes 7');
  });

  it('changes at once when a stage is gone, and is none, with the reason, when nobody can', () => {
    const left = play(room(), ...measured('c'), { type: 'left', device: 'b' });
    expect(answered(left, feasible(planOf(4, ['a', 'c'], 40))).plan?.assignments[1]?.device).toBe('c');
    const none = answered(left, { feasible: false, reason: 'nobody has memory left for layer 3' });
    expect([none.plan, none.planNote]).toEqual([null, 'nobody has memory left for layer 3']);
  });

  it('is what the person chose as soon as they choose another policy', () => {
    const chosen = play(room(), { type: 'policy', policy: 'single' });
    const single: RoomPlan = { ...planOf(4), policy: 'single', latencySeconds: 100, assignments: [] };
    expect(answered(chosen, feasible(single)).plan?.policy).toBe('single');
  });
});

describe('devices that cannot meet', () => {
  const slow = parted(1e6);
  const room = (): RoomState =>
    play(createRoom('abc234', device('host'), SPLIT), ...['a', 'b', 'c'].flatMap((id) => measured(id, slow)));
  const told = (...pairs: (readonly [string, string])[]): RoomEvent => ({ type: 'relayed', pairs });

  it('are kept as the host says, pairs of devices of the room other than itself alone, and told to the planner', () => {
    const before = room();
    expect(next(before)?.problem.relayed).toBeUndefined();
    const state = play(before, told(['c', 'a'], ['b', 'a'], ['a', 'b'], ['a', 'a'], ['a', 'host'], ['nobody', 'a']));
    const kept = [
      ['a', 'b'],
      ['a', 'c'],
    ];
    expect(state.planning.relayed).toEqual(kept);
    expect(next(state)?.problem.relayed).toEqual(kept);
    expect(state.changes).toBe(before.changes + 1);
    expect(play(state, told(['a', 'b'], ['a', 'c']))).toBe(state);
    expect(play(state, told()).planning.relayed).toEqual([]);
  });

  it('are so while both are here, and the host meets everybody', () => {
    const state = play(room(), told(['a', 'b'], ['b', 'c']));
    expect(play(state, { type: 'left', device: 'a' }).planning.relayed).toEqual([['b', 'c']]);
    expect(play(state, { type: 'left', device: 'b' }).planning.relayed).toEqual([]);
    expect(play(state, { type: 'host', device: 'c' }).planning.relayed).toEqual([['a', 'b']]);
  });

  it('have a longer round: what they say takes the medium twice', () => {
    // Bits of a message, and of the two stages' gradients, at a million a second; where the host takes no part the second hop is like the first.
    const [message, lower, upper] = [2.101248, 0.393216, 0.929856];
    const seconds = (hops: number): number => {
      const all = 2 * hops * message + lower + upper;
      // Passes of six layers up and down, a tenth of a microsecond a sample beside their seconds.
      const passes = 18 + 12 * 16 * 1e-7;
      // The lower stage sends up, and its gradients last; the upper one sends down between these two.
      return passes + all + (hops * message * all) / (hops * message + upper) + (1 + 2 * hops) * LAG_SECONDS;
    };
    const holders = [holder('a', null, slow), holder('b', null, slow)];
    expect(splitSeconds(planOf(4), holders, MODEL, 'c')).toBeCloseTo(seconds(1), 5);
    expect(splitSeconds(planOf(4), holders, MODEL, 'c', [['b', 'c']])).toBeCloseTo(seconds(1), 5);
    expect(splitSeconds(planOf(4), holders, MODEL, 'c', [['b', 'a']])).toBeCloseTo(seconds(2), 5);
  });

  it('are no neighbours in the plan of a room where a third device can be between them', () => {
    // Of the model of ten megabytes and a half no two of them can hold all, beside what a sample takes.
    const { memory, ...rest } = parted(1e6);
    const small: Profile = {
      ...rest,
      memory: { ...memory, limitBytes: 7.2e6, gradientBytesPerLayer: 0, savedPerSamplePerLayer: 0 },
    };
    const crowd = ['a', 'b', 'c'].flatMap((id) => measured(id, small));
    const state = play(createRoom('abc234', device('host'), SPLIT), ...crowd);
    const orderOf = (of: RoomState): readonly string[] => {
      const request = next(of);
      const answer = request && planRoom(request.problem);
      if (!answer?.feasible) throw new Error('No plan.');
      return answer.plan.assignments.map((assignment) => assignment.device);
    };
    for (const [one, other, between] of ['abc', 'cba', 'acb'].map((ids) => [...ids] as [string, string, string])) {
      const order = orderOf(play(state, told([one, other])));
      expect([order.length, order[1]]).toEqual([3, between]);
    }
  });

  it('have another plan where that saves more than its loading, as ever', () => {
    const answer = ({ version: _, ...plan }: RoomPlan): RoomPlanAnswer => ({ feasible: true, plan });
    const answered = (state: RoomState, plan: RoomPlan): RoomState => {
      const request = next(state);
      if (request === null) throw new Error('The planner was not asked.');
      return apply(state, { type: 'planned', request, answer: answer(plan) });
    };
    const other = planOf(4, ['a', 'c'], 30);
    const first = answered(room(), planOf(4));
    // 27 s as it is, 36 by way of the host.
    expect(answered(play(first, told(['b', 'c'])), other).plan?.version).toBe(1);
    const changed = answered(play(first, told(['a', 'b'])), other);
    expect(changed.plan?.version).toBe(2);
    expect(changed.plan?.assignments[1]?.device).toBe('c');
    // In the last round six seconds are less than seven of loading.
    const late = play(first, { type: 'round', report: report(19, 9) }, told(['a', 'b']));
    expect(answered(late, other).plan?.version).toBe(1);
  });
});

function report(round: number, computeSeconds: number, reassigned = 0): RoundReport {
  const seen = { samples: 16, deepestDepth: 6, uploadBits: 0, uploadSeconds: 0 };
  return {
    round,
    planVersion: 1,
    loss: 1,
    learningRate: 1e-3,
    gradientNorm: 1,
    elapsedSeconds: 20,
    reassigned,
    devices: [{ device: 'a', computeSeconds, ...seen }],
  };
}

describe('rounds of a split room', () => {
  it('correct a device’s pace by the middle one of its latest stages, what a pass costs whatever its samples with it', () => {
    const trained = [{ id: 'a', name: 'A', profile: parted() }];
    const split = { model: MODEL, host: 'host' };
    let { fits } = NO_PLANNING;
    const pace = () =>
      roomProblem(SPLIT, 'host', trained, fits).devices[0]?.profile.parts?.fixedSeconds.forwardPerLayer;
    expect(pace()).toBe(1);
    for (const seconds of [18, 18, 900]) fits = observeReport(fits, trained, planOf(4), report(1, seconds), 6, split);
    expect(pace()).toBeCloseTo(2, 4);
    // Who took another stage over, or did its own twice, tells nothing.
    for (const seconds of [90, 90, 90, 90])
      fits = observeReport(fits, trained, planOf(4), report(2, seconds, 1), 6, split);
    expect(pace()).toBeCloseTo(2, 4);
  });
});
