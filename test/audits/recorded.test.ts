import { describe, expect, it } from 'vitest';
import { WEIGHT_STORAGES } from '../../signaling/protocol/settings.ts';
import { toleranceFor } from '../../web/session/rounds/audits/tolerance.ts';
import { atRank, pairsOf, type RecordedPair } from './recorded.ts';

const KINDS = ['roberta-mini', 'odd'] as const;
const worst = (pairs: readonly RecordedPair[], of: 'distance' | 'stretch' | 'loss') =>
  Math.max(...pairs.map((pair) => atRank(pair[of], 1)));

describe.each(WEIGHT_STORAGES)('devices with %s weights', (weights) => {
  it('were measured: every pair of engines, of the model that is there and of odd ones', () => {
    const half = weights === 'f16' ? 'webgpu half' : 'webgpu';
    for (const kind of KINDS) {
      const pairs = pairsOf(weights).filter(({ models }) => models === kind);
      expect(new Set(pairs.map(({ pair }) => pair))).toEqual(
        new Set(['reference, onnx', `reference, ${half}`, `onnx, ${half}`]),
      );
      for (const { blocks } of pairs) expect(blocks).toBeGreaterThan(50);
    }
  });
});

describe.each(['f32', 'int8'] as const)('in single precision, %s weights', (weights) => {
  const tolerance = toleranceFor(weights, []);
  it('devices differ by a tenth of what is tolerated at most, and the least lie by more than four times as much', () => {
    for (const of of ['distance', 'stretch', 'loss'] as const)
      expect(10 * worst(pairsOf(weights), of)).toBeLessThan(tolerance[of]);
    // Scaled by 1.05.
    expect(4 * tolerance.distance).toBeLessThan(0.05 / 1.05);
    expect(4 * tolerance.stretch).toBeLessThan(0.05 / 1.05 ** 2);
    // It does not matter what others are seen to do.
    expect(toleranceFor(weights, [0.5, 0.5, 0.5])).toEqual(tolerance);
  });
});

describe('in half precision', () => {
  const seenOf = (kind: (typeof KINDS)[number], rank: number) =>
    pairsOf('f16')
      .filter(({ models, pair }) => models === kind && pair.includes('half'))
      .map(({ distance }) => atRank(distance, rank));

  it('a model that bears it well has room for noise of a tenth and for a scale of one twentieth', () => {
    const seen = seenOf('roberta-mini', 1);
    const tolerance = toleranceFor('f16', [...seen, ...seen]);
    expect(4 * Math.max(...seen)).toBeLessThan(tolerance.distance);
    expect(tolerance.distance).toBeLessThan(0.1);
    expect(2 * tolerance.stretch).toBeLessThan(0.05 / 1.05 ** 2);
  });

  it('goes by the median of three devices or more; fewer are told apart coarsely', () => {
    expect(toleranceFor('f16', [0.001, 0.9])).toMatchObject({ distance: 0.9 });
    expect(toleranceFor('f16', [0.001, 0.002, 0.9])).toMatchObject({ distance: 0.03, stretch: 0.01 });
    expect(toleranceFor('f16', [0.001, 0.006, 0.9])).toMatchObject({ distance: 0.06, stretch: 0.02 });
    expect(toleranceFor('f16', [0.001, 0.011, 0.012])).toMatchObject({ distance: 0.9 });
  });
});

describe('what stages send up and down', () => {
  /** Of models that bear half precision. */
  const cutsOf = (weights: 'f32' | 'int8' | 'f16') =>
    pairsOf(weights).flatMap(({ models, cuts }) => (models === 'twelve layers' ? [] : (cuts ?? [])));
  const most = (weights: 'f32' | 'int8' | 'f16', of: 'distance' | 'stretch') =>
    Math.max(...cutsOf(weights).map((cuts) => atRank(cuts[of], 1)));

  it('differs between engines by a thousandth of what is tolerated in single precision, by a third in half', () => {
    for (const of of ['distance', 'stretch'] as const) {
      for (const weights of ['f32', 'int8'] as const) {
        expect(cutsOf(weights).length).toBeGreaterThanOrEqual(3);
        expect(1000 * most(weights, of)).toBeLessThan(toleranceFor(weights, [])[of]);
      }
      expect(cutsOf('f16')).toHaveLength(6);
      expect(3 * most('f16', of)).toBeLessThan(toleranceFor('f16', [0.001, 0.001, 0.001])[of]);
    }
  });
});
