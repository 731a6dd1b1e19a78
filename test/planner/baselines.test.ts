import { describe, expect, test } from 'vitest';
import { drawsFrom } from '../../signaling/planner/algorithms/random.ts';
import { depthUnaware, equalBandwidth, greedy, random } from '../../signaling/planner/blocks/baselines.ts';
import { smallestPerDepth } from '../../signaling/planner/blocks/bottleneck.ts';
import { wholeBandwidthBound } from '../../signaling/planner/blocks/bounds.ts';
import { exact, hertzTable } from '../../signaling/planner/blocks/exact.ts';
import { lola } from '../../signaling/planner/blocks/lola.ts';
import { tabularPolicies } from '../../signaling/planner/blocks/tabular.ts';
import { tabularTeam } from '../../signaling/planner/blocks/tabular-team.ts';
import { generateProblem } from '../../signaling/planner/problem/generator.ts';
import { type BlockTable, tableOf } from '../../signaling/planner/problem/table.ts';

const NO = Infinity;

/** Seconds of each device and depth, NO where memory does not hold it; the channel is linear. */
function blocks(
  rows: readonly (readonly number[])[],
  { bits = rows[0]!.map(() => 0), links = rows.map(() => 1), bandwidthHz = 1 } = {},
): BlockTable {
  return tableOf({
    blocks: bits.map((uploadBits) => ({ uploadBits })),
    devices: rows.map((row, k) => ({
      id: 'abcdef'[k]!,
      computeSeconds: row.map((seconds) => (seconds === NO ? 0 : seconds)),
      memoryBytes: row.map((seconds) => (seconds === NO ? 2 : 1)),
      memoryLimitBytes: 1,
      bitsPerSecondPerHz: links[k]!,
    })),
    bandwidthHz,
  });
}

describe('blind to depth', () => {
  test('a device costs its mean over its depths, sending over its part of the band for all devices', () => {
    // Over 8 Hz of 16 each: a takes 1 + 8 / (8 / 4) = 5 on average, b takes 3 + 8 / 8 = 4, and goes deepest. Over 32 Hz a were quicker.
    const rows = [
      [0.5, 1.5],
      [2, 4],
    ];
    const table = blocks(rows, { bits: [8, 8], links: [0.25, 1], bandwidthHz: 16 });
    expect(depthUnaware(table)?.allocation).toEqual([0, 1]);
    // With nothing to send, a is quicker.
    expect(depthUnaware(blocks(rows))?.allocation).toEqual([1, 0]);
    // At 64 times the bandwidth sending hardly counts: 1 + 8 / 32 against 3 + 8 / 128.
    expect(depthUnaware(blocks(rows, { bits: [8, 8], links: [0.25, 1], bandwidthHz: 256 }))?.allocation).toEqual([
      1, 0,
    ]);
  });

  test('the mean is over the depths that the device holds', () => {
    // b is deepest with 1.5; above it a, 4 of one depth, beats c, (2 + 7) / 2.
    const table = blocks([
      [4, NO],
      [1, 2],
      [2, 7],
    ]);
    expect(depthUnaware(table)).toMatchObject({ allocation: [0, 1], latencySeconds: 4 });
  });

  test('is none where nothing works', () => {
    expect(
      depthUnaware(
        blocks([
          [1, NO],
          [1, NO],
        ]),
      ),
    ).toBeNull();
  });
});

describe('the fastest first', () => {
  test('takes the deepest block that it can, by its seconds at depth 1', () => {
    expect(
      greedy(
        blocks([
          [3, 3.1],
          [1, 9],
          [2, 2.1],
        ]),
      ),
    ).toMatchObject({ allocation: [2, 1], latencySeconds: 9 });
    expect(
      greedy(
        blocks([
          [3, 3.1],
          [1, NO],
          [2, 2.1],
        ]),
      ),
    ).toMatchObject({ allocation: [1, 2], latencySeconds: 2.1 });
  });

  test('makes room along a path of two devices, and is none where there is no such path', () => {
    // Depth 3 first takes a, depth 2 b; then depth 1 needs b, so b leaves depth 2 to a, and a leaves depth 3 to c.
    const path = [
      [NO, 5, 6],
      [1, 2, NO],
      [NO, NO, 7],
    ];
    expect(greedy(blocks(path))).toMatchObject({ allocation: [1, 0, 2], latencySeconds: 7 });
    // Both depths on a alone.
    expect(
      greedy(
        blocks([
          [1, 2],
          [NO, NO],
        ]),
      ),
    ).toBeNull();
    // Depths 2 and 3 both on b alone, whom the path comes back to.
    expect(
      greedy(
        blocks([
          [1, NO, NO],
          [1, 2, 3],
          [1, NO, NO],
        ]),
      ),
    ).toBeNull();
  });

  test('asks nobody without a link, where there is something to send', () => {
    const rows = [
      [1, 1.5],
      [2, 2.5],
      [3, 3.5],
    ];
    expect(greedy(blocks(rows, { bits: [1, 1], links: [0, 1, 1] }))?.allocation).toEqual([2, 1]);
    expect(greedy(blocks(rows, { links: [0, 1, 1] }))?.allocation).toEqual([1, 0]);
  });
});

test('drawn allocations are every one that works, and no other', () => {
  const table = blocks([
    [1, 2, 3],
    [1, 2, NO],
    [1, 2, 3],
    [1, NO, NO],
  ]);
  const seen = new Set<string>();
  for (let seed = 0; seed < 400; seed++) seen.add(String(random(table, drawsFrom(seed))?.allocation));
  // Depth 3 on a or c, then depth 2 on b or the other of them, then depth 1 on either of the two that are left.
  expect([...seen].sort()).toEqual(['1,0,2', '1,2,0', '2,1,0', '0,1,2', '3,0,2', '3,1,0', '3,1,2', '3,2,0'].sort());
  expect(
    random(
      blocks([
        [1, 2],
        [NO, NO],
      ]),
      drawsFrom(1),
    ),
  ).toBeNull();
});

test('equal parts of the band are one for each block: the best blocks at those', () => {
  // 3 Hz each. a: 1 + 6 / 3 at depth 1, 4 + 12 / 3 at depth 2; b: 2 + 6 / 6, 3 + 12 / 6; c is no part of it.
  const table = blocks(
    [
      [1, 4],
      [2, 3],
      [9, 9],
    ],
    { bits: [6, 12], links: [1, 2, 1], bandwidthHz: 6 },
  );
  expect(equalBandwidth(table)).toEqual({ allocation: [0, 1], hertz: [3, 3], latencySeconds: 5 });
  expect(
    equalBandwidth(
      blocks([
        [1, NO],
        [1, NO],
      ]),
    ),
  ).toBeNull();
});

describe('hertz for each pair', () => {
  const table = blocks(
    [
      [1, 2],
      [3, NO],
    ],
    { bits: [4, 8], links: [1, 2], bandwidthHz: 10 },
  );

  test('are bits by link by the time that is left, less than the whole', () => {
    // Of 5 s: 4 / 4, 8 / 3; 4 / 2 / 2, none.
    expect([...hertzTable(table, 5)]).toEqual([1, 8 / 3, 1, NO]);
    // Of 3 s: 4 / 2, 8 / 1; nothing is left for the second.
    expect([...hertzTable(table, 3)]).toEqual([2, 8, NO, NO]);
    // Of 2.7 s: 8 / 0.7 is more than the whole.
    expect([...hertzTable(table, 2.7)].slice(0, 2)).toEqual([4 / (2.7 - 1), NO]);
  });

  test('nothing to send needs none, but time to compute', () => {
    expect([...hertzTable(blocks([[1, 2]]), 2)]).toEqual([0, NO]);
  });
});

test('the best block each, by hand: hertz by bits, and both finish together', () => {
  // Of 6 Hz: a 1 + 4 / 2 at 2 Hz and b 2 + 4 / 4 at 4 Hz are 3 s each.
  const found = exact(
    blocks(
      [
        [1, NO],
        [NO, 2],
      ],
      { bits: [4, 4], bandwidthHz: 6 },
    ),
  )!;
  expect(found.allocation).toEqual([0, 1]);
  expect(found.latencySeconds).toBeCloseTo(3, 12);
  expect(found.hertz).toEqual([expect.closeTo(2, 9), expect.closeTo(4, 9)]);
});

describe('the few best of each depth', () => {
  const best = (rows: readonly (readonly number[])[], keep: number, ids = ['a', 'b', 'c', 'd']) =>
    smallestPerDepth(Float64Array.from(rows.flat()), rows[0]!.length, ids.slice(0, rows.length), () => keep);

  test('are the smallest in order, equals by id, never one that cannot', () => {
    expect(best([[3], [1], [NO], [2]], 3).candidates).toEqual([{ seconds: [1, 2, 3], devices: [1, 3, 0] }]);
    expect(best([[3], [1], [3], [2]], 2).candidates).toEqual([{ seconds: [1, 2], devices: [1, 3] }]);
    expect(best([[2], [2], [2]], 2, ['c', 'a', 'b']).candidates).toEqual([{ seconds: [2, 2], devices: [1, 2] }]);
    expect(best([[2], [1]], 0).candidates).toEqual([{ seconds: [], devices: [] }]);
  });

  test('come with whether every row rises, each row by itself', () => {
    expect(
      best(
        [
          [1, 2, 2],
          [0, 1, NO],
        ],
        1,
      ).rowsRise,
    ).toBe(true);
    expect(
      best(
        [
          [1, 2, 3],
          [1, 0.5, 3],
        ],
        1,
      ).rowsRise,
    ).toBe(false);
  });

  test('sending counts by its bits; where nothing is sent no link is needed', () => {
    const upload = { secondsPerBit: Float64Array.of(NO, 0.5), bits: Float64Array.of(0, 4) };
    const { candidates, rowsRise } = smallestPerDepth(Float64Array.of(1, 2, 3, 3), 2, ['a', 'b'], () => 2, upload);
    expect(candidates).toEqual([
      { seconds: [1, 3], devices: [0, 1] },
      { seconds: [5], devices: [1] },
    ]);
    expect(rowsRise).toBe(true);
  });
});

describe('joint plans', () => {
  const drawn = (seed: number, devices = 8) => tableOf(generateProblem(seed, { devices, depths: 5, limited: 0 }));

  test('lola by the millisecond is lola by the second', () => {
    let inDoubt = 0;
    for (let seed = 0; seed < 12; seed++) {
      const table = drawn(seed);
      const { computeSeconds, uploadBits } = table;
      const slow = {
        ...table,
        computeSeconds: computeSeconds.map((seconds) => 1024 * seconds),
        uploadBits: uploadBits.map((bits) => 1024 * bits),
      };
      const found = lola(table)!;
      // A power of two changes no digit.
      expect(lola(slow)).toEqual({
        ...found,
        latencySeconds: 1024 * found.latencySeconds,
        lowerBoundSeconds: 1024 * found.lowerBoundSeconds,
      });
      if (found.iterations > 10) inDoubt++;
    }
    expect(inDoubt).toBeGreaterThan(3);
  });

  test('lola says its gap in per cent', () => {
    let open = 0;
    for (let seed = 0; seed < 12; seed++) {
      const found = tabularPolicies.lola(drawn(seed), { host: 0, seed: 1 });
      if ('reason' in found) expect.unreachable(found.reason);
      const gap = Number(/gap ([\d.]+) %/.exec(found.solver)?.[1]);
      expect(gap).toBeCloseTo(100 * (1 - found.lowerBoundSeconds / found.latencySeconds), 1);
      if (gap > 0.05) open++;
    }
    expect(open).toBeGreaterThan(0);
    // A round that takes no time has no gap.
    expect(tabularPolicies.lola(blocks([[0]]), { host: 0, seed: 1 }).solver).toContain('gap 0.00 %');
  });

  test('up to 256 devices the bound is the joint optimum, beyond that of the whole band for each', () => {
    const bound = (table: BlockTable) => {
      const found = tabularPolicies.crunch(table, { host: 0, seed: 1 });
      return 'reason' in found ? found.reason : found.lowerBoundSeconds;
    };
    const [most, more] = [drawn(1, 256), drawn(1, 257)];
    expect(bound(most)).toBe(exact(most)!.latencySeconds);
    expect(bound(more)).toBe(wholeBandwidthBound(more));
    expect(wholeBandwidthBound(most)).toBeLessThan(0.99 * exact(most)!.latencySeconds);
  });

  test('up to 256 devices all are offered to the search, and its chain is proven', () => {
    const found = tabularTeam(tableOf(generateProblem(2, { devices: 256, depths: 3, limited: 0 })))!;
    expect(found.lowerBoundSeconds / found.latencySeconds).toBeGreaterThan(0.995);
  });
});
