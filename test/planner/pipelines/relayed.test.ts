import { describe, expect, test } from 'vitest';
import { drawsFrom } from '../../../signaling/planner/algorithms/random.ts';
import { Evaluator } from '../../../signaling/planner/pipelines/evaluator.ts';
import { rowsOf } from '../../../signaling/planner/pipelines/rows.ts';
import { placedStages, ruleOf } from '../../../signaling/planner/replicas/answer.ts';
import { solveSplit } from '../../../signaling/planner/replicas/solve-split.ts';
import { schedule } from '../../../signaling/protocol/pipeline/schedule.ts';
import type { RelayedPair, SplitDevice, SplitProblem } from '../../../signaling/protocol/pipeline/split-problem.ts';
import { stageTimes } from '../../../signaling/protocol/pipeline/stages.ts';
import { secondsByEvents } from './by-events.ts';
import { drawnPipeline, drawnProblem } from './draws.ts';
import { leastSeconds } from './every-pipeline.ts';

const none = { embed: 0, forwardPerLayer: 0, backwardPerLayer: 0, head: 0 };

/** 1 s forward and 2 s backward a layer, of which it holds one; a sample's hidden states take 1 s and a quarter. */
const device = (id: string, change: Partial<SplitDevice> = {}): SplitDevice => ({
  id,
  fixedSeconds: none,
  secondsPerSample: { ...none, forwardPerLayer: 1, backwardPerLayer: 2 },
  memory: {
    ...{ limitBytes: 1.5e7, embeddingBytes: 1e5, layerBytes: 1e7, headBytes: 1e5 },
    ...{ transientPerSample: 0, savedPerSamplePerLayer: 0, gradientBytesPerLayer: 0 },
  },
  bitsPerSecond: 4e6,
  lagSeconds: 0.25,
  ...change,
});

/** One sample through as many layers as there are devices beside those without memory. */
const problemOf = (layers: number, devices: readonly SplitDevice[], change: Partial<SplitProblem>): SplitProblem => ({
  split: {
    ...{ layers, samples: 1, trainedLayers: layers, hiddenBits: 4e6, headCutBits: 4e6, messageBits: 0 },
    ...{ layerUploadBits: 0, headUploadBits: 0, replayBytesPerSample: 0 },
  },
  devices,
  host: 'host',
  ...change,
});

function planned(problem: SplitProblem) {
  const answer = solveSplit(problem);
  if (!answer.feasible || !('stages' in answer)) throw new Error('no pipeline');
  return answer;
}

/** Of a pipeline of one layer each. */
function secondsInOrder(problem: SplitProblem, ids: readonly string[]): number {
  const devices = ids.map((id) => problem.devices.findIndex((one) => one.id === id));
  const ends = ids.map((_, s) => (s === ids.length - 1 ? problem.split.layers + 2 : s + 2));
  const evaluator = new Evaluator(rowsOf(problem));
  expect(evaluator.load({ devices, ends, stages: ids.length, microBatches: 1, rule: 1 })).toBe(true);
  return evaluator.seconds();
}

const noRoom = { memory: { ...device('x').memory, limitBytes: 0 } };

describe('two devices that cannot meet', () => {
  const three = [device('a'), device('b'), device('host')];
  const apart = problemOf(3, three, { relayed: [['a', 'b']] });

  test('side by side they wait for the host, up and down', () => {
    // 3 forward, 6 backward, four messages of 1.25 s; and two of those once more. Gradients of no bits arrive after their lag.
    expect(secondsInOrder(apart, ['a', 'host', 'b'])).toBeCloseTo(9 + 4 * 1.25 + 0.25, 12);
    expect(secondsInOrder(apart, ['a', 'b', 'host'])).toBeCloseTo(9 + 6 * 1.25 + 0.25, 12);
    expect(secondsInOrder(apart, ['host', 'b', 'a'])).toBeCloseTo(9 + 6 * 1.25, 12);
    expect(secondsInOrder({ ...apart, relayed: [] }, ['a', 'b', 'host'])).toBeCloseTo(9 + 4 * 1.25 + 0.25, 12);
  });

  test('the plan has the third one between them, whichever it is', () => {
    for (const order of [three, three.toReversed()]) {
      const { stages, latencySeconds, lowerBoundSeconds } = planned({ ...apart, devices: order });
      expect(stages[1].device).toBe('host');
      expect(latencySeconds).toBeCloseTo(14.25, 12);
      expect(lowerBoundSeconds).toBeCloseTo(14.25, 9);
    }
    const hostless = { ...apart, host: undefined };
    for (const [pair, between] of [
      [['a', 'host'], 'b'],
      [['host', 'b'], 'a'],
    ] as const)
      expect(planned({ ...hostless, relayed: [pair] }).stages[1].device).toBe(between);
  });

  test('where nobody else holds a layer, the second hop is at the rate of the host, and after its lag', () => {
    const quick = device('host', { ...noRoom, bitsPerSecond: 8e6, lagSeconds: 0.125 });
    const two = problemOf(2, [device('a'), device('b'), quick], { relayed: [['b', 'a']] });
    const { latencySeconds, lowerBoundSeconds } = planned(two);
    expect(latencySeconds).toBeCloseTo(6 + 2 * (1.25 + 0.5 + 0.125) + 0.25, 12);
    expect(lowerBoundSeconds).toBeCloseTo(latencySeconds, 9);
    // Of a host that takes no part nothing is known.
    expect(planned({ ...two, host: undefined }).latencySeconds).toBeCloseTo(6 + 4 * 1.25 + 0.25, 12);
  });

  test('over one medium both hops take its time', () => {
    const quick = device('host', { ...noRoom, bitsPerSecond: 8e6, lagSeconds: 0 });
    const two = [device('a', { lagSeconds: 0 }), device('b', { lagSeconds: 0 }), quick];
    const shared = problemOf(2, two, { shared: true, relayed: [['a', 'b']] });
    // Each of the two has half of the medium: 1.5 s of airtime take 3 s.
    expect(planned(shared).latencySeconds).toBeCloseTo(6 + 2 * 3, 12);
    expect(planned({ ...shared, relayed: undefined }).latencySeconds).toBeCloseTo(6 + 2 * 2, 12);
  });
});

/** Some of all pairs, the host in none of them. */
function apartOf(problem: SplitProblem, seed: number): SplitProblem {
  const draws = drawsFrom(seed);
  const ids = problem.devices.map(({ id }) => id).filter((id) => id !== problem.host);
  const pairs = ids.flatMap((a, i) => ids.slice(i + 1).map((b): RelayedPair => [a, b]));
  return { ...problem, relayed: pairs.filter(() => draws.below(2) === 0) };
}

describe('random rooms', () => {
  test("the trace, the search's own simulation and the game of servers take the same time, no less than without pairs", () => {
    const draws = drawsFrom(7);
    let longer = 0;
    for (let found = 0; found < 400; ) {
      const plain = drawnProblem(draws, 4);
      const problem = apartOf(plain, found);
      const pipeline = drawnPipeline(draws, problem);
      const times = stageTimes(problem, placedStages(problem, pipeline), pipeline.microBatches, ruleOf(pipeline.rule));
      if (times === null) continue;
      found++;
      const [evaluator, direct] = [problem, plain].map((one) => new Evaluator(rowsOf(one)));
      evaluator.load(pipeline);
      direct.load(pipeline);
      const seconds = evaluator.seconds();
      expect(schedule(times).seconds).toBeCloseTo(seconds, 12);
      expect(secondsByEvents(times)).toBe(schedule(times).seconds);
      expect(evaluator.bound()).toBeLessThanOrEqual(seconds * (1 + 1e-12));
      expect(seconds).toBeGreaterThanOrEqual(direct.seconds() * (1 - 1e-12));
      if (seconds > direct.seconds() * 1.001) longer++;
    }
    expect(longer).toBeGreaterThan(50);
  });

  test('what is said to be the quickest is, of all pipelines', () => {
    const draws = drawsFrom(11);
    for (let seed = 0, found = 0; found < 12; seed++) {
      const drawn = drawnProblem(draws, 4);
      if (drawn.devices.length > 4 || drawn.split.layers > 5 || drawn.split.samples > 8) continue;
      const problem = apartOf(drawn, seed);
      const least = leastSeconds(problem);
      if (least === Infinity) continue;
      found++;
      const answer = planned(problem);
      expect(answer.latencySeconds).toBeCloseTo(least, 9);
      expect(answer.lowerBoundSeconds).toBeLessThanOrEqual(least * (1 + 1e-9));
    }
  });
});
