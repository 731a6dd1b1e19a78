import { describe, expect, test } from 'vitest';
import { drawsFrom } from '../../../signaling/planner/algorithms/random.ts';
import { Evaluator } from '../../../signaling/planner/pipelines/evaluator.ts';
import { fastestOfAll } from '../../../signaling/planner/pipelines/exact.ts';
import { fastestPipeline } from '../../../signaling/planner/pipelines/fastest-pipeline.ts';
import { generateSplitProblem, REGIMES, type Regime } from '../../../signaling/planner/pipelines/generator.ts';
import { roomBound } from '../../../signaling/planner/pipelines/room-bound.ts';
import { rowsOf } from '../../../signaling/planner/pipelines/rows.ts';
import { solveSplit } from '../../../signaling/planner/replicas/solve-split.ts';
import type { SplitDevice, SplitProblem, UnitSeconds } from '../../../signaling/protocol/pipeline/split-problem.ts';
import { drawnPipeline } from './draws.ts';
import { leastSeconds } from './every-pipeline.ts';

const regimes = Object.keys(REGIMES) as Regime[];

/** A small problem: up to `most` devices, 4 to 6 layers, all or some of them trained. */
function drawn(seed: number, most: number): SplitProblem {
  const draws = drawsFrom(seed);
  const layers = 4 + draws.below(3);
  return generateSplitProblem(seed, {
    devices: 3 + draws.below(most - 2),
    layers,
    samples: 4 + draws.below(5),
    regime: regimes[seed % 3],
    trainedLayers: seed % 2 === 0 ? layers : draws.below(layers + 1),
  });
}

const none: UnitSeconds = { embed: 0, forwardPerLayer: 0, backwardPerLayer: 0, head: 0 };

/** Devices for which nothing but the layers takes time. */
function plain(id: string, forward: number, backward: number, change: Partial<SplitDevice> = {}): SplitDevice {
  return {
    id,
    fixedSeconds: none,
    secondsPerSample: { ...none, forwardPerLayer: forward, backwardPerLayer: backward },
    memory: {
      limitBytes: 1e9,
      embeddingBytes: 1e8,
      layerBytes: 1e7,
      headBytes: 1e6,
      transientPerSample: 0,
      savedPerSamplePerLayer: 0,
      gradientBytesPerLayer: 0,
    },
    bitsPerSecond: 1e30,
    lagSeconds: 0,
    ...change,
  };
}

const problemOf = (layers: number, samples: number, trainedLayers: number, devices: SplitDevice[]): SplitProblem => ({
  split: {
    layers,
    samples,
    trainedLayers,
    hiddenBits: 4e6,
    headCutBits: 3e4,
    messageBits: 0,
    layerUploadBits: 0,
    headUploadBits: 0,
    replayBytesPerSample: 0,
  },
  devices,
  host: devices[0].id,
});

function planned(problem: SplitProblem) {
  const answer = solveSplit(problem);
  if (!answer.feasible) throw new Error(answer.reason);
  if (!('stages' in answer)) throw new Error('Several pipelines where one was asked for.');
  return answer;
}

describe('known plans', () => {
  test('one device that holds all, and a network that carries nothing much: one stage', () => {
    const slow = { bitsPerSecond: 1000 };
    const { memory } = plain('x', 0, 0);
    const small = { ...slow, memory: { ...memory, limitBytes: 1.4e8 } };
    const { stages, latencySeconds } = planned(
      problemOf(4, 8, 4, [plain('a', 1, 2, small), plain('b', 1, 2, slow), plain('c', 1, 2, small)]),
    );
    expect(stages).toMatchObject([{ device: 'b', from: 0, to: 6 }]);
    expect(latencySeconds).toBeCloseTo(8 * 4 * 3, 9);
  });

  test('two equal devices, transfers free, all four layers trained: two layers each', () => {
    const { stages, latencySeconds, microBatches } = planned(problemOf(4, 8, 4, [plain('a', 1, 2), plain('b', 1, 2)]));
    expect(stages.map(({ from, to }) => [from, to])).toEqual([
      [0, 3],
      [3, 6],
    ]);
    expect(microBatches).toBe(8);
    // (M + S - 1)(f + b)
    expect(latencySeconds).toBeCloseTo((8 + 1) * 6, 9);
  });

  test('depth decides: with the last of five layers trained, the device that trains it has no other', () => {
    for (const samples of [4, 8, 11]) {
      const { stages, latencySeconds, lowerBoundSeconds } = planned(
        problemOf(5, samples, 1, [plain('a', 1, 3), plain('b', 1, 3)]),
      );
      expect(stages.map(({ from, to, window }) => [from, to, window > 0])).toEqual([
        [0, 5, false],
        [5, 7, true],
      ]);
      // The last stage takes in a micro-batch every 4 s, after the first came through the four layers below.
      expect(latencySeconds).toBeCloseTo(4 + 4 * samples, 9);
      expect(lowerBoundSeconds).toBeCloseTo(latencySeconds, 9);
    }
  });

  test('limits in bytes: enough for 13 units each is a plan, one byte less is none, and the reason names what is left', () => {
    const room = (limitBytes: number) => {
      const { memory } = plain('x', 1, 1);
      const sized = { memory: { ...memory, embeddingBytes: 104, layerBytes: 25, headBytes: 4, limitBytes } };
      return problemOf(24, 2, 24, [plain('a', 1, 1, sized), plain('b', 1, 1, sized)]);
    };
    // 104 + 10 * 25 = 354; 14 * 25 + 4 = 354.
    expect(planned(room(354)).stages.map(({ to }) => to)).toEqual([11, 26]);
    const answer = solveSplit(room(353));
    expect(answer.feasible ? '' : answer.reason).toBe(
      'the devices together cannot hold the model: nobody has memory left for layer 23 and the head (29 B of weights) once all up to layer 22 are held; add a device',
    );
  });

  test('a unit that nobody can hold, not even alone, is named', () => {
    const { memory } = plain('x', 1, 1);
    const without = (change: object) => {
      const answer = solveSplit(problemOf(3, 2, 1, [plain('a', 1, 1, { memory: { ...memory, ...change } })]));
      return answer.feasible ? '' : answer.reason;
    };
    expect(without({ embeddingBytes: 2e9 })).toMatch(
      /^no device's memory can hold the embeddings \(2(\.\d+)? GB with one sample's work\), not even alone: the largest has/,
    );
    expect(without({ layerBytes: 2e9 })).toMatch(/^no device's memory can hold layer 0 \(2/);
    expect(without({ savedPerSamplePerLayer: 2e9 })).toMatch(/^no device's memory can hold layer 2 \(2/);
    expect(without({ headBytes: 2e9 })).toMatch(/^no device's memory can hold the head \(2/);
    expect(without({ transientPerSample: 2e9 })).toMatch(/^no device's memory can hold the embeddings \(2/);
  });
});

describe('small rooms', () => {
  test('are planned as well as by trying every pipeline, and there is a plan exactly where one fits', () => {
    let solvable = 0;
    for (let seed = 1; seed <= 48; seed++) {
      const problem = drawn(seed, 5);
      const least = leastSeconds(problem);
      const answer = solveSplit(problem);
      expect(answer.feasible, `seed ${seed}`).toBe(least < Infinity);
      if (!answer.feasible) continue;
      solvable++;
      expect(answer.latencySeconds / least, `seed ${seed}`).toBeCloseTo(1, 9);
      expect(answer.lowerBoundSeconds, `seed ${seed}`).toBeLessThanOrEqual(least * (1 + 1e-9));
    }
    expect(solvable).toBeGreaterThan(35);
  });

  test('six devices and seven layers: the search is at most 5 % above the optimum, which is proven', () => {
    for (let seed = 1; seed <= 9; seed++) {
      const problem = generateSplitProblem(seed, { devices: 6, layers: 7, samples: 8, regime: regimes[seed % 3] });
      const best = fastestPipeline(problem, 1e7);
      if ('reason' in best) continue;
      expect(best.proven).toBe(true);
      const fresh = fastestOfAll(best.evaluator, { ...best.found, seconds: best.found.seconds * 1.3 }, 1e7);
      expect(fresh.found.seconds).toBeCloseTo(best.found.seconds, 9);
    }
  });

  test('out of nodes, nothing is called proven', () => {
    const problem = generateSplitProblem(2, { devices: 6, layers: 7, samples: 8, regime: 'mixed' });
    const best = fastestPipeline(problem, 1e6);
    if ('reason' in best) throw new Error(best.reason);
    const loose = { ...best.found, seconds: 100 * best.found.seconds };
    expect(fastestOfAll(best.evaluator, loose, 3).proven).toBe(false);
  });
});

describe('the bound over all pipelines', () => {
  test('is below the optimum of small rooms, and near it', () => {
    let sum = 0;
    let count = 0;
    for (let seed = 101; seed <= 130; seed++) {
      const problem = drawn(seed, 5);
      const least = leastSeconds(problem);
      if (least === Infinity) continue;
      const bound = roomBound(new Evaluator(rowsOf(problem)), least);
      expect(bound, `seed ${seed}`).toBeLessThanOrEqual(least);
      sum += bound / least;
      count++;
    }
    expect(count).toBeGreaterThan(20);
    expect(sum / count).toBeGreaterThan(0.85);
  });

  test('no random pipeline of a larger room is below it', () => {
    const draws = drawsFrom(7);
    for (let seed = 1; seed <= 6; seed++) {
      const problem = generateSplitProblem(seed, { devices: 9, layers: 9, samples: 9, regime: regimes[seed % 3] });
      const roomy = {
        ...problem,
        devices: problem.devices.map((d) => ({ ...d, memory: { ...d.memory, limitBytes: 1e10 } })),
      };
      const best = fastestPipeline(roomy, 2e6);
      if ('reason' in best) throw new Error(best.reason);
      const bound = roomBound(best.evaluator, best.found.seconds);
      expect(bound).toBeLessThanOrEqual(best.found.seconds);
      for (let i = 0; i < 500; i++) {
        expect(best.evaluator.load(drawnPipeline(draws, best.problem))).toBe(true);
        expect(best.evaluator.seconds()).toBeGreaterThanOrEqual(bound);
      }
    }
  });
});

describe('what changes nothing', () => {
  test('other names and another order of devices: the same stages by other names', () => {
    const problem = generateSplitProblem(5, { devices: 9, layers: 8, samples: 8, regime: 'mixed' });
    const renamed = (id: string) => `z${9 - Number(id.slice('device-'.length))}`;
    const other = {
      ...problem,
      devices: drawsFrom(1)
        .shuffle(problem.devices)
        .map((device) => ({ ...device, id: renamed(device.id) })),
      host: renamed(problem.host ?? ''),
    };
    const plan = planned(problem);
    const { stages, ...rest } = planned(other);
    const { stages: before, ...same } = plan;
    expect(rest).toEqual(same);
    expect(stages).toEqual(before.map((stage) => ({ ...stage, device: renamed(stage.device) })));
  });

  test('the same problem, the same plan', () => {
    const problem = generateSplitProblem(6, { devices: 20, layers: 12, samples: 16, regime: 'network' });
    expect(planned(problem)).toEqual(planned(problem));
  });
});
