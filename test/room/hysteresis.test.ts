import { describe, expect, test } from 'vitest';
import { drawsFrom } from '../../signaling/planner/algorithms/random.ts';
import { planRoom, type RoomDevice } from '../../signaling/planner/room-plan.ts';
import type { RoomAssignment, RoomPlan } from '../../signaling/protocol/plan.ts';
import { LOCAL_LINK_BITS_PER_SECOND, type Profile } from '../../signaling/protocol/profile.ts';
import type { Policy } from '../../signaling/protocol/settings.ts';
import { correctedProfile, type FitState, observeRound, startFit } from '../../signaling/room/fit.ts';
import { decideReplan, REST, repredictSeconds } from '../../signaling/room/hysteresis.ts';

describe('decideReplan', () => {
  const drift = (confirmed: number, currentSeconds: number, candidateSeconds: number | null) =>
    decideReplan(confirmed, { cause: 'drift', currentSeconds, candidateSeconds });

  test('a gain above 10 % is taken the second time in a row, then the room rests', () => {
    const first = drift(0, 2, 1.5);
    expect(first).toEqual({
      change: false,
      sentence: 'The plan stays for now: another one would save 25 % (1 of 2).',
      confirmed: 1,
    });
    const second = drift(first.confirmed, 2, 1.5);
    expect(second).toEqual({
      change: true,
      sentence: 'The plan changes: it saves 25 %, seen 2 times in a row; 1.5 s a round instead of 2.0 s.',
      confirmed: -REST,
    });
    expect(drift(second.confirmed, 2, 1.5)).toEqual({
      change: false,
      sentence: 'The plan stays for now: it changed a moment ago; another one would save 25 %.',
      confirmed: 1 - REST,
    });
    expect(drift(second.confirmed, 2, 1.9).confirmed).toBe(1 - REST);
    expect(drift(-1, 2, 1.5)).toMatchObject({ change: false, confirmed: 0 });
  });

  test('a comparison without the gain in between starts the count anew', () => {
    const between = drift(drift(0, 2, 1.5).confirmed, 2, 1.9);
    expect(between).toEqual({
      change: false,
      sentence: 'The plan stays: another one would save 5 %, less than 10 %.',
      confirmed: 0,
    });
    expect(drift(between.confirmed, 2, 1.5).change).toBe(false);
  });

  test('exactly the threshold, and a worse candidate, change nothing', () => {
    expect(drift(1, 1, 0.9).change).toBe(false);
    expect(drift(1, 1, 1.3).sentence).toBe('The plan stays: another one would save 0 %, less than 10 %.');
  });

  test('a gain of just the threshold, to the bit, is not above it', () => {
    const input = { cause: 'drift', currentSeconds: 1, candidateSeconds: 0.75 } as const;
    expect(decideReplan(1, input, { minGain: 0.25 })).toMatchObject({ change: false, confirmed: 0 });
    expect(decideReplan(1, input, { minGain: 0.24 })).toMatchObject({ change: true });
  });

  test('a round that takes no time cannot be made shorter', () => {
    expect(drift(1, 0, 0).sentence).toBe('The plan stays: another one would save 0 %, less than 10 %.');
  });

  test.each(['joined', 'left'] as const)('a device that %s changes the plan at once, even to a slower one', (cause) => {
    expect(decideReplan(0, { cause, currentSeconds: 1, candidateSeconds: 1.2 }).change).toBe(true);
  });

  test('a plan that cannot run any more is changed at once, if there is another', () => {
    expect(drift(0, Infinity, 3)).toEqual({
      change: true,
      sentence: 'The plan changes at once: the old one cannot run any more.',
      confirmed: 0,
    });
    expect(drift(0, Infinity, null).change).toBe(false);
    expect(drift(1, 2, null)).toEqual({
      change: false,
      sentence: 'The plan stays: no other plan is feasible.',
      confirmed: 0,
    });
  });

  test('threshold and number of confirmations can be chosen', () => {
    const input = { cause: 'drift', currentSeconds: 1, candidateSeconds: 0.8 } as const;
    expect(decideReplan(0, input, { minGain: 0.25 }).confirmed).toBe(0);
    expect(decideReplan(0, input, { confirmations: 1 }).change).toBe(true);
    expect(decideReplan(1, input, { confirmations: 3 })).toMatchObject({ change: false, confirmed: 2 });
  });
});

const LAYERS = 12;
const HOST = 'host';

/** A device `speed` times as fast as one that needs 2 ms forward and 4 ms backward a layer and sample. */
function profile(speed: number, linkBitsPerSecond: number): Profile {
  return {
    engine: 'webgpu',
    backend: 'test',
    overheadSeconds: 0.01,
    secondsPerSample: {
      embed: 0.0001 / speed,
      forwardPerLayer: 0.002 / speed,
      backwardPerLayer: 0.004 / speed,
      head: 0.0003 / speed,
    },
    flopsPerSecond: 1e11 * speed,
    memoryBytesPerSecond: 1e11,
    memory: {
      limitBytes: 3e9,
      weightsBytes: 2.5e8,
      transientPerSample: 4e6,
      savedPerSamplePerLayer: 3e6,
      gradientBytesPerLayer: 98304,
    },
    linkBitsPerSecond,
  };
}

const assignment = (device: string, layers: number[], count: number, share: number): RoomAssignment => ({
  device,
  layers,
  head: false,
  samples: { start: 0, count },
  microBatch: count,
  memoryBytes: 1e9,
  share,
  uploadBits: 1e6 * layers.length,
  computeSeconds: 1,
  uploadSeconds: 1,
});

describe('repredictSeconds', () => {
  const profiles = new Map([
    [HOST, profile(1, 1e6)],
    ['a', profile(2, 1e7)],
  ]);

  test('is the largest compute + upload under the profiles', () => {
    // 0.01 + 10 * (0.0001 + 12 * 0.002 + 2 * 0.004 + 0.0003) / 2 + 2e6 / (0.5 * 1e7)
    const a = assignment('a', [10, 11], 10, 0.5);
    expect(repredictSeconds([a], profiles, LAYERS, HOST)).toBeCloseTo(0.01 + 0.162 + 0.4, 12);
    // The host's 12 layers: 0.01 + 10 * (0.0004 + 0.024 + 0.048), its gradients travel through memory.
    const host = assignment(HOST, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], 10, 0);
    expect(repredictSeconds([a, host], profiles, LAYERS, HOST)).toBeCloseTo(0.734, 4);
  });

  test('the head alone goes backward through no layer', () => {
    // 0.01 + 10 * (0.0001 + 12 * 0.002 + 0.0003) / 2, and 4e5 bits over half of 1e7 bit/s.
    const head = { ...assignment('a', [], 10, 0.5), head: true, uploadBits: 4e5 };
    expect(repredictSeconds([head], profiles, LAYERS, HOST)).toBeCloseTo(0.01 + 0.122 + 0.08, 12);
    expect(repredictSeconds([{ ...head, uploadBits: 0 }], profiles, LAYERS, HOST)).toBeCloseTo(0.01 + 0.122, 12);
    expect(repredictSeconds([], profiles, LAYERS, HOST)).toBe(0);
  });

  test('is infinite when a device is gone or was left without a share', () => {
    expect(repredictSeconds([assignment('b', [11], 4, 0.5)], profiles, LAYERS, HOST)).toBe(Infinity);
    expect(repredictSeconds([assignment('a', [11], 4, 0)], profiles, LAYERS, HOST)).toBe(Infinity);
  });

  test('agrees with what the planner predicted', () => {
    const plan = planOf(fleet(), 'data-parallel');
    const profiles = new Map(fleet().map((device) => [device.id, device.profile]));
    expect(repredictSeconds(plan.assignments, profiles, LAYERS, HOST) / plan.latencySeconds).toBeCloseTo(1, 6);
  });
});

function fleet(): RoomDevice[] {
  return [
    { id: HOST, name: 'host', profile: profile(1, LOCAL_LINK_BITS_PER_SECOND) },
    { id: 'laptop', name: 'laptop', profile: profile(2, 5e7) },
    { id: 'tablet', name: 'tablet', profile: profile(0.7, 2e7) },
    { id: 'phone', name: 'phone', profile: profile(0.4, 1e7) },
  ];
}

function planOf(devices: readonly RoomDevice[], policy: Policy): Omit<RoomPlan, 'version'> {
  const answer = planRoom({
    layers: LAYERS,
    samples: 32,
    layerUploadBits: 786432,
    headUploadBits: 0,
    devices,
    hostId: HOST,
    policy,
    seed: 1,
  });
  if (!answer.feasible) throw new Error(answer.reason);
  return answer.plan;
}

/** A room that trains for some rounds: measured times with noise, the running fit, and a look at another plan after every round. */
function train(policy: Policy, rounds: number, noise: number, slowdownOf: (device: string, round: number) => number) {
  const random = drawsFrom(11);
  const devices = fleet();
  const fits = new Map<string, FitState>(devices.map((device) => [device.id, startFit(device.profile, LAYERS)]));
  let plan = planOf(devices, policy);
  let confirmed = 0;
  const changes: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    for (const part of plan.assignments) {
      const deepestDepth = part.layers.length === 0 ? 0 : LAYERS - Math.min(...part.layers);
      const { overheadSeconds, secondsPerSample } = devices.find((device) => device.id === part.device)!.profile;
      const { embed, forwardPerLayer, backwardPerLayer, head } = secondsPerSample;
      const work = embed + LAYERS * forwardPerLayer + deepestDepth * backwardPerLayer + head;
      const honest = overheadSeconds + part.samples.count * work;
      const observed = {
        samples: part.samples.count,
        deepestDepth,
        computeSeconds: honest * slowdownOf(part.device, round) * Math.exp(noise * random.normal()),
        uploadBits: part.uploadBits,
        uploadSeconds: part.uploadSeconds * Math.exp(noise * random.normal()),
        share: part.share,
      };
      fits.set(part.device, observeRound(fits.get(part.device)!, observed));
    }
    const corrected = devices.map((device) => ({ ...device, profile: correctedProfile(fits.get(device.id)!) }));
    const profiles = new Map(corrected.map((device) => [device.id, device.profile]));
    const candidate = planOf(corrected, policy);
    const decision = decideReplan(confirmed, {
      cause: 'drift',
      currentSeconds: repredictSeconds(plan.assignments, profiles, LAYERS, HOST),
      candidateSeconds: candidate.latencySeconds,
    });
    confirmed = decision.confirmed;
    if (!decision.change) continue;
    changes.push(round);
    plan = candidate;
  }
  return { changes, plan };
}

describe.each(['data-parallel', 'exact'] as const)('a room that trains with %s', (policy) => {
  test('keeps its plan for 200 rounds of 10 % noise', () => {
    expect(train(policy, 200, 0.1, () => 1).changes).toEqual([]);
  });

  test('changes it exactly once when a device becomes three times slower for good, within six rounds', () => {
    const { changes, plan } = train(policy, 200, 0.1, (device, round) => (device === 'laptop' && round > 50 ? 3 : 1));
    expect(changes).toHaveLength(1);
    expect(changes[0]).toBeGreaterThan(50);
    expect(changes[0]).toBeLessThanOrEqual(56);
    const work = (assignments: readonly RoomAssignment[]) =>
      assignments
        .filter(({ device }) => device === 'laptop')
        .reduce((sum, a) => sum + a.samples.count * a.layers.length, 0);
    expect(work(plan.assignments)).toBeLessThan(0.6 * work(planOf(fleet(), policy).assignments));
  });

  test('does not change it for pauses: every tenth round some device takes ten times as long', () => {
    const paused = ['laptop', 'phone', HOST, 'tablet'];
    const slowdown = (device: string, round: number) =>
      round % 10 === 0 && paused[(round / 10) % 4] === device ? 10 : 1;
    expect(train(policy, 200, 0.1, slowdown).changes).toEqual([]);
  });
});
