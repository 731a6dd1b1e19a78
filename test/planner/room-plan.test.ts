import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { drawsFrom } from '../../signaling/planner/algorithms/random.ts';
import { planRoom, type RoomDevice, type RoomProblem } from '../../signaling/planner/room-plan.ts';
import { MAX_DEVICES_IN_ROOM } from '../../signaling/protocol/limits.ts';
import type { SplitModel } from '../../signaling/protocol/pipeline/split-problem.ts';
import { RoomPlanSchema } from '../../signaling/protocol/plan.ts';
import { LOCAL_LINK_BITS_PER_SECOND, type Profile } from '../../signaling/protocol/profile.ts';
import { POLICIES, type Policy } from '../../signaling/protocol/settings.ts';

function profile(speed: number, linkBitsPerSecond: number, limitBytes = 1e9): Profile {
  return {
    engine: 'onnx',
    backend: 'WASM, 1 thread',
    overheadSeconds: 0.01,
    secondsPerSample: {
      embed: 0.0002 * speed,
      forwardPerLayer: 0.003 * speed,
      backwardPerLayer: 0.006 * speed,
      head: 0.0005 * speed,
    },
    flopsPerSecond: 2e10 / speed,
    memoryBytesPerSecond: 1e10,
    memory: {
      limitBytes,
      weightsBytes: 5e7,
      transientPerSample: 1e6,
      savedPerSamplePerLayer: 2e6,
      gradientBytesPerLayer: 1e5,
    },
    parts: {
      fixedSeconds: { embed: 0.0001, forwardPerLayer: 0.0004, backwardPerLayer: 0.0008, head: 0.0002 },
      embeddingBytes: 2e7,
      layerBytes: 4.5e6,
      headBytes: 3e6,
    },
    linkBitsPerSecond,
  };
}

const device = (id: string, name: string, measured: Profile): RoomDevice => ({ id, name, profile: measured });
const laptop = device('d-1', 'laptop', profile(1, LOCAL_LINK_BITS_PER_SECOND));
const tablet = device('d-2', 'tablet', profile(2, 5e7));
const phone = device('d-3', 'phone', profile(4, 2e6));

const room = (policy: Policy, devices: readonly RoomDevice[] = [laptop, tablet, phone]): RoomProblem => ({
  layers: 6,
  samples: 32,
  layerUploadBits: 5e5,
  headUploadBits: 6e5,
  devices,
  hostId: 'd-1',
  policy,
  seed: 7,
  split: { model: units(6, 32), roundsLeft: 1000 },
});

/** A small model as units, every layer trained. */
const units = (layers: number, samples: number): SplitModel => ({
  layers,
  samples,
  trainedLayers: layers,
  hiddenBits: 64 * 256 * 32,
  headCutBits: 256 * 32,
  messageBits: 4096,
  layerUploadBits: Array.from({ length: layers }, () => 5e5),
  headUploadBits: 6e5,
  replayBytesPerSample: 64 * 256 * 4,
});

function planned(problem: RoomProblem) {
  const answer = planRoom(problem);
  if (!answer.feasible) throw new Error(answer.reason);
  return answer.plan;
}

describe('a room', () => {
  test.each(POLICIES)('%s: a valid plan that covers every (sample, block) pair once', (policy) => {
    const plan = planned(room(policy));
    expect(v.parse(RoomPlanSchema, { ...plan, version: 1 })).toEqual({ ...plan, version: 1 });
    for (let sample = 0; sample < 32; sample++) {
      const here = plan.assignments.filter(
        ({ samples }) => samples.start <= sample && sample < samples.start + samples.count,
      );
      expect(here.flatMap(({ layers }) => layers).sort()).toEqual([0, 1, 2, 3, 4, 5]);
      expect(here.filter(({ head }) => head)).toHaveLength(1);
    }
    expect(plan.assignments.reduce((sum, { share }) => sum + share, 0)).toBeLessThanOrEqual(1 + 1e-9);
    expect(plan.lowerBoundSeconds).toBeLessThanOrEqual(plan.latencySeconds);
    expect(plan.explanation.length).toBeLessThanOrEqual(400);
    expect(room(policy).devices.map(({ id }) => id)).toContain(plan.limitedBy);
  });

  test('the same plan whoever came first', () => {
    for (const policy of POLICIES) {
      const shuffled = drawsFrom(3).shuffle([laptop, tablet, phone]);
      expect(planned(room(policy, shuffled))).toEqual(planned(room(policy)));
    }
  });

  test('the host’s own gradients are free, whatever rate it states for itself', () => {
    const modest = device('d-1', 'laptop', { ...laptop.profile, linkBitsPerSecond: 1 });
    expect(planned(room('offload', [modest, tablet])).latencySeconds).toBeLessThan(3);
  });

  test('the explanation names the device by its name and says what would help', () => {
    const tired = device('d-1', 'tired laptop', profile(8, 1e9));
    const plan = planned(room('exact', [tired, device('d-3', 'phone', profile(0.1, 2e6))]));
    expect(plan.limitedBy).toBe('d-3');
    expect(plan.explanation).toMatch(/^phone's uplink limits the round; what would help most is a quarter more uplink/);
    const slow = planned(room('offload', [device('d-1', 'old laptop', profile(20, 1e9)), phone]));
    expect(slow.explanation).toMatch(/^old laptop's speed limits the round/);
  });

  test('auto is the quickest of all and says why', () => {
    const plan = planned(room('auto'));
    for (const policy of POLICIES) {
      // A split model has to be clearly quicker.
      const more = policy === 'split' ? 0.02 : 1e-9;
      expect(plan.latencySeconds).toBeLessThanOrEqual(planned(room(policy)).latencySeconds * (1 + more));
    }
    expect(plan.policy).not.toBe('auto');
    expect(plan.explanation).toMatch(
      /^(Splitting into teams|The exact one-block allocation|CRUNCH|Data-parallel training|A single device) is (quickest|the simplest)/,
    );
    // Names for people, never the policies' ids.
    expect(plan.explanation).not.toMatch(
      /\b(crunch|lola|teams is|data-parallel is|below (exact|single|teams|offload))\b/,
    );
  });

  test('nobody can hold the model: the reason names a depth', () => {
    const answer = planRoom(room('teams', [device('d-1', 'watch', profile(9, 1e6, 5.2e7))]));
    expect(answer.feasible ? '' : answer.reason).toMatch(/depth 1 \(nor the 5 deeper ones\)/);
  });

  test('a host whose own engine failed: the others train, but not by the policy that is the host alone', () => {
    expect(planned(room('auto', [tablet, phone])).assignments.map(({ device: id }) => id)).not.toContain('d-1');
    expect(planRoom(room('offload', [tablet, phone]))).toMatchObject({ feasible: false });
  });

  test('a full room with a large round', () => {
    const draw = drawsFrom(11);
    const others = Array.from({ length: MAX_DEVICES_IN_ROOM - 1 }, (_, k) =>
      device(`p-${k}`, `phone ${k}`, profile(Math.exp(draw.normal()), 1e6 * Math.exp(draw.normal()))),
    );
    const plan = planned({ ...room('teams', [laptop, ...others]), layers: 24, samples: 4096 });
    expect(v.parse(RoomPlanSchema, { ...plan, version: 1 }).assignments.length).toBeGreaterThan(1);
    expect(plan.latencySeconds / plan.lowerBoundSeconds).toBeLessThan(1.5);
    const bySample = plan.assignments.filter(({ head }) => head).map(({ samples }) => samples.count);
    expect(bySample.reduce((a, b) => a + b, 0)).toBe(4096);
  });
});
