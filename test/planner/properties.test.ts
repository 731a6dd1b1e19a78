import { describe, expect, test } from 'vitest';
import { drawsFrom } from '../../signaling/planner/algorithms/random.ts';
import type { PlanAnswer } from '../../signaling/planner/problem/answer.ts';
import { generateFleet, generateProblem } from '../../signaling/planner/problem/generator.ts';
import type {
  Channel,
  DetailedProblem,
  TabularDevice,
  TabularProblem,
} from '../../signaling/planner/problem/problem.ts';
import { solve } from '../../signaling/planner/solve.ts';
import { POLICIES, type Policy } from '../../signaling/protocol/settings.ts';

const CHANNELS: readonly Channel[] = ['ofdma', 'ofdma-power', 'airtime'];
const latency = (answer: PlanAnswer) => (answer.feasible ? answer.latencySeconds : Infinity);

/** Another order and other names for the same devices; the host stays the same device. */
function relabelled<P extends TabularProblem | DetailedProblem>(problem: P, seed: number): P {
  const draw = drawsFrom(seed);
  const names = draw.shuffle(problem.devices.map((_, k) => `renamed-${k}`));
  const renamed = problem.devices.map((device, k) => ({ ...device, id: names[k]! }));
  const host = 'model' in problem ? { host: renamed[0]!.id } : {};
  // The tabular form's host is whoever is listed first.
  const devices = 'model' in problem ? draw.shuffle(renamed) : [renamed[0]!, ...draw.shuffle(renamed.slice(1))];
  return { ...problem, ...host, devices };
}

describe.each(CHANNELS)('%s', (channel) => {
  test('relabelling and reordering the devices changes no latency, under any policy and in both forms', () => {
    for (let seed = 0; seed < 6; seed++) {
      const table = generateProblem(seed, { devices: 7, depths: 4, channel });
      const fleet = generateFleet(seed, { devices: 5, layers: 6, samples: 8, channel });
      for (const problem of [table, fleet]) {
        for (const policy of POLICIES) {
          const before = latency(solve(problem, policy, { seed }));
          const after = latency(solve(relabelled(problem, seed), policy, { seed }));
          if (before === Infinity) expect(after).toBe(Infinity);
          else expect(after / before, `${policy}, seed ${seed}`).toBeCloseTo(1, 12);
        }
      }
    }
  });

  test('reordering alone changes nothing at all', () => {
    const problem = generateFleet(5, { devices: 6, layers: 6, samples: 8, channel });
    for (const policy of POLICIES) {
      const shuffled = { ...problem, devices: drawsFrom(3).shuffle(problem.devices) };
      expect(solve(shuffled, policy, { seed: 4 })).toEqual(solve(problem, policy, { seed: 4 }));
    }
  });

  test('more memory, bandwidth or speed never hurts crunch or exact', () => {
    for (let seed = 0; seed < 40; seed++) {
      const problem = generateProblem(seed, { devices: 7, depths: 5, channel, limited: 0.6 });
      const draw = drawsFrom(seed);
      const one = (change: (device: TabularDevice) => TabularDevice): TabularProblem => {
        const lucky = draw.below(problem.devices.length);
        return { ...problem, devices: problem.devices.map((device, k) => (k === lucky ? change(device) : device)) };
      };
      const better: TabularProblem[] = [
        one((device) => ({ ...device, memoryLimitBytes: device.memoryLimitBytes * 2 })),
        one((device) => ({ ...device, computeSeconds: device.computeSeconds.map((seconds) => seconds * 0.5) })),
        one((device) =>
          device.snrHz === undefined
            ? { ...device, bitsPerSecondPerHz: device.bitsPerSecondPerHz! * 2 }
            : { ...device, snrHz: device.snrHz * 2 },
        ),
        { ...problem, bandwidthHz: problem.bandwidthHz * 1.5 },
      ];
      for (const policy of ['crunch', 'exact'] as const) {
        const before = latency(solve(problem, policy));
        for (const changed of better) expect(latency(solve(changed, policy))).toBeLessThanOrEqual(before * (1 + 1e-12));
      }
    }
  });

  test('every plan is what it says: disjoint devices, all blocks, the bandwidth kept, the latency its largest finish', () => {
    for (let seed = 0; seed < 8; seed++) {
      const problem = generateProblem(seed, { devices: 7, depths: 4, channel });
      for (const policy of POLICIES) {
        const answer = solve(problem, policy, { seed });
        if (!answer.feasible) continue;
        const what = `${policy}, seed ${seed}`;
        expect(answer.assignments.map(({ depth }) => depth).sort(), what).toEqual([1, 2, 3, 4]);
        const hertz = answer.assignments.reduce((sum, { bandwidthHz }) => sum + bandwidthHz, 0);
        expect(hertz, what).toBeLessThanOrEqual(problem.bandwidthHz * (1 + 1e-9));
        const finish = Math.max(...answer.assignments.map((a) => a.computeSeconds + a.uploadSeconds));
        expect(finish / answer.latencySeconds, what).toBeCloseTo(1, 9);
        expect(answer.lowerBoundSeconds, what).toBeLessThanOrEqual(answer.latencySeconds);
        for (const assignment of answer.assignments) {
          const device = problem.devices.find(({ id }) => id === assignment.device)!;
          expect(assignment.memoryBytes, what).toBeLessThanOrEqual(device.memoryLimitBytes);
          expect(assignment.computeSeconds).toBeGreaterThanOrEqual(device.computeSeconds[assignment.depth - 1]!);
        }
      }
    }
  });
});

describe('infeasible problems say why', () => {
  const device = (id: string, held: number): TabularDevice => ({
    id,
    computeSeconds: [1, 2, 3],
    memoryBytes: [1, 2, 3],
    memoryLimitBytes: held,
    bitsPerSecondPerHz: 1,
  });
  const problem = (devices: TabularDevice[]): TabularProblem => ({
    blocks: [{ uploadBits: 1 }, { uploadBits: 1 }, { uploadBits: 1 }],
    devices,
    bandwidthHz: 1,
  });
  const reason = (devices: TabularDevice[], policy: Policy = 'crunch') => {
    const answer = solve(problem(devices), policy);
    return answer.feasible ? 'feasible' : answer.reason;
  };

  test('the depth that nobody can hold is named, by every policy that needs it', () => {
    for (const policy of ['crunch', 'lola', 'exact', 'random', 'greedy', 'depth-unaware', 'equal-bandwidth'] as const) {
      expect(reason([device('a', 2), device('b', 2), device('c', 2)], policy), policy).toMatch(/depth 3\b/);
      expect(reason([device('a', 1), device('b', 1), device('c', 1)], policy), policy).toMatch(
        /depth 2 \(nor depth 3\)/,
      );
    }
  });

  test('too few devices for the deep blocks', () => {
    expect(reason([device('a', 3), device('b', 1), device('c', 1)])).toMatch(
      /depths 2 to 3 need 2 devices, but only 1/,
    );
  });

  test('enough devices, of which one holds nothing: the shallowest depths have too few', () => {
    expect(reason([device('a', 3), device('b', 3), device('c', 0)])).toMatch(
      /depths 1 to 3 need 3 devices, but only 2 can hold depth 1/,
    );
    expect(reason([device('a', 3), device('b', 3), device('c', 2)])).toBe('feasible');
  });

  test('too few devices at all; teams still find a way', () => {
    expect(reason([device('a', 3), device('b', 3)])).toMatch(/only 2/);
    expect(reason([device('a', 3), device('b', 3)], 'teams')).toBe('feasible');
  });

  test('nobody there', () => {
    expect(reason([])).toBe('there are no devices yet; somebody has to join');
    expect(reason([], 'auto')).toBe('there are no devices yet; somebody has to join');
  });

  test('a link that carries nothing', () => {
    const deaf = { ...device('a', 3), bitsPerSecondPerHz: 0 };
    expect(reason([deaf, device('b', 2), device('c', 2)])).toMatch(
      /depth 3 fits only on devices whose link carries nothing/,
    );
  });

  test('in the detailed form, the first depth beyond everybody', () => {
    const fleet = generateFleet(1, { devices: 3, layers: 4, samples: 2 });
    const memory = { ...fleet.devices[0]!.memory, weightsBytes: 0, transientPerSample: 0, gradientBytesPerLayer: 0 };
    const devices = fleet.devices.map((one) => ({
      ...one,
      memory: { ...memory, savedPerSamplePerLayer: 10, limitBytes: 25 },
    }));
    for (const policy of POLICIES) {
      const answer = solve({ ...fleet, devices }, policy);
      const why = policy === 'split' ? /^what single units of the model cost is not said/ : /depth 3\b/;
      expect(answer.feasible ? '' : answer.reason, policy).toMatch(why);
    }
  });
});
