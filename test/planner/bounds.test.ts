import { describe, expect, test } from 'vitest';
import { blockSetBound, groupedBound, wholeBandwidthBound } from '../../signaling/planner/blocks/bounds.ts';
import { fleetOf } from '../../signaling/planner/problem/fleet.ts';
import { generateFleet, generateProblem } from '../../signaling/planner/problem/generator.ts';
import type { Channel, DetailedProblem, TabularProblem } from '../../signaling/planner/problem/problem.ts';
import { tableOf } from '../../signaling/planner/problem/table.ts';
import { groupsBound, shareChain } from '../../signaling/planner/teams/grouped.ts';
import { teamsBound } from '../../signaling/planner/teams/teams-bound.ts';
import { bruteBlockSets, bruteChains, bruteJoint, bruteTeams } from './brute-force.ts';

/**
 * A bound is true whatever latency its search starts from: a plan ten times slower than need be must not lift it above the optimum, which
 * is found here by trying everything. And it says something: parts of the optimum that it must reach, on average and at least.
 */
const CHANNELS: readonly Channel[] = ['ofdma', 'ofdma-power', 'airtime'];
const REACHED = [1, 1.0001, 3, 10, 1e6];
const SEEDS = Array.from({ length: 45 }, (_, seed) => seed);

interface Tightness {
  readonly mean: number;
  readonly least: number;
}

/** Every bound / optimum, from every start. */
function check(problems: readonly { optimum: number; bound: (reached: number) => number }[], wanted: Tightness): void {
  const feasible = problems.filter(({ optimum }) => optimum < Infinity);
  expect(feasible.length).toBeGreaterThan(35);
  const parts = feasible.flatMap(({ optimum, bound }) => REACHED.map((times) => bound(times * optimum) / optimum));
  expect(Math.max(...parts)).toBeLessThanOrEqual(1 + 1e-12);
  expect(Math.min(...parts)).toBeGreaterThan(wanted.least);
  expect(parts.reduce((a, b) => a + b, 0) / parts.length).toBeGreaterThan(wanted.mean);
}

describe.each(CHANNELS)('lower bounds against exhaustive search, %s', (channel) => {
  const linear = channel !== 'ofdma-power';
  const drawnTable = (seed: number) =>
    tableOf(generateProblem(seed, { devices: 2 + (seed % 3), depths: 2 + (seed % 3), channel }));
  const drawnFleet = (seed: number, layers: number, samples: number) =>
    fleetOf(
      generateFleet(seed, { devices: 2 + (seed % 3), layers, samples, channel, uploadWeight: [0.1, 1, 4][seed % 3]! }),
    );

  test('block sets: below every map of blocks to devices', () => {
    const problems = SEEDS.map(drawnTable).map((table) => ({
      optimum: bruteBlockSets(table),
      bound: (reached: number) => blockSetBound(table, reached),
    }));
    check(problems, linear ? { mean: 0.9, least: 0.85 } : { mean: 0.8, least: 0.55 });
  });

  test('the whole bandwidth for each: below every assignment', () => {
    const problems = SEEDS.map(drawnTable).map((table) => ({
      optimum: bruteJoint(table),
      bound: () => wholeBandwidthBound(table),
    }));
    check(problems, linear ? { mean: 0.68, least: 0.55 } : { mean: 0.9, least: 0.7 });
  });

  test('runs of layers: below every chain', () => {
    const problems = SEEDS.map((seed) => drawnFleet(seed, 3 + (seed % 3), 8)).map((fleet) => ({
      optimum: bruteChains(fleet, (chain) => shareChain(fleet, chain).latencySeconds),
      bound: (reached: number) => groupedBound(fleet, reached),
    }));
    check(problems, linear ? { mean: 0.9, least: 0.83 } : { mean: 0.8, least: 0.6 });
  });

  test('the proof of a chain: below every chain, also where a slower one is taken for the fastest', () => {
    const parts = SEEDS.flatMap((seed) => {
      const fleet = drawnFleet(seed, 3 + (seed % 2), 8);
      const chains: { chain: { device: number; from: number; to: number }[]; latencySeconds: number }[] = [];
      const optimum = bruteChains(fleet, (chain) => {
        const { latencySeconds } = shareChain(fleet, chain);
        chains.push({ chain: [...chain], latencySeconds });
        return latencySeconds;
      });
      const within = chains.filter(({ latencySeconds }) => latencySeconds < 1.25 * optimum);
      return within.map(({ chain, latencySeconds }) => ({
        part: groupsBound(fleet, shareChain(fleet, chain)) / optimum,
        best: latencySeconds === optimum,
      }));
    });
    expect(parts.length).toBeGreaterThan(80);
    expect(Math.max(...parts.map(({ part }) => part))).toBeLessThanOrEqual(1 + 1e-12);
    // Of a chain a quarter too slow the next limit that is tried is 30 % below it.
    expect(Math.min(...parts.map(({ part }) => part))).toBeGreaterThan(0.69);
    expect(Math.min(...parts.filter(({ best }) => best).map(({ part }) => part))).toBeGreaterThan(1 - 1e-8);
  });

  test('teams: below every way to split devices, samples and blocks', () => {
    const problems = SEEDS.map((seed) => drawnFleet(seed, 2 + (seed % 2), 2 + (seed % 3))).map((fleet) => ({
      optimum: bruteTeams(fleet),
      bound: (reached: number) => teamsBound(fleet, reached),
    }));
    check(problems, linear ? { mean: 0.88, least: 0.2 } : { mean: 0.84, least: 0.2 });
  });

  test('teams, from a plan within a few per cent: tight', () => {
    const parts = SEEDS.flatMap((seed) => {
      const fleet = drawnFleet(seed, 2 + (seed % 2), 2 + (seed % 3));
      const optimum = bruteTeams(fleet);
      return optimum < Infinity ? [teamsBound(fleet, 1.03 * optimum) / optimum] : [];
    });
    expect(Math.min(...parts)).toBeGreaterThan(0.8);
    expect(parts.reduce((a, b) => a + b, 0) / parts.length).toBeGreaterThan(0.94);
  });
});

describe('bounds by hand', () => {
  /** 2 s of compute, then 6 Mbit at 3 bit/s/Hz over 1 MHz: two seconds more. */
  const alone: TabularProblem = {
    blocks: [{ uploadBits: 6e6 }],
    devices: [{ id: 'a', computeSeconds: [2], memoryBytes: [1], memoryLimitBytes: 1, bitsPerSecondPerHz: 3 }],
    bandwidthHz: 1e6,
  };

  test('one device and one block: the only plan there is', () => {
    const table = tableOf(alone);
    expect(wholeBandwidthBound(table)).toBeCloseTo(4, 7);
    for (const reached of [4, 5, 400]) expect(blockSetBound(table, reached) / 4).toBeCloseTo(1, 3);
  });

  test('two blocks and two devices: half the band each, were there no deeper block to wait for', () => {
    const device = (id: string, computeSeconds: number[]) => ({
      ...alone.devices[0]!,
      id,
      computeSeconds,
      memoryBytes: [1, 1],
    });
    const table = tableOf({
      ...alone,
      blocks: [{ uploadBits: 6e6 }, { uploadBits: 3e6 }],
      devices: [device('a', [1, 5]), device('b', [1, 9])],
    });
    // With everything for itself: b takes depth 1 in 1 + 2 s, a depth 2 in 5 + 1 s.
    expect(wholeBandwidthBound(table)).toBeCloseTo(6, 7);
    // At T each block takes the hertz of its quickest device: 2 / (T - 1) + 1 / (T - 5) = 1, or T^2 - 9 T + 16 = 0.
    const T = (9 + Math.sqrt(17)) / 2;
    for (const reached of [8, 70]) {
      expect(blockSetBound(table, reached)).toBeLessThanOrEqual(T);
      expect(blockSetBound(table, reached) / T).toBeCloseTo(1, 3);
    }
  });

  const fleet = (channel: Channel): DetailedProblem => ({
    model: { layers: 2, samples: 4, head: { uploadBits: 1e6 }, layerUploadBits: 1e6 },
    devices: [
      {
        id: 'a',
        overheadSeconds: 1,
        secondsPerSample: { embed: 0.1, forwardPerLayer: 0.2, backwardPerLayer: 0.25, head: 0.05 },
        memory: {
          limitBytes: 1,
          weightsBytes: 0,
          transientPerSample: 0,
          savedPerSamplePerLayer: 0,
          gradientBytesPerLayer: 0,
        },
        ...(channel === 'ofdma-power' ? { snrHz: 3e6 } : { bitsPerSecondPerHz: 2 }),
      },
    ],
    bandwidthHz: 1e6,
    channel,
  });

  test.each([
    // 1 + 4 (0.1 + 0.4 + 0.5 + 0.05) = 5.2 s; 3 Mbit at 2 Mbit/s; each block alone: 1/(T-3.2) + 1/(T-4.2) + 1/(T-5.2) = 2.
    ['ofdma', 6.7],
    ['airtime', 6.7],
    // log2(1 + 3) = 2 bit/s/Hz as well.
    ['ofdma-power', 6.7],
  ] as const)('one device for everything, %s: %d s', (channel, seconds) => {
    const one = fleetOf(fleet(channel));
    for (const reached of [seconds, 2 * seconds, 50 * seconds]) {
      const grouped = groupedBound(one, reached);
      const teams = teamsBound(one, reached);
      for (const bound of [grouped, teams]) expect(bound).toBeLessThanOrEqual(seconds * (1 + 1e-12));
      expect(teams / seconds).toBeGreaterThan(channel === 'ofdma-power' ? 0.9 : 0.97);
      const needed = (T: number) => [3.2, 4.2, 5.2].reduce((sum, compute) => sum + 0.5 / (T - compute), 0);
      if (channel !== 'ofdma-power') expect(needed(grouped)).toBeCloseTo(1, 2);
    }
  });

  test('nothing to send: the bound is the compute of the quickest way', () => {
    const silent = fleetOf({
      ...fleet('ofdma'),
      model: { ...fleet('ofdma').model, head: { uploadBits: 0 }, layerUploadBits: 0 },
    });
    for (const reached of [5.2, 52]) {
      expect(groupedBound(silent, reached) / 5.2).toBeCloseTo(1, 3);
      expect(teamsBound(silent, reached)).toBeLessThanOrEqual(5.2);
    }
    const table = tableOf({ ...alone, blocks: [{ uploadBits: 0 }] });
    expect(wholeBandwidthBound(table)).toBeCloseTo(2, 7);
    expect(blockSetBound(table, 2e9) / 2).toBeCloseTo(1, 3);
  });

  test('nobody can: no bound but infinity where the memory says so', () => {
    const table = tableOf({ ...alone, devices: [{ ...alone.devices[0]!, memoryLimitBytes: 0 }] });
    expect(wholeBandwidthBound(table)).toBe(Infinity);
  });
});
