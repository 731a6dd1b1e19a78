import { describe, expect, test } from 'vitest';
import { drawsFrom, type RandomSource } from '../../signaling/planner/algorithms/random.ts';
import { bottleneckByMatching, smallestPerDepth } from '../../signaling/planner/blocks/bottleneck.ts';
import { crunch } from '../../signaling/planner/blocks/crunch.ts';
import { bruteBottleneck } from './brute-force.ts';
import { crunchByCutting, crunchByThresholds } from './crunch-forms.ts';

const ids = (devices: number) => Array.from({ length: devices }, (_, k) => `d${k}`);

/** Small whole numbers, so that ties are everywhere; each device holds the first few depths only. */
function drawnTable(draw: RandomSource, devices: number, depths: number, rising: boolean): Float64Array {
  const table = new Float64Array(devices * depths).fill(Infinity);
  for (let k = 0; k < devices; k++) {
    const held = draw.below(3) === 0 ? draw.below(depths + 1) : depths;
    let seconds = 0;
    for (let b = 0; b < held; b++) {
      seconds = rising ? seconds + draw.below(4) : draw.below(12);
      table[k * depths + b] = seconds;
    }
  }
  return table;
}

function latencyOf(table: Float64Array, depths: number, allocation: readonly number[]): number {
  expect(new Set(allocation).size).toBe(depths);
  return Math.max(...allocation.map((k, b) => table[k * depths + b]!));
}

describe('crunch', () => {
  test('all forms equal brute force on 3,000 tables with ties, memory limits and impossible ones', () => {
    let impossible = 0;
    for (let seed = 0; seed < 3000; seed++) {
      const draw = drawsFrom(seed);
      const depths = 1 + draw.below(4);
      const devices = Math.max(1, depths + draw.below(4) - 1);
      const table = drawnTable(draw, devices, depths, true);
      const best = bruteBottleneck(table, depths);
      for (const form of [crunch, crunchByCutting, crunchByThresholds]) {
        const found = form(table, depths, ids(devices));
        expect(found?.latencySeconds ?? Infinity, `${form.name}, seed ${seed}`).toBe(best);
        if (found) expect(latencyOf(table, depths, found.allocation)).toBe(best);
      }
      if (best === Infinity) impossible++;
    }
    expect(impossible).toBeGreaterThan(300);
    expect(impossible).toBeLessThan(2000);
  });

  test('rows that do not rise go to matching, and it equals brute force on 1,000 tables', () => {
    let matched = 0;
    for (let seed = 0; seed < 1000; seed++) {
      const draw = drawsFrom(10_000 + seed);
      const depths = 2 + draw.below(3);
      const devices = depths + draw.below(3);
      const table = drawnTable(draw, devices, depths, false);
      const found = crunch(table, depths, ids(devices));
      expect(found?.latencySeconds ?? Infinity, `seed ${seed}`).toBe(bruteBottleneck(table, depths));
      if (found?.solver.includes('Hopcroft-Karp')) matched++;
    }
    expect(matched).toBeGreaterThan(500);
  });

  test('on rising rows matching over all entries agrees as well', () => {
    for (let seed = 0; seed < 300; seed++) {
      const draw = drawsFrom(20_000 + seed);
      const table = drawnTable(draw, 7, 5, true);
      const { candidates } = smallestPerDepth(table, 5, ids(7), () => 7);
      const found = bottleneckByMatching(candidates);
      expect(found?.latencySeconds).toBe(crunch(table, 5, ids(7))?.latencySeconds);
    }
  });

  test('an example by hand: the only device that holds depth 3 takes it, though it is the fastest', () => {
    // depth:                       1  2  3
    const table = Float64Array.from([1, 2, 3, 2, 4, Infinity, 3, 5, Infinity]);
    const found = crunch(table, 3, ['fast', 'middle', 'slow'])!;
    // Depth 2 costs 4 or 5; middle takes it and slow is left with depth 1.
    expect(found.allocation).toEqual([2, 1, 0]);
    expect(found.latencySeconds).toBe(4);
  });

  test('among equals the smaller id is chosen, whatever the order of the rows', () => {
    const table = Float64Array.from([1, 2, 1, 2, 1, 2]);
    const byId = (names: string[]) => crunch(table, 2, names)!.allocation.map((k) => names[k]);
    expect(byId(['a', 'b', 'c'])).toEqual(byId(['c', 'b', 'a']));
    expect(byId(['b', 'c', 'a'])).toEqual(['b', 'a']);
  });
});
