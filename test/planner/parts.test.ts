import { describe, expect, test } from 'vitest';
import { chainBySubsets, cheapestChain } from '../../signaling/planner/algorithms/chain.ts';
import { cheapestSplit } from '../../signaling/planner/algorithms/cheapest-split.ts';
import { maximumMatching } from '../../signaling/planner/algorithms/matching.ts';
import { assign } from '../../signaling/planner/algorithms/min-cost-assignment.ts';
import { drawsFrom } from '../../signaling/planner/algorithms/random.ts';
import { reinsert } from '../../signaling/planner/algorithms/reinsert.ts';
import { weightedMedian } from '../../signaling/planner/algorithms/robust.ts';
import { chainInOrder, runTable } from '../../signaling/planner/algorithms/runs.ts';
import { shareBandwidth } from '../../signaling/planner/problem/bandwidth.ts';
import { bitsPerSecond, hertzNeeded, type RateLaw, uploadSeconds } from '../../signaling/planner/problem/channel.ts';
import { allocations } from './brute-force.ts';

test('assignment equals brute force on 600 matrices with forbidden, negative and equal costs', () => {
  for (let seed = 0; seed < 600; seed++) {
    const draw = drawsFrom(seed);
    const rows = 1 + draw.below(5);
    const columns = rows + draw.below(4);
    const cost = Float64Array.from({ length: rows * columns }, () =>
      draw.uniform() < 0.25 ? Infinity : draw.below(9) - 2,
    );
    let best = Infinity;
    for (const columnOf of allocations(columns, rows)) {
      best = Math.min(
        best,
        columnOf.reduce((sum, column, row) => sum + cost[row * columns + column]!, 0),
      );
    }
    const found = assign(cost, rows, columns);
    expect(found?.cost ?? Infinity, `seed ${seed}`).toBe(best);
    if (found) expect(new Set(found.columnOf).size).toBe(rows);
  }
});

test('maximum matching has the size that brute force finds on 500 graphs', () => {
  for (let seed = 0; seed < 500; seed++) {
    const draw = drawsFrom(seed);
    const left = 1 + draw.below(6);
    const right = 1 + draw.below(6);
    const allowed = Array.from({ length: left }, () =>
      Array.from({ length: right }, (_, r) => r).filter(() => draw.uniform() < 0.35),
    );
    const most = (from: number, used: number): number =>
      from === left
        ? 0
        : Math.max(
            most(from + 1, used),
            ...allowed[from]!.filter((r) => !(used & (1 << r))).map((r) => 1 + most(from + 1, used | (1 << r))),
          );
    const matched = maximumMatching(allowed, right);
    const pairs = [...matched].flatMap((r, l) => (r >= 0 ? [{ l, r }] : []));
    expect(pairs.length, `seed ${seed}`).toBe(most(0, 0));
    expect(new Set(pairs.map(({ r }) => r)).size).toBe(pairs.length);
    for (const { l, r } of pairs) expect(allowed[l]).toContain(r);
  }
});

describe('channel', () => {
  test('the power-limited rate at W = s is s bit/s, and tends to s / ln 2', () => {
    expect(bitsPerSecond('power-limited', 5e5, 5e5)).toBeCloseTo(5e5, 6);
    expect(bitsPerSecond('power-limited', 5e5, 1e15)).toBeCloseTo(5e5 / Math.LN2, 0);
  });

  test('hertzNeeded inverts the rate over eighteen orders of magnitude', () => {
    for (let exponent = -12; exponent <= 3; exponent += 0.05) {
      const hertz = 1e6 * 10 ** exponent;
      const rate = bitsPerSecond('power-limited', 1e6, hertz);
      expect(hertzNeeded('power-limited', 1e6, rate * 2, 2) / hertz).toBeCloseTo(1, 8);
    }
  });

  test('nothing can be sent without a link, without time, or faster than infinite bandwidth allows', () => {
    expect(hertzNeeded('linear', 0, 1, 1)).toBe(Infinity);
    expect(hertzNeeded('linear', 1, 1, 0)).toBe(Infinity);
    expect(hertzNeeded('power-limited', 1, 1.5, 1)).toBe(Infinity);
    expect(hertzNeeded('linear', 0, 0, 1)).toBe(0);
    expect(uploadSeconds('linear', 0, 1e6, 8)).toBe(Infinity);
    expect(uploadSeconds('linear', 0, 0, 0)).toBe(0);
  });
});

describe.each<RateLaw>(['linear', 'power-limited'])('sharing bandwidth, %s', (law) => {
  test('everybody who sends finishes together and the whole is used up', () => {
    const draw = drawsFrom(7);
    for (let trial = 0; trial < 200; trial++) {
      const demands = Array.from({ length: 1 + draw.below(8) }, () => ({
        computeSeconds: 3 * draw.uniform(),
        uploadBits: 1e6 * (1 + 9 * draw.uniform()),
        coefficient: (law === 'linear' ? 1 : 2e7) * Math.exp(draw.normal()),
      }));
      const { latencySeconds, hertz } = shareBandwidth(law, demands, 1e7);
      expect(hertz.reduce((a, b) => a + b, 0) / 1e7).toBeCloseTo(1, 9);
      demands.forEach((demand, i) => {
        const finish = demand.computeSeconds + uploadSeconds(law, demand.coefficient, hertz[i]!, demand.uploadBits);
        expect(finish / latencySeconds).toBeCloseTo(1, 9);
      });
    }
  });

  test('who has nothing to send needs no bandwidth but can set the latency', () => {
    const { latencySeconds, hertz } = shareBandwidth(
      law,
      [
        { computeSeconds: 100, uploadBits: 0, coefficient: 0 },
        { computeSeconds: 1, uploadBits: 1e6, coefficient: 1e6 },
      ],
      1e6,
    );
    expect(latencySeconds).toBe(100);
    expect(hertz[0]).toBe(0);
  });

  test('a link that carries nothing makes it impossible', () => {
    const demand = { computeSeconds: 1, uploadBits: 1, coefficient: 0 };
    expect(shareBandwidth(law, [demand], 1e6).latencySeconds).toBe(Infinity);
  });
});

test('two equal senders: half the band each, by hand', () => {
  const demand = { computeSeconds: 1, uploadBits: 2e6, coefficient: 2 };
  const { latencySeconds, hertz } = shareBandwidth('linear', [demand, demand], 1e6);
  // 2 Mbit at 500 kHz * 2 bit/s/Hz take two seconds.
  expect(latencySeconds).toBeCloseTo(3, 12);
  expect(hertz[0]).toBeCloseTo(5e5, 3);
});

test('the weighted median is where half the weight is reached, between two where exactly half is', () => {
  expect(weightedMedian([3, 1, 10, 2], [1, 1, 1, 1])).toBe(2.5);
  expect(weightedMedian([7, 5, 6], [2, 1, 1])).toBe(6.5);
  expect(weightedMedian([7, 5, 6], [3, 1, 1])).toBe(7);
  expect(weightedMedian([4], [0.1])).toBe(4);
});

test('putting devices in anew ends where no device has a better place', () => {
  let better = 0;
  for (let seed = 0; seed < 60; seed++) {
    const draw = drawsFrom(seed);
    const [devices, blocks] = [4, 5];
    const tables = Array.from({ length: devices }, () =>
      runTable(blocks, (from, to) => (to - from) * (1 + 9 * draw.uniform()) + 3 * draw.uniform()),
    );
    const costs = { devices, blocks, of: (device: number) => tables[device]! };
    const start = chainInOrder(costs, [seed % devices])!;
    const found = reinsert(costs, start);
    expect(found.cost).toBeLessThanOrEqual(start.cost);
    if (found.cost < start.cost) better++;
    // The cost is that of its runs, which cover every block once.
    let at = 0;
    let cost = 0;
    for (const { device, from, to } of found.runs) {
      expect(from).toBe(at);
      cost += tables[device]![from * (blocks + 1) + to]!;
      at = to;
    }
    expect([at, cost]).toEqual([blocks, expect.closeTo(found.cost, 9)]);
    const order = found.runs.map(({ device }) => device);
    for (let device = 0; device < devices; device++) {
      const others = order.filter((other) => other !== device);
      for (let place = 0; place <= others.length; place++) {
        const moved = chainInOrder(costs, others.toSpliced(place, 0, device));
        expect(moved?.cost ?? Infinity, `seed ${seed}`).toBeGreaterThan(found.cost * (1 - 1e-9));
      }
    }
  }
  expect(better).toBeGreaterThan(50);
});

test('the penalised shortest path finds the cheapest chain of 300 drawn ones, and its bound is below it', () => {
  let met = 0;
  for (let seed = 0; seed < 300; seed++) {
    const draw = drawsFrom(seed);
    const devices = 9 + draw.below(2);
    const blocks = 4 + draw.below(8);
    const tables = Array.from({ length: devices }, () => {
      const price = Math.exp(draw.normal());
      const slack = 0.6 + 0.5 * draw.uniform();
      const slope = (0.5 / blocks) * Math.exp(0.5 * draw.normal());
      const held = draw.uniform() < 0.4 ? 1 + draw.below(blocks) : blocks;
      return runTable(blocks, (from, to) => {
        const left = slack - slope * to;
        return to <= held && left > 0 ? ((to - from) * price) / left : Infinity;
      });
    });
    const costs = { devices, blocks, of: (device: number) => tables[device]! };
    const best = chainBySubsets(costs, [...tables.keys()])?.cost ?? Infinity;
    const { chain, bound } = cheapestChain(costs, NaN);
    expect(chain?.cost ?? Infinity, `seed ${seed}`).toBeCloseTo(best, 6);
    if (best === Infinity) continue;
    expect(bound).toBeLessThanOrEqual(best * (1 + 1e-9));
    if (bound > best * 0.999) met++;
  }
  expect(met).toBeGreaterThan(270);
});

test('samples are dealt out at the least cost, against trying every split', () => {
  for (let seed = 0; seed < 200; seed++) {
    const draw = drawsFrom(seed);
    const units = 1 + draw.below(7);
    const curves = Array.from({ length: 1 + draw.below(3) }, () =>
      Float64Array.from({ length: units + 1 }, (_, u) =>
        u === 0 ? 0 : draw.uniform() < 0.2 ? Infinity : draw.below(20),
      ),
    );
    const cheapest = (team: number, left: number): number =>
      team === curves.length
        ? left === 0
          ? 0
          : Infinity
        : Math.min(...Array.from({ length: left + 1 }, (_, u) => curves[team]![u]! + cheapest(team + 1, left - u)));
    const found = cheapestSplit(curves, units);
    expect(found?.cost ?? Infinity, `seed ${seed}`).toBe(cheapest(0, units));
    if (found) expect(found.units.reduce((a, b) => a + b, 0)).toBe(units);
  }
});
