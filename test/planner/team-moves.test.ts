import { describe, expect, test } from 'vitest';
import type { Chain } from '../../signaling/planner/algorithms/runs.ts';
import { fleetOf } from '../../signaling/planner/problem/fleet.ts';
import { generateFleet } from '../../signaling/planner/problem/generator.ts';
import { fleetRunTable, tableRunCosts } from '../../signaling/planner/problem/run-costs.ts';
import { tableOf } from '../../signaling/planner/problem/table.ts';
import { groupedTable } from '../../signaling/planner/teams/grouped.ts';
import type { Members, TeamCosts } from '../../signaling/planner/teams/team-costs.ts';
import { type Move, proposals } from '../../signaling/planner/teams/team-moves.ts';
import { settle } from '../../signaling/planner/teams/team-search.ts';
import { teamsBound } from '../../signaling/planner/teams/teams-bound.ts';

type RunPrice = (device: number, samples: number, from: number, to: number) => number;
type ChainPrice = (members: Members, samples: number) => Chain | null;

/** Prices that are known beforehand. */
function priced(run: RunPrice, chain: ChainPrice): TeamCosts {
  return { run, chain, reconsider: () => {}, insertions: new Map(), suggest: () => {} };
}

/** One device for three blocks. */
const whole = (device: number, cost: number): Chain => ({ runs: [{ device, from: 0, to: 3 }], cost });

const told = (moves: readonly Move[]) =>
  moves.map(({ gain, without, instead }) => ({ gain, without, instead: instead() }));

describe('moves that seem to save', () => {
  /** The first needs 10 a block; the second 1 for one block alone, and 100 for anything else. */
  const two =
    (cheapFrom: number): RunPrice =>
    (device, _, from, to) =>
      device === 0 ? 10 * (to - from) : from === cheapFrom && to === from + 1 ? 1 : 100;
  /** The second alone costs 40, both together 35. */
  const chains: ChainPrice = (members) =>
    members.length === 2 ? { ...whole(0, 35), runs: [] } : whole(members[0]!, members[0] === 0 ? 30 : 40);
  const state = { teams: [[0], [1]], samples: [4, 3], hertz: 70, marginal: 5 };

  test.each([
    ['the last block', 2, [0, 1]],
    ['the first block', 0, [1, 0]],
  ])('a lone worker gives its samples away and takes %s of another', (_, cheapFrom, order) => {
    // 30 - 1 - 20 are saved there, 40 here, and three samples go elsewhere at 5 each.
    const found = told(proposals(priced(two(cheapFrom), chains), state, 0));
    expect(found).toContainEqual({
      gain: 9 + 40 - 15,
      without: [0, 1],
      instead: [{ members: [0, 1], around: 4, order }],
    });
    // As one team: 30 + 40 - 35 for all seven samples.
    expect(found).toContainEqual({
      gain: 35,
      without: [0, 1],
      instead: [{ members: [0, 1], around: 7, order: [0, 1] }],
    });
  });

  test('only those above the threshold', () => {
    const gains = (threshold: number) =>
      proposals(priced(two(2), chains), state, threshold)
        .map(({ gain }) => gain)
        .sort((a, b) => b - a);
    // The other way round the first gives its four samples away and takes two blocks: 100 - 20 - 1 there, 30 here, less 4 * 5.
    expect(gains(0)).toEqual([89, 35, 34]);
    expect(gains(34)).toEqual([89, 35]);
    expect(gains(35)).toEqual([89]);
  });

  test('an idle device joins a team, at the price of both together', () => {
    const found = told(
      proposals(
        priced(two(2), (members) => (members.length === 2 ? whole(0, 22) : whole(0, 30))),
        { ...state, samples: [4, 0] },
        0,
      ),
    );
    expect(found).toEqual([{ gain: 8, without: [0, 1], instead: [{ members: [0, 1], around: 4, order: [0, 1] }] }]);
  });

  test('two idle devices found a team for as many samples as the largest has, a half or a quarter of them', () => {
    const run: RunPrice = () => 1000;
    const chain: ChainPrice = (members, samples) =>
      members.includes(0) ? (members.length > 1 ? null : whole(0, 30)) : whole(1, 2 + samples);
    const found = told(
      proposals(priced(run, chain), { teams: [[0], [1], [2]], samples: [8, 0, 0], hertz: 30, marginal: 5 }, 0),
    );
    // 5 a sample, less 2 + a sample.
    expect(found).toEqual([
      { gain: 40 - 10, without: [1, 2], instead: [{ members: [1, 2], around: 8 }] },
      { gain: 10 - 4, without: [1, 2], instead: [{ members: [1, 2], around: 2 }] },
      { gain: 20 - 6, without: [1, 2], instead: [{ members: [1, 2], around: 4 }] },
    ]);
  });

  test('a member leaves to work alone, or an idle device takes its place', () => {
    const chain: Chain = {
      runs: [
        { device: 0, from: 0, to: 2 },
        { device: 1, from: 2, to: 3 },
      ],
      cost: 26,
    };
    const alone: ChainPrice = (members) => {
      if (members.join() === '0,1') return chain;
      return members.length === 1 && members[0] !== 2 ? whole(members[0]!, members[0] === 0 ? 29 : 90) : null;
    };
    // The idle third takes the second's block for 4 instead of 6.
    const run: RunPrice = (device, _, from, to) =>
      device === 0 ? 10 * (to - from) : device === 1 ? 6 : from === 2 ? 4 : 500;
    const found = told(
      proposals(priced(run, alone), { teams: [[0, 1], [2]], samples: [6, 0], hertz: 26, marginal: 5 }, 0),
    );
    // Without the second: 26 - 29, and a sample of its own is worth 5.
    expect(found).toContainEqual({
      gain: 2,
      without: [0],
      instead: [
        { members: [0], around: 6, order: [0] },
        { members: [1], around: 0 },
      ],
    });
    expect(found).toContainEqual({
      gain: 2,
      without: [0, 1],
      instead: [
        { members: [0, 2], around: 6, order: [0, 2] },
        { members: [1], around: 0 },
      ],
    });
  });
});

describe('samples are dealt out', () => {
  const fleet = (samples: number) => fleetOf(generateFleet(1, { devices: 2, layers: 2, samples }));
  const squares = priced(
    () => 0,
    (members, samples) => whole(members[0]!, (1 + members[0]!) * samples ** 2),
  );

  test('one by one in small rounds', () => {
    // 2^2 + 2 * 1^2 = 6; of two samples 1 + 2 = 3.
    expect(settle(fleet(3), squares, [[0], [1]], [0, 0])).toMatchObject({ samples: [2, 1], hertz: 6, marginal: 3 });
  });

  test('in units of three where there are 70, of which the last is a part', () => {
    const even = priced(
      () => 0,
      (members, samples) => whole(members[0]!, samples ** 2),
    );
    // 24 units, two samples too many: 12 each, of the first two less. The last unit is 36^2 - 33^2, for three samples.
    expect(settle(fleet(70), even, [[0], [1]], [0, 0])).toMatchObject({
      samples: [34, 36],
      marginal: (36 ** 2 - 33 ** 2) / 3,
    });
  });

  test('to teams of several only near what they had', () => {
    const team = (around: number) => settle(fleet(8), squares, [[0, 1]], [around]);
    expect(team(5)).toBeNull();
    expect(team(6)).toMatchObject({ samples: [8], hertz: 64 });
    expect(settle(fleet(8), squares, [[0, 1], [1]], [1, 0])?.samples).toEqual([3, 5]);
  });
});

describe('tables of runs', () => {
  test('the groups of a chain cost each device its pass down to the last of them', () => {
    const fleet = fleetOf(generateFleet(1, { devices: 3, layers: 4, samples: 8, limited: 0 }));
    const chain = [
      { device: 2, from: -1, to: 1 },
      { device: 0, from: 1, to: 4 },
    ];
    const table = groupedTable(fleet, chain);
    const seconds = fleet.devices.flatMap(({ overheadSeconds, secondsPerSample: s }) =>
      [1, 4].map(
        (depth) => overheadSeconds + 8 * (s.embed + 4 * s.forwardPerLayer + depth * s.backwardPerLayer + s.head),
      ),
    );
    expect([...table.computeSeconds]).toEqual(seconds.map((one) => expect.closeTo(one, 12)));
    // The head with the first layer; three layers.
    expect([...table.uploadBits]).toEqual([6e6, 12e6]);
    const held = groupedTable({ ...fleet, deepestHeld: Int32Array.of(3, 4, 0) }, chain).computeSeconds;
    expect([...held].map((one) => one < Infinity)).toEqual([true, false, true, true, false, false]);
  });

  test('a run of blocks needs its bits in what its deepest block leaves of the limit', () => {
    const table = tableOf({
      blocks: [{ uploadBits: 2 }, { uploadBits: 4 }, { uploadBits: 0 }],
      devices: [
        { id: 'a', computeSeconds: [1, 3, 2], memoryBytes: [1, 1, 1], memoryLimitBytes: 1, bitsPerSecondPerHz: 1 },
        { id: 'b', computeSeconds: [1, 2, 5], memoryBytes: [1, 1, 1], memoryLimitBytes: 1, bitsPerSecondPerHz: 2 },
      ],
      bandwidthHz: 1,
    });
    const { of, ...size } = tableRunCosts(table, [1, 0], 5);
    const no = Infinity;
    expect(size).toEqual({ devices: 2, blocks: 3 });
    // b before 5 s: 2 bits at 2 in 4 s, 6 in 3; 4 in 3. The third block takes all 5 s: nothing is before the limit, though nothing is sent.
    expect([...of(0)]).toEqual([no, 0.25, 1, no, no, no, 2 / 3, no, no, no, no, no, no, no, no, no]);
    expect([...of(1)]).toEqual([no, 0.5, 3, 3, no, no, 2, 2, no, no, no, 0, no, no, no, no]);
  });

  test('in the detailed form the head is a run by itself only where that is asked for', () => {
    const one = generateFleet(1, { devices: 1, layers: 2, samples: 1 });
    const device = {
      ...one.devices[0]!,
      overheadSeconds: 1,
      secondsPerSample: { embed: 0, forwardPerLayer: 0.5, backwardPerLayer: 2, head: 0 },
      bitsPerSecondPerHz: 1e6,
    };
    const fleet = { ...fleetOf({ ...one, devices: [device] }), deepestHeld: Int32Array.of(2) };
    // Down to the head 2 s, to depth 1 4 s, to depth 2 6 s; head 2, layers 4 each.
    const no = Infinity;
    const hertz = [no, 2 / 5, 6 / 3, 10 / 1, no, no, 4 / 3, 8 / 1, no, no, no, 4 / 1, no, no, no, no];
    expect([...fleetRunTable(fleet, 0, 1, 7, true)]).toEqual(hertz);
    expect([...fleetRunTable(fleet, 0, 1, 7, false)]).toEqual(hertz.with(1, no));
    // Of 6 s nothing is left for depth 2, and a device that holds one layer is asked for no other.
    expect([...fleetRunTable(fleet, 0, 1, 6, true)]).toEqual([
      no,
      2 / 4,
      6 / 2,
      no,
      no,
      no,
      4 / 2,
      no,
      no,
      no,
      no,
      no,
      no,
      no,
      no,
      no,
    ]);
    expect(fleetRunTable({ ...fleet, deepestHeld: Int32Array.of(1) }, 0, 1, 7, true)[3]).toBe(no);
  });
});

test('a device without a link adds nothing to what teams could do', () => {
  for (const channel of ['ofdma', 'ofdma-power'] as const) {
    const problem = generateFleet(4, { devices: 4, layers: 4, samples: 8, channel, limited: 0 });
    const [first] = problem.devices;
    const { bitsPerSecondPerHz: _rate, snrHz: _power, ...dead } = { ...first!, id: 'dead' };
    const with0 = fleetOf({ ...problem, devices: [...problem.devices, dead] });
    const bound = teamsBound(fleetOf(problem), 1);
    expect(bound).toBeGreaterThan(0.1);
    expect(teamsBound(with0, 1)).toBeCloseTo(bound, 9);
  }
});
