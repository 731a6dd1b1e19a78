import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { splitProblem } from '../../../signaling/planner/replicas/split-room.ts';
import { planRoom, type RoomDevice, type RoomProblem } from '../../../signaling/planner/room-plan.ts';
import { RoomPlanSchema } from '../../../signaling/protocol/plan.ts';
import { LOCAL_LINK_BITS_PER_SECOND, type Profile } from '../../../signaling/protocol/profile.ts';
import type { Policy } from '../../../signaling/protocol/settings.ts';
import type { UnitRun } from '../../../signaling/protocol/split.ts';

/** Six layers of 10 MB, embeddings of 30 MB, a head of 2 MB: 92 MB as a whole. */
function profile(limitBytes: number, { slow = 1, link = 1e8 } = {}): Profile {
  const seconds = { embed: 0.001, forwardPerLayer: 0.01, backwardPerLayer: 0.02, head: 0.002 };
  const times = (factor: number): Profile['secondsPerSample'] => ({
    embed: seconds.embed * factor,
    forwardPerLayer: seconds.forwardPerLayer * factor,
    backwardPerLayer: seconds.backwardPerLayer * factor,
    head: seconds.head * factor,
  });
  return {
    engine: 'onnx',
    backend: 'WASM',
    overheadSeconds: 0.01,
    secondsPerSample: times(slow),
    flopsPerSecond: 2e10,
    memoryBytesPerSecond: 1e10,
    memory: {
      limitBytes,
      weightsBytes: 92e6,
      transientPerSample: 1e5,
      savedPerSamplePerLayer: 2e5,
      gradientBytesPerLayer: 1e4,
    },
    parts: { fixedSeconds: times(slow / 10), embeddingBytes: 30e6, layerBytes: 10e6, headBytes: 2e6 },
    linkBitsPerSecond: link,
  };
}

const MB = 1e6;
const device = (id: string, measured: Profile, holds: UnitRun | null = null): RoomDevice => ({
  id,
  name: id,
  profile: measured,
  holds,
});

function room(policy: Policy, devices: readonly RoomDevice[], roundsLeft = 1e6, adapters = 6): RoomProblem {
  const bits = 5e5;
  return {
    layers: 6,
    samples: 8,
    layerUploadBits: Array.from({ length: 6 }, (_, i) => (i < adapters ? bits : null)),
    headUploadBits: 6e5,
    devices,
    hostId: devices[0].id,
    policy,
    seed: 1,
    split: {
      roundsLeft,
      model: {
        layers: 6,
        samples: 8,
        trainedLayers: adapters,
        hiddenBits: 64 * 128 * 32,
        headCutBits: 128 * 32,
        messageBits: 4096,
        layerUploadBits: Array.from({ length: 6 }, (_, layer) => (layer >= 6 - adapters ? bits : 0)),
        headUploadBits: 6e5,
        replayBytesPerSample: 64 * 128 * 4,
      },
    },
  };
}

function planned(problem: RoomProblem) {
  const answer = planRoom(problem);
  if (!answer.feasible) throw new Error(answer.reason);
  return v.parse(RoomPlanSchema, { ...answer.plan, version: 1 });
}

const host = profile(50 * MB, { link: LOCAL_LINK_BITS_PER_SECOND });
const halves = [device('a', host), device('b', profile(60 * MB)), device('c', profile(60 * MB, { slow: 3 }))];

describe('a room that no device can hold alone', () => {
  test('auto splits the model as the only way; every block is trained once, on all samples, in memory', () => {
    const plan = planned(room('auto', halves));
    expect(plan.policy).toBe('split');
    expect(plan.explanation).toMatch(/^Splitting the model is the only way that works here\. /);
    expect(plan.alternatives).toEqual([{ policy: 'split', seconds: plan.latencySeconds }]);
    const stages = plan.assignments.map(({ stage }) => stage);
    expect(stages.map((stage) => stage?.index)).toEqual([...stages.keys()]);
    expect(stages[0]?.from).toBe(0);
    expect(stages.at(-1)?.to).toBe(8);
    for (const [i, stage] of stages.entries()) if (i > 0) expect(stage?.from).toBe(stages[i - 1]?.to);
    expect(plan.assignments.flatMap(({ layers }) => layers).toSorted()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(plan.assignments.map(({ head }) => head)).toEqual(stages.map((stage) => stage?.to === 8));
    for (const assignment of plan.assignments) {
      const limit = halves.find(({ id }) => id === assignment.device)?.profile.memory.limitBytes;
      expect(assignment.memoryBytes).toBeLessThanOrEqual(limit ?? 0);
      expect(assignment.samples).toEqual({ start: 0, count: 8 });
      expect(assignment.microBatch).toBe(Math.ceil(8 / (assignment.stage?.microBatches ?? 1)));
    }
    expect(plan.assignments.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12);
    expect(plan.lowerBoundSeconds).toBeLessThanOrEqual(plan.latencySeconds);
  });

  test('what an engine takes whatever its run counts in what a stage takes', () => {
    const beside = halves.map(({ id, profile: one }) => {
      const { limitBytes, weightsBytes } = one.memory;
      const memory = { ...one.memory, limitBytes: limitBytes + 3 * MB, weightsBytes: weightsBytes + 3 * MB };
      return device(id, { ...one, memory });
    });
    const taken = (of: readonly RoomDevice[]) =>
      planned(room('auto', of)).assignments.map(({ device: id, memoryBytes }) => [id, memoryBytes] as const);
    expect(taken(beside)).toEqual(taken(halves).map(([id, bytes]) => [id, bytes + 3 * MB]));
  });

  test('layers without adapters are passed through: they are nobody’s blocks', () => {
    const plan = planned(room('split', halves, 1e6, 2));
    expect(plan.assignments.flatMap(({ layers }) => layers).toSorted()).toEqual([4, 5]);
    const untrained = plan.assignments.filter(({ stage }) => (stage?.to ?? 8) <= 5);
    expect(untrained.length).toBeGreaterThan(0);
    for (const { layers, head, stage } of untrained) {
      expect({ layers, head }).toEqual({ layers: [], head: false });
      expect(stage?.window).toBe(0);
    }
  });

  test('nobody has room for the embeddings: the reason names them', () => {
    const answer = planRoom(room('split', [device('a', profile(29 * MB)), device('b', profile(29 * MB))]));
    expect(answer.feasible ? '' : answer.reason).toMatch(
      /^no device's memory can hold the embeddings \(3\d(\.\d)? MB with one sample's work\)/,
    );
  });

  test('too few devices: the reason names the units that are left over, and their bytes', () => {
    const answer = planRoom(room('auto', [device('a', host)]));
    expect(answer.feasible ? '' : answer.reason).toMatch(
      /depth .+; split, .+nobody has memory left for layers 1–5 and the head \(52 MB of weights\) once all up to layer 0 /,
    );
  });

  test('a device that must keep inputs alone recomputes, and only there', () => {
    const tight = profile(32 * MB);
    const again = { transientPerSample: 1e5, savedPerSamplePerLayer: 1e3 };
    const memory = { ...tight.memory, savedPerSamplePerLayer: 9 * MB, recompute: again };
    const devices = ['a', 'b', 'c', 'd'].map((id) => device(id, { ...tight, memory }));
    const plain = devices.map((one) => ({
      ...one,
      profile: { ...one.profile, memory: { ...memory, recompute: undefined } },
    }));
    expect(planRoom(room('split', plain)).feasible).toBe(false);
    const plan = planned(room('split', devices));
    expect(plan.assignments.some(({ recompute }) => recompute)).toBe(true);
    for (const { recompute, stage } of plan.assignments) if ((stage?.to ?? 0) <= 1) expect(recompute).toBeUndefined();
  });
});

describe('a room in which some could hold the model alone', () => {
  const whole = [device('a', { ...host, memory: { ...host.memory, limitBytes: 200 * MB } }), ...halves.slice(1)];

  test('auto compares, and keeps what every policy would take', () => {
    const plan = planned(room('auto', whole));
    const tried = plan.alternatives ?? [];
    expect(tried.map(({ policy }) => policy)).toEqual(['single', 'data-parallel', 'crunch', 'exact', 'teams', 'split']);
    const seconds = tried.flatMap((one) => ('seconds' in one ? [one.seconds] : []));
    expect(plan.latencySeconds).toBeCloseTo(Math.min(...seconds), 9);
    // Two devices of one speed can share the passes of a split model, and only one of them can hold it whole.
    expect(plan.policy).toBe('split');
    expect(plan.explanation).toMatch(/^Splitting the model is quickest, [\d.]+ % below /);
  });

  test('with one round left, what would have to be fetched is not worth it', () => {
    const loaded = whole.map((one, i) => (i === 0 ? { ...one, holds: { from: 0, to: 8 } } : one));
    expect(planned(room('auto', loaded, 1)).policy).not.toBe('split');
    expect(planned(room('auto', loaded, 1e6)).policy).toBe('split');
  });

  test('where every device would hold the model whole nothing is split, and auto says so', () => {
    // Measured apart, parts may add up to less than the whole did: the same plan then looks quicker by another name.
    const all = [1, 1, 1].map((slow, i) => {
      const measured = profile(200 * MB, { slow, link: i === 0 ? LOCAL_LINK_BITS_PER_SECOND : 1e8 });
      return device(`w${i}`, { ...measured, overheadSeconds: 0.15 }, { from: 0, to: 8 });
    });
    const split = planned(room('split', all));
    expect(split.assignments.map(({ stage }) => [stage?.from, stage?.to])).toEqual(all.map(() => [0, 8]));
    const plan = planned(room('auto', all));
    expect(split.latencySeconds).toBeLessThan(0.98 * plan.latencySeconds);
    expect(plan.policy).not.toBe('split');
    expect(plan.assignments.map(({ stage }) => stage)).toEqual(plan.assignments.map(() => undefined));
    expect(plan.alternatives?.at(-1)).toEqual({ policy: 'split', reason: 'every device would hold the whole model' });
  });

  test('devices that say nothing of single units are in no pipeline', () => {
    const { parts: _, ...old } = profile(200 * MB);
    const problem = splitProblem(room('auto', [...halves, device('old', old)]));
    expect('reason' in problem ? [] : problem.devices.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    const answer = planRoom(room('split', [device('old', old)]));
    expect(answer.feasible ? '' : answer.reason).toMatch(/^no device here has measured/);
  });
});

test('of two that are alike, the one that holds the run is taken, as long as fetching counts', () => {
  const twin = profile(66 * MB);
  const first = { from: 0, to: 4 };
  const second = { from: 4, to: 8 };
  const used = (holds: readonly (UnitRun | null)[]) =>
    planned(
      room(
        'split',
        holds.map((held, i) => device(`d${i}`, twin, held)),
        4,
      ),
    )
      .assignments.map(({ device: id }) => id)
      .toSorted();
  expect(used([null, first, null, second])).toEqual(['d1', 'd3']);
  expect(used([second, null, first, null])).toEqual(['d0', 'd2']);
});

test('what a device takes whatever its run is not for units', () => {
  // 95 MB as a whole, 92 of them units: 3 MB are the engine's own.
  const { memory, ...rest } = profile(50 * MB);
  const own = (weightsBytes: number) => {
    const problem = splitProblem(room('split', [device('a', { ...rest, memory: { ...memory, weightsBytes } })]));
    return 'reason' in problem ? problem.reason : problem.devices.map((one) => one.memory.limitBytes);
  };
  expect(own(95 * MB)).toEqual([47 * MB]);
  expect(own(90 * MB)).toEqual([50 * MB]);
  expect(own(150 * MB)).toEqual([0]);
});
