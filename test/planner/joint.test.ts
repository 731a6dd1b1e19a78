import { describe, expect, test } from 'vitest';
import { exact } from '../../signaling/planner/blocks/exact.ts';
import { lola } from '../../signaling/planner/blocks/lola.ts';
import { tabularTeam } from '../../signaling/planner/blocks/tabular-team.ts';
import { shareBandwidth } from '../../signaling/planner/problem/bandwidth.ts';
import { generateProblem } from '../../signaling/planner/problem/generator.ts';
import type { Channel } from '../../signaling/planner/problem/problem.ts';
import { tableOf } from '../../signaling/planner/problem/table.ts';
import { bruteBlockSets, bruteJoint } from './brute-force.ts';

const CHANNELS: readonly Channel[] = ['ofdma', 'ofdma-power', 'airtime'];

describe.each(CHANNELS)('joint allocation, %s', (channel) => {
  test('exact equals brute force over assignments with their best bandwidth on 500 problems', () => {
    let impossible = 0;
    for (let seed = 0; seed < 500; seed++) {
      const depths = 1 + (seed % 4);
      const table = tableOf(generateProblem(seed, { devices: depths + (seed % 3), depths, channel, limited: 0.8 }));
      const best = bruteJoint(table);
      const found = exact(table)?.latencySeconds ?? Infinity;
      if (best === Infinity) impossible++;
      else expect(found / best, `seed ${seed}`).toBeCloseTo(1, 10);
      expect(found === Infinity).toBe(best === Infinity);
    }
    expect(impossible).toBeGreaterThan(10);
  });

  test('lola: never below exact, bound never above it, mean gap below 1 %, the optimum in most cases', () => {
    let gaps = 0;
    let hits = 0;
    let problems = 0;
    for (let seed = 1000; seed < 1070; seed++) {
      const depths = 6 + (seed % 7);
      const devices = Math.max(depths, 6 + ((seed * 7) % 19));
      const table = tableOf(generateProblem(seed, { devices, depths, channel }));
      const best = exact(table)?.latencySeconds;
      const found = lola(table);
      expect(found === null).toBe(best === undefined);
      if (!found || best === undefined) continue;
      problems++;
      expect(found.latencySeconds).toBeGreaterThanOrEqual(best * (1 - 1e-12));
      expect(found.lowerBoundSeconds).toBeLessThanOrEqual(best * (1 + 1e-12));
      const gap = found.latencySeconds / best - 1;
      gaps += gap;
      if (gap < 1e-9) hits++;
    }
    expect(problems).toBeGreaterThan(60);
    expect(gaps / problems).toBeLessThan(0.01);
    expect(hits / problems).toBeGreaterThan(0.6);
  });

  test('any block sets of one team: equals brute force on 120 problems, bound below it', () => {
    let bounds = 0;
    let problems = 0;
    for (let seed = 0; seed < 120; seed++) {
      const table = tableOf(generateProblem(seed, { devices: 2 + (seed % 3), depths: 2 + (seed % 4), channel }));
      const best = bruteBlockSets(table);
      const found = tabularTeam(table);
      if (!found) {
        expect(best).toBe(Infinity);
        continue;
      }
      problems++;
      expect(found.latencySeconds / best, `seed ${seed}`).toBeCloseTo(1, 9);
      // What is stated is what the loads take: every depth once, with its bits, on a device that computes down to it.
      const depths = found.loads.flatMap((load) => load.depths).sort((a, b) => a - b);
      expect(depths).toEqual(Array.from({ length: table.depths }, (_, b) => b + 1));
      for (const { device, depths: own, computeSeconds, uploadBits } of found.loads) {
        expect(computeSeconds).toBe(table.computeSeconds[device * table.depths + own.at(-1)! - 1]);
        expect(uploadBits).toBeCloseTo(
          own.reduce((sum, depth) => sum + table.uploadBits[depth - 1]!, 0),
          6,
        );
      }
      expect(shareBandwidth(table.law, found.loads, table.bandwidthHz).latencySeconds / best).toBeCloseTo(1, 9);
      expect(found.lowerBoundSeconds).toBeLessThanOrEqual(best * (1 + 1e-12));
      bounds += found.lowerBoundSeconds / best;
    }
    expect(bounds / problems).toBeGreaterThan(0.999);
  });
});

test('blocks of different sizes and costs that fall with depth: exact still equals brute force', () => {
  for (let seed = 0; seed < 100; seed++) {
    const problem = generateProblem(seed, { devices: 5, depths: 3 });
    const table = tableOf({
      ...problem,
      blocks: [{ uploadBits: 2e7 }, { uploadBits: 0 }, { uploadBits: 4e6 }],
      devices: problem.devices.map((device, k) =>
        k % 2 === 0 ? device : { ...device, computeSeconds: device.computeSeconds.toReversed() },
      ),
    });
    const best = bruteJoint(table);
    expect(exact(table)?.latencySeconds ?? Infinity).toBeCloseTo(best, 9);
  }
});

test('exact on a thousand devices finishes, and no swap of one device improves it', () => {
  const table = tableOf(generateProblem(1, { devices: 1000, depths: 24 }));
  const found = exact(table)!;
  expect(new Set(found.allocation).size).toBe(24);
  expect(found.hertz.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(table.bandwidthHz * (1 + 1e-12));
  const hertzBelow = (k: number, b: number) => {
    const seconds = found.latencySeconds * (1 - 1e-9) - table.computeSeconds[k * 24 + b]!;
    return seconds > 0 ? table.uploadBits[b]! / (seconds * table.coefficient[k]!) : Infinity;
  };
  const whole = found.allocation.reduce((sum, k, b) => sum + hertzBelow(k, b), 0);
  for (let k = 0; k < 1000; k++) {
    if (found.allocation.includes(k)) continue;
    for (let b = 0; b < 24; b++) {
      expect(whole - hertzBelow(found.allocation[b]!, b) + hertzBelow(k, b)).toBeGreaterThan(table.bandwidthHz);
    }
  }
});
