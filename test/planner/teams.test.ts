import { describe, expect, test } from 'vitest';
import { fleetOf } from '../../signaling/planner/problem/fleet.ts';
import { generateFleet } from '../../signaling/planner/problem/generator.ts';
import type { Channel } from '../../signaling/planner/problem/problem.ts';
import { solve } from '../../signaling/planner/solve.ts';
import { fastestGroups, groupsBound, shareChain } from '../../signaling/planner/teams/grouped.ts';
import { fastestTeams } from '../../signaling/planner/teams/teams.ts';
import { teamsBound } from '../../signaling/planner/teams/teams-bound.ts';
import { POLICIES } from '../../signaling/protocol/settings.ts';
import { bruteChains, bruteTeams } from './brute-force.ts';
import { teamsByIntegerProgram } from './fleet-highs.ts';

const CHANNELS: readonly Channel[] = ['ofdma', 'ofdma-power', 'airtime'];
const small = (seed: number, channel: Channel) =>
  generateFleet(seed, {
    devices: 2 + (seed % 3),
    layers: 2 + (seed % 2),
    samples: 2 + (seed % 3),
    channel,
    uploadWeight: [0.03, 0.3, 3][seed % 3]!,
    freeHost: channel === 'airtime',
  });

describe.each(CHANNELS)('teams, %s', (channel) => {
  test('on average within 1 % of brute force over teams, samples and any block sets; the bound is below it', () => {
    let gaps = 0;
    let hits = 0;
    let bounds = 0;
    let problems = 0;
    for (let seed = 0; seed < 90; seed++) {
      const fleet = fleetOf(small(seed, channel));
      const best = bruteTeams(fleet);
      const found = fastestTeams(fleet);
      if (!found) {
        expect(best).toBe(Infinity);
        continue;
      }
      problems++;
      const gap = found.latencySeconds / best - 1;
      expect(gap).toBeGreaterThan(-1e-9);
      gaps += gap;
      if (gap < 1e-9) hits++;
      const bound = teamsBound(fleet, found.latencySeconds);
      expect(bound).toBeLessThanOrEqual(best * (1 + 1e-9));
      bounds += bound / best;
    }
    expect(problems).toBeGreaterThan(75);
    expect(gaps / problems).toBeLessThan(0.01);
    expect(hits / problems).toBeGreaterThan(0.8);
    expect(bounds / problems).toBeGreaterThan(0.85);
  });

  test('never slower than any other policy', () => {
    for (let seed = 0; seed < 12; seed++) {
      const problem = generateFleet(100 + seed, {
        devices: 3 + (seed % 6),
        layers: 6,
        samples: 16,
        channel,
        uploadWeight: [0.03, 0.3, 3][seed % 3]!,
        freeHost: channel === 'airtime',
      });
      const latency = (policy: (typeof POLICIES)[number]) => {
        const answer = solve(problem, policy, { seed });
        return answer.feasible ? answer.latencySeconds : Infinity;
      };
      const teams = latency('teams');
      for (const policy of POLICIES) expect(teams, policy).toBeLessThanOrEqual(latency(policy) * (1 + 1e-12));
    }
  });

  test('one team, one run each: equals brute force over chains, and is proven', () => {
    for (let seed = 0; seed < 40; seed++) {
      const fleet = fleetOf(
        generateFleet(seed, { devices: 2 + (seed % 3), layers: 3 + (seed % 3), samples: 8, channel, uploadWeight: 1 }),
      );
      const best = bruteChains(fleet, (chain) => shareChain(fleet, chain).latencySeconds);
      const found = fastestGroups(fleet);
      expect((found?.latencySeconds ?? Infinity) === Infinity).toBe(best === Infinity);
      if (!found) continue;
      expect(found.latencySeconds / best, `seed ${seed}`).toBeCloseTo(1, 9);
      const bound = groupsBound(fleet, found);
      expect(bound).toBeLessThanOrEqual(best * (1 + 1e-12));
      expect(bound / best).toBeGreaterThan(0.999);
    }
  });
});

// Chains give the head to whoever takes the first layers; where power is shared over the band, another may carry it better.
test.each([
  [101, 3, 2],
  [124, 0, 1],
])('the head goes to whoever carries it best: seed %i, device %i instead of %i', (seed, owner, first) => {
  const fleet = fleetOf(small(seed, 'ofdma-power'));
  const { loads, latencySeconds } = fastestTeams(fleet)!;
  expect(latencySeconds / bruteTeams(fleet)).toBeCloseTo(1, 9);
  const depthsOf = (device: number) => loads.find((load) => load.device === device)!.depths;
  expect(depthsOf(owner)[0]).toBe(0);
  expect(depthsOf(first)[0]).toBe(1);
});

test('within 5 % of the integer program on average, on problems too large for brute force', async () => {
  let gaps = 0;
  const seeds = Array.from({ length: 8 }, (_, i) => i);
  for (const seed of seeds) {
    const fleet = fleetOf(
      generateFleet(300 + seed, {
        devices: 5,
        layers: 4,
        samples: 6,
        channel: seed % 2 === 0 ? 'ofdma' : 'airtime',
        uploadWeight: [0.1, 0.3, 1][seed % 3]!,
        freeHost: seed % 2 === 1,
      }),
    );
    const found = fastestTeams(fleet)!;
    // From a fifth above, so that the program finds its own way and is not only asked to confirm.
    const best = await teamsByIntegerProgram(fleet, found.latencySeconds * 1.2);
    expect(best).toBeLessThanOrEqual(found.latencySeconds * (1 + 1e-6));
    expect(teamsBound(fleet, found.latencySeconds)).toBeLessThanOrEqual(best * (1 + 1e-6));
    gaps += found.latencySeconds / best - 1;
  }
  expect(gaps / seeds.length).toBeLessThan(0.05);
});

test('fifty devices and 24 layers: the bound is at least 85 % of the plan', () => {
  for (const uploadWeight of [0.03, 0.3, 3]) {
    const fleet = fleetOf(generateFleet(7, { devices: 50, layers: 24, samples: 32, uploadWeight }));
    const found = fastestTeams(fleet)!;
    expect(teamsBound(fleet, found.latencySeconds) / found.latencySeconds).toBeGreaterThan(0.85);
  }
});
