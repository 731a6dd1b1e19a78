import { describe, expect, it } from 'vitest';
import type { RoomPlan } from '../../signaling/protocol/plan.ts';
import type { RoundReport } from '../../signaling/protocol/room-view.ts';
import { besideSeconds, leastBesideSeconds, renewed, withBeside } from '../../signaling/room/renewed.ts';
import { profile } from '../protocol/samples.ts';

/** A round of so many seconds in which two devices finished after these. */
const round = (elapsedSeconds: number, ...finishes: readonly (readonly [compute: number, upload: number])[]) =>
  ({
    ...{ round: 1, planVersion: 1, loss: 1, learningRate: 1e-3, gradientNorm: 1, reassigned: 0, elapsedSeconds },
    devices: finishes.map(([computeSeconds, uploadSeconds], i) => ({
      ...{ device: `d${i}`, samples: 8, deepestDepth: 6, computeSeconds, uploadSeconds, uploadBits: 1e6 },
    })),
  }) satisfies RoundReport;

describe('what a round takes beside its devices’ work', () => {
  it('is what is left when the last one is done: the middle of the latest rounds', () => {
    expect(besideSeconds([])).toBe(0);
    // 0.5 - (0.2 + 0.1), and not less the first one's 0.25 s.
    expect(besideSeconds([round(0.5, [0.25, 0], [0.2, 0.1])])).toBeCloseTo(0.2, 12);
    // 0.1, 0.2, 3.0: one round that waited for something says nothing.
    expect(besideSeconds([round(1.1, [1, 0]), round(4, [1, 0]), round(1.2, [1, 0])])).toBeCloseTo(0.2, 12);
    // Reports whose details are gone, and seconds that a clock cannot have measured.
    expect(besideSeconds([round(1.1), round(0.9, [1, 0])])).toBe(0);
    // A bound counts the least alone.
    expect(leastBesideSeconds([])).toBe(0);
    expect(leastBesideSeconds([round(1.1, [1, 0]), round(4, [1, 0]), round(1.2, [1, 0])])).toBeCloseTo(0.1, 12);
    expect(withBeside(PLAN, 0.2, 0.1).lowerBoundSeconds).toBeCloseTo(PLAN.lowerBoundSeconds + 0.1, 12);
    // The latest eight alone.
    expect(besideSeconds([...Array(20).fill(round(9, [1, 0])), ...Array(8).fill(round(1.5, [1, 0]))])).toBeCloseTo(
      0.5,
      12,
    );
  });
});

/** profile(1): 0.01 s and, per sample, 1 ms + 6 layers of 1 ms + 1 ms forward, 2 ms a layer backward. */
const seconds = (pace: number, samples: number): number => {
  const { overheadSeconds, secondsPerSample: s } = profile(pace);
  return overheadSeconds + samples * (s.embed + 6 * (s.forwardPerLayer + s.backwardPerLayer) + s.head);
};
const PLAN: RoomPlan = {
  ...{ version: 4, policy: 'data-parallel', solver: 'exact', solveMs: 1, limitedBy: 'a', explanation: 'Even.' },
  ...{ latencySeconds: seconds(1, 8), lowerBoundSeconds: seconds(1, 8) },
  assignments: ['a', 'b'].map((device, i) => ({
    ...{ device, layers: [0, 1, 2, 3, 4, 5], head: true, samples: { start: 8 * i, count: 8 }, microBatch: 4 },
    ...{ memoryBytes: 1, share: 1, uploadBits: 0, computeSeconds: seconds(1, 8), uploadSeconds: 0 },
  })),
};

describe('a plan that stays', () => {
  const again = (pace: number, beside: number, fresh: Partial<RoomPlan> = {}) =>
    renewed(
      PLAN,
      { ...PLAN, ...fresh },
      {
        profiles: new Map([
          ['a', profile(pace)],
          ['b', profile(pace)],
        ]),
        ...{ layers: 6, host: 'a', besideSeconds: beside, leastBesideSeconds: beside, nextVersion: 5 },
      },
    );

  it('is predicted anew where all devices are slower than they stated, with the same work', () => {
    const plan = again(1.3, 0.1, { lowerBoundSeconds: seconds(1.3, 8) - 0.01 });
    expect(plan.version).toBe(5);
    expect(plan.latencySeconds).toBeCloseTo(seconds(1.3, 8) + 0.1, 9);
    expect(plan.lowerBoundSeconds).toBeCloseTo(seconds(1.3, 8) + 0.09, 9);
    expect(plan.assignments.map(({ computeSeconds }) => computeSeconds)).toEqual([seconds(1.3, 8), seconds(1.3, 8)]);
    expect(plan.assignments.map(({ device, samples, layers }) => [device, samples, layers])).toEqual(
      PLAN.assignments.map(({ device, samples, layers }) => [device, samples, layers]),
    );
  });

  it('is the same plan, which nobody has to be told, where its seconds are within 4 %', () => {
    expect(again(1.03, 0)).toBe(PLAN);
    expect(again(1.06, 0)).not.toBe(PLAN);
    expect(again(0.9, 0).latencySeconds).toBeLessThan(PLAN.latencySeconds);
  });

  it('is told with a bound that is never above it, and never of a device that is gone', () => {
    expect(again(1.3, 0, { lowerBoundSeconds: 99 }).lowerBoundSeconds).toBeCloseTo(seconds(1.3, 8), 9);
    const gone = { layers: 6, host: 'a', besideSeconds: 1, leastBesideSeconds: 1, nextVersion: 5 };
    expect(renewed(PLAN, PLAN, { ...gone, profiles: new Map([['a', profile()]]) })).toBe(PLAN);
  });
});

describe('what every plan takes beside', () => {
  it('is added to all that are compared, so that they compare as before', () => {
    const alternatives = [
      { policy: 'crunch', seconds: 2 },
      { policy: 'lola', reason: 'Too little memory.' },
    ] as const;
    const plan = withBeside(
      { ...PLAN, latencySeconds: 1, lowerBoundSeconds: 0.5, alternatives: [...alternatives] },
      0.25,
      0.25,
    );
    expect([plan.latencySeconds, plan.lowerBoundSeconds]).toEqual([1.25, 0.75]);
    expect(plan.alternatives).toEqual([{ policy: 'crunch', seconds: 2.25 }, alternatives[1]]);
    expect(withBeside(PLAN, 0, 0)).toBe(PLAN);
  });
});
