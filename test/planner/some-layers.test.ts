import { describe, expect, test } from 'vitest';
import { drawsFrom } from '../../signaling/planner/algorithms/random.ts';
import { fleetOf } from '../../signaling/planner/problem/fleet.ts';
import { generateFleet } from '../../signaling/planner/problem/generator.ts';
import { parseProblem } from '../../signaling/planner/problem/parse.ts';
import type { Channel, DetailedDevice, DetailedProblem } from '../../signaling/planner/problem/problem.ts';
import { solve } from '../../signaling/planner/solve.ts';
import { chainAt, fastestGroups, groupsBound, shareChain } from '../../signaling/planner/teams/grouped.ts';
import { groupAtFixedRate } from '../../signaling/planner/teams/grouping.ts';
import { fastestTeams } from '../../signaling/planner/teams/teams.ts';
import { teamsBound } from '../../signaling/planner/teams/teams-bound.ts';
import { computeSeconds } from '../../signaling/protocol/cost-model.ts';
import { POLICIES } from '../../signaling/protocol/settings.ts';
import { bruteChains, bruteTeams } from './brute-force.ts';

/** Adapters on some layers alone, of ranks that differ. */

const CHANNELS: readonly Channel[] = ['ofdma', 'ofdma-power', 'airtime'];

/** Bits for each depth, null where a layer has no adapters: at least one has. */
function mixed(seed: number, options: Parameters<typeof generateFleet>[1]): DetailedProblem {
  const problem = generateFleet(seed, options);
  const draw = drawsFrom(1000 + seed);
  const { layers } = problem.model;
  const bits: (number | null)[] = Array.from({ length: layers }, () =>
    draw.uniform() < 0.5 ? null : 4e6 * 2 ** (draw.below(5) - 2),
  );
  const one = draw.below(layers);
  bits[one] ??= 4e6;
  return { ...problem, model: { ...problem.model, layerUploadBits: bits } };
}

const device = (id: string, change: Partial<DetailedDevice['memory']> = {}): DetailedDevice => ({
  id,
  overheadSeconds: 0.5,
  secondsPerSample: { embed: 0.01, forwardPerLayer: 0.1, backwardPerLayer: 0.2, head: 0.02 },
  memory: {
    limitBytes: 1000,
    weightsBytes: 100,
    transientPerSample: 10,
    savedPerSamplePerLayer: 20,
    gradientBytesPerLayer: 5,
    ...change,
  },
  bitsPerSecondPerHz: 2,
});

const problem = (devices: DetailedDevice[], layerUploadBits: DetailedProblem['model']['layerUploadBits']) => ({
  model: { layers: 6, samples: 10, head: { uploadBits: 40 }, layerUploadBits },
  devices,
  bandwidthHz: 100,
});

describe('worked out by hand', () => {
  // Depths 2 and 4 of 6: layers 4 and 2.
  const bits = [null, 100, null, 300, null, null];

  test('one device goes back to the lowest trained layer, not further, and sends what the two have', () => {
    const answer = solve(problem([device('a')], bits), 'single');
    if (!answer.feasible) throw new Error(answer.reason);
    const [work] = answer.assignments;
    expect(work).toMatchObject({ layers: [2, 4], head: true, depth: 4, uploadBits: 440 });
    // 0.5 + 10 * (0.01 + 6 * 0.1 + 4 * 0.2 + 0.02)
    expect(work!.computeSeconds).toBeCloseTo(14.8, 12);
    expect(work!.uploadSeconds).toBeCloseTo(440 / 200, 12);
  });

  test('a device whose memory ends between two trained layers takes the shallow one', () => {
    // 100 + 10 + 3 * 20 + 3 * 5 = 185 for depth 3; 210 for depth 4.
    const small = device('small', { limitBytes: 200 });
    const alone = solve(problem([small], bits), 'single');
    expect(alone).toMatchObject({
      feasible: false,
      reason: "no device's memory can hold depth 4; add a device with more memory",
    });
    const answer = solve(problem([small, device('large')], bits), 'exact');
    if (!answer.feasible) throw new Error(answer.reason);
    const layersOf = (id: string) => answer.assignments.find((a) => a.device === id)?.layers;
    expect([layersOf('small'), layersOf('large')]).toEqual([[4], [2]]);
  });

  test('a number and a list of it are one problem', () => {
    const devices = [device('a'), { ...device('b'), bitsPerSecondPerHz: 3 }];
    for (const policy of POLICIES)
      expect(solve(problem(devices, Array(6).fill(70)), policy)).toEqual(solve(problem(devices, 70), policy));
  });
});

test('every policy trains what has adapters once, and nothing else', () => {
  for (const channel of CHANNELS)
    for (let seed = 0; seed < 12; seed++) {
      const layers = 3 + (seed % 5);
      const given = mixed(seed, { devices: 2 + (seed % 4), layers, samples: 8, channel, uploadWeight: 0.5 });
      const bits = given.model.layerUploadBits as readonly (number | null)[];
      for (const policy of POLICIES) {
        const answer = solve(given, policy, { seed });
        if (!answer.feasible) continue;
        const what = `${policy}, ${channel}, seed ${seed}`;
        const times = Array.from({ length: 8 }, () => new Int32Array(layers));
        for (const work of answer.assignments) {
          const { start, count } = work.samples;
          for (let sample = start; sample < start + count; sample++)
            for (const layer of work.layers) times[sample]![layer]!++;
          const depth = work.layers.length > 0 ? layers - work.layers[0]! : 0;
          expect(work.depth, what).toBe(depth);
          const measured = given.devices.find(({ id }) => id === work.device)!;
          expect(work.computeSeconds, what).toBeCloseTo(computeSeconds(measured, layers, count, depth), 9);
          const sent = work.layers.reduce((sum, layer) => sum + bits[layers - 1 - layer]!, work.head ? 2e6 : 0);
          expect(work.uploadBits, what).toBeCloseTo(sent, 3);
        }
        const due = Array.from({ length: layers }, (_, layer) => (bits[layers - 1 - layer] === null ? 0 : 1));
        for (const row of times) expect([...row], what).toEqual(due);
        expect(answer.lowerBoundSeconds, what).toBeLessThanOrEqual(answer.latencySeconds);
      }
    }
});

describe.each(CHANNELS)('as quick as brute force, %s', (channel) => {
  test('groups of neighbours, at fixed and at shared bandwidth', () => {
    for (let seed = 0; seed < 40; seed++) {
      const fleet = fleetOf(
        mixed(seed, { devices: 2 + (seed % 3), layers: 4 + (seed % 3), samples: 8, channel, uploadWeight: 1 }),
      );
      const hertz = fleet.bandwidthHz / fleet.devices.length;
      const fixed = bruteChains(fleet, (chain) => chainAt(fleet, chain, hertz).latencySeconds);
      expect(groupAtFixedRate(fleet, hertz, fleet.blocks)?.latencySeconds ?? Infinity, `seed ${seed}`).toBe(fixed);
      const shared = bruteChains(fleet, (chain) => shareChain(fleet, chain).latencySeconds);
      const found = fastestGroups(fleet);
      if (!found) {
        expect(shared).toBe(Infinity);
        continue;
      }
      expect(found.latencySeconds / shared, `seed ${seed}`).toBeCloseTo(1, 9);
      expect(groupsBound(fleet, found)).toBeLessThanOrEqual(shared * (1 + 1e-12));
    }
  });

  test('teams on average within 1 %; the bound is below', () => {
    let gaps = 0;
    let problems = 0;
    for (let seed = 0; seed < 40; seed++) {
      const fleet = fleetOf(
        mixed(seed, { devices: 2 + (seed % 2), layers: 3 + (seed % 2), samples: 2 + (seed % 3), channel }),
      );
      const found = fastestTeams(fleet);
      if (!found) continue;
      const best = bruteTeams(fleet);
      problems++;
      gaps += found.latencySeconds / best - 1;
      expect(found.latencySeconds).toBeGreaterThan(best * (1 - 1e-9));
      expect(teamsBound(fleet, found.latencySeconds)).toBeLessThanOrEqual(best * (1 + 1e-9));
    }
    expect(problems).toBeGreaterThan(30);
    expect(gaps / problems).toBeLessThan(0.01);
  });
});

test.each([
  [[1, 2], 'There are 2 layerUploadBits but 6 layers; give one per depth.'],
  [Array(6).fill(null), 'No layer has adapters: every one of layerUploadBits is null; give bits to one at least.'],
  [
    [1, 2, 3, 4, 5, -6],
    "The problem's model.layerUploadBits is wrong: layerUploadBits must be a number, or a list with one for each depth, each 0 or between 1e-50 and 1e50, and null for a layer without adapters.",
  ],
])('%j is refused', (layerUploadBits, sentence) => {
  const input: unknown = problem([device('a')], layerUploadBits);
  expect(() => parseProblem(input)).toThrow(new Error(sentence).message);
});
