import { describe, expect, test } from 'vitest';
import { drawsFrom } from '../../../signaling/planner/algorithms/random.ts';
import { generateSplitProblem, REGIMES, type Regime } from '../../../signaling/planner/pipelines/generator.ts';
import { mediumBound } from '../../../signaling/planner/pipelines/medium-bound.ts';
import { rowsOf } from '../../../signaling/planner/pipelines/rows.ts';
import type { PlannedPipeline } from '../../../signaling/planner/replicas/answer.ts';
import { mostPipelines } from '../../../signaling/planner/replicas/fastest-replicas.ts';
import { priceBound } from '../../../signaling/planner/replicas/price-bound.ts';
import { replicaBound } from '../../../signaling/planner/replicas/replica-bound.ts';
import { ReplicaEvaluator } from '../../../signaling/planner/replicas/replica-evaluator.ts';
import { solveSplit } from '../../../signaling/planner/replicas/solve-split.ts';
import { schedule, schedules } from '../../../signaling/protocol/pipeline/schedule.ts';
import type { SplitDevice, SplitProblem } from '../../../signaling/protocol/pipeline/split-problem.ts';
import { stageBytes, stageTimes } from '../../../signaling/protocol/pipeline/stages.ts';
import type { UnitRun } from '../../../signaling/protocol/split.ts';
import { drawnPipeline, drawnProblem } from '../pipelines/draws.ts';
import { leastOfPartitions } from './every-partition.ts';

const regimes = Object.keys(REGIMES) as Regime[];

/** A room whose devices have `memory` times what the generator gives them. */
function roomy(problem: SplitProblem, memory: number): SplitProblem {
  const devices = problem.devices.map((device) => {
    const limitBytes = device.memory.limitBytes * memory;
    return { ...device, memory: { ...device.memory, limitBytes } };
  });
  return { ...problem, devices };
}

const drawn = (seed: number, devices: number, layers: number, samples: number): SplitProblem =>
  roomy(
    generateSplitProblem(seed, {
      ...{ devices, layers, samples, regime: regimes[seed % 3] },
      trainedLayers: seed % 2 === 0 ? layers : layers >> 1,
    }),
    1 + (seed % 4) / 2,
  );

const many = (problem: SplitProblem): SplitProblem => ({ ...problem, pipelines: 64 });

function planned(problem: SplitProblem) {
  const answer = solveSplit(problem);
  if (!answer.feasible) throw new Error(answer.reason);
  return answer;
}

/** Pipelines of an answer, whether it has one or several. */
function pipelinesOf(problem: SplitProblem): readonly PlannedPipeline[] {
  const answer = planned(problem);
  if ('pipelines' in answer) return answer.pipelines;
  const { latencySeconds, microBatches, windowRule, stages } = answer;
  return [{ samples: { start: 0, count: problem.split.samples }, latencySeconds, microBatches, windowRule, stages }];
}

/** The schedule of a pipeline, worked out from the answer alone. */
function secondsOf(problem: SplitProblem, { samples, microBatches, windowRule, stages }: PlannedPipeline): number {
  const split = { ...problem.split, samples: samples.count };
  const placed = stages.map(({ device, from, to }) => ({
    device: problem.devices.find(({ id }) => id === device)!,
    run: { from, to },
  }));
  const times = stageTimes({ ...problem, split }, placed, microBatches, windowRule);
  if (times === null) throw new Error('A stage does not fit its device.');
  for (const [s, stage] of placed.entries()) {
    const most = Math.ceil(samples.count / microBatches);
    expect(stageBytes(split, stage, most, times[s].window)).toBeLessThanOrEqual(stage.device.memory.limitBytes);
  }
  return schedule(times).seconds;
}

describe('several pipelines', () => {
  test('small rooms: within 5 % of every way to share the samples, and the bound is below it', {
    timeout: 120_000,
  }, () => {
    let several = 0;
    for (let seed = 1; seed <= 11; seed++) {
      const problem = drawn(seed, 3 + (seed % 2), 4, 5);
      const least = leastOfPartitions(problem);
      const answer = solveSplit(many(problem));
      expect(answer.feasible, `seed ${seed}`).toBe(least < Infinity);
      if (!answer.feasible) continue;
      expect(answer.latencySeconds / least, `seed ${seed}`).toBeGreaterThan(1 - 1e-9);
      expect(answer.latencySeconds / least, `seed ${seed}`).toBeLessThan(1.05);
      expect(answer.lowerBoundSeconds, `seed ${seed}`).toBeLessThanOrEqual(least * (1 + 1e-9));
      if ('pipelines' in answer) several++;
    }
    expect(several).toBeGreaterThan(3);
  });

  test('both bounds stay below the best of all ways, also where nothing near it is known', {
    timeout: 120_000,
  }, () => {
    let [rooms, part] = [0, 0];
    // In a room like the last four all units are passed by more samples than there are, at any prices.
    for (const seed of [1, 2, 3, 4, 5, 6, 7, 8, 130, 262, 358, 634]) {
      const problem = drawn(seed, 3 + (seed % 3), 4, 4 + (seed % 3));
      const least = leastOfPartitions(problem);
      if (least === Infinity) continue;
      expect(replicaBound(problem, 1.6 * least), `seed ${seed}`).toBeLessThanOrEqual(least * (1 + 1e-9));
      const bound = priceBound(new ReplicaEvaluator(rowsOf(problem)), 1.6 * least);
      expect(bound, `seed ${seed}`).toBeLessThanOrEqual(least * (1 + 1e-9));
      rooms++;
      part += bound / least;
    }
    expect(rooms).toBeGreaterThan(5);
    expect(part / rooms).toBeGreaterThan(0.7);
  });

  test('each has the whole model and its own devices; samples are shared without a gap; seconds are those of the schedule', () => {
    for (const seed of [1, 2]) {
      const problem = generateSplitProblem(seed, { devices: 16, layers: 12, samples: 16, regime: regimes[seed % 3] });
      const answer = planned(many(problem));
      const pipelines = pipelinesOf(many(problem));
      expect(pipelines.length).toBeGreaterThan(1);
      let next = 0;
      for (const pipeline of pipelines) {
        expect(pipeline.samples.start).toBe(next);
        next += pipeline.samples.count;
        const { stages } = pipeline;
        expect(stages.map(({ from }) => from)).toEqual([0, ...stages.slice(0, -1).map(({ to }) => to)]);
        expect(stages.at(-1)?.to).toBe(14);
        expect(pipeline.latencySeconds).toBeCloseTo(secondsOf(problem, pipeline), 9);
      }
      expect(next).toBe(16);
      const used = pipelines.flatMap(({ stages }) => stages.map(({ device }) => device));
      expect(new Set(used).size).toBe(used.length);
      const counts = pipelines.map(({ samples }) => samples.count);
      expect(counts).toEqual(counts.toSorted((a, b) => b - a));
      expect(answer.latencySeconds).toBeCloseTo(Math.max(...pipelines.map((one) => one.latencySeconds)), 12);
      expect(answer.latencySeconds).toBeLessThan(planned(problem).latencySeconds);
      expect(answer.lowerBoundSeconds).toBeLessThan(answer.latencySeconds);
    }
  });

  test('devices that hold the whole model alone are pipelines alone, beside those that do not', () => {
    const base = generateSplitProblem(4, { devices: 4, layers: 6, samples: 12, regime: 'compute' });
    const fixedSeconds = { embed: 0, forwardPerLayer: 0, backwardPerLayer: 0, head: 0 };
    const equal = { ...base.devices[0], fixedSeconds, bitsPerSecond: 1e12, lagSeconds: 0 };
    // 104 + 6 * 25.2 + 4.2 MB, and work.
    const limits = [1e9, 1e9, 2.3e8, 2.3e8];
    const devices = limits.map((limitBytes, i) => ({
      ...equal,
      id: `device-${i}`,
      memory: { ...equal.memory, limitBytes },
    }));
    const pipelines = pipelinesOf(many({ ...base, devices }));
    expect(pipelines.map(({ stages }) => stages.length).toSorted()).toEqual([1, 1, 2]);
    // A pipeline of two takes nearly twice as many samples as a device alone.
    expect(pipelines.map(({ samples }) => samples.count)).toEqual([6, 3, 3]);
  });

  test('another pipeline is founded as soon as what it saves in the rounds is more than what its device must fetch', () => {
    const base = generateSplitProblem(4, { devices: 3, layers: 6, samples: 12, regime: 'compute' });
    const none = { embed: 0, forwardPerLayer: 0, backwardPerLayer: 0, head: 0 };
    const { embeddingBytes, layerBytes, headBytes } = base.devices[0].memory;
    // Ten seconds for the whole model; one for a sample; a hidden state on its way takes more than any round.
    const bitsPerSecond = (8 * (embeddingBytes + 6 * layerBytes + headBytes)) / 10;
    const device = (id: string, holds: UnitRun | null): SplitDevice => ({
      ...base.devices[0],
      ...{ id, fixedSeconds: none, lagSeconds: 0, bitsPerSecond: base.split.hiddenBits / 100 },
      secondsPerSample: { ...none, forwardPerLayer: 1 / 18, backwardPerLayer: 2 / 18 },
      memory: { ...base.devices[0].memory, limitBytes: 1e9 },
      loading: { holds, bitsPerSecond },
    });
    const whole = { from: 0, to: 8 };
    const split = { ...base.split, trainedLayers: 6, layerUploadBits: 0, headUploadBits: 0 };
    const found = (held: readonly (UnitRun | null)[], rounds: number) => {
      const devices = held.map((holds, i) => device(`d${i}`, holds));
      const problem = many({ split, devices, host: 'd0', rounds });
      const used = pipelinesOf(problem).map(({ stages, samples }) => [stages[0].device, samples.count]);
      return { used: used.toSorted(), seconds: planned(problem).latencySeconds.toFixed(6) };
    };
    const alone = { used: [['d0', 12]], seconds: '12.000000' };
    const both = [
      ['d0', 6],
      ['d1', 6],
    ];
    // Six seconds are saved a round: once that is less than the ten of fetching, twice it is more.
    expect(found([whole, null], 1)).toEqual(alone);
    expect(found([whole, null], 2)).toEqual({ used: both, seconds: '11.000000' });
    expect(found([whole, null], 100)).toEqual({ used: both, seconds: '6.100000' });
    // Who has the layers and lacks the embeddings fetches those alone; who has all is taken in place of who has nothing.
    const seconds = (6 + (8 * embeddingBytes) / bitsPerSecond).toFixed(6);
    expect(found([whole, { from: 1, to: 8 }], 1)).toEqual({ used: both, seconds });
    expect(found([whole, null, whole], 1).used).toEqual([
      ['d0', 6],
      ['d2', 6],
    ]);
  });

  test('no more of them than are allowed, one where nothing is said', () => {
    const problem = generateSplitProblem(1, { devices: 16, layers: 8, samples: 16, regime: 'compute' });
    expect(planned(problem)).toHaveProperty('stages');
    expect(planned({ ...problem, pipelines: 1 })).toEqual(planned(problem));
    expect(pipelinesOf({ ...problem, pipelines: 2 })).toHaveLength(2);
  });

  test('memory for one model and not for two: one pipeline, as without the question', () => {
    const problem = roomy(generateSplitProblem(2, { devices: 3, layers: 8, samples: 6, regime: 'mixed' }), 0.8);
    expect(mostPipelines(many(problem))).toBe(1);
    expect(planned(many(problem))).toEqual(planned(problem));
  });

  test('other names and another order of devices: the same pipelines by other names', () => {
    const problem = many(generateSplitProblem(5, { devices: 9, layers: 6, samples: 8, regime: 'mixed' }));
    const renamed = (id: string) => `z${9 - Number(id.slice('device-'.length))}`;
    const devices = drawsFrom(1)
      .shuffle(problem.devices)
      .map((device) => ({ ...device, id: renamed(device.id) }));
    const other = { ...problem, devices, host: renamed(problem.host ?? '') };
    const before = pipelinesOf(problem).map(({ stages, ...rest }) => ({
      ...rest,
      stages: stages.map((stage) => ({ ...stage, device: renamed(stage.device) })),
    }));
    expect(pipelinesOf(other)).toEqual(before);
  });
});

describe('pipelines over one medium', () => {
  test('take as long as the schedules in which all stages share it', () => {
    const draws = drawsFrom(11);
    let rated = 0;
    for (let i = 0; i < 200; i++) {
      const problem = { ...drawnProblem(draws, 4), shared: true };
      const half = problem.devices.length >> 1;
      const counts = [1 + draws.below(4), 1 + draws.below(4)];
      const evaluator = new ReplicaEvaluator(rowsOf(problem));
      const replicas = [problem.devices.slice(0, half), problem.devices.slice(half)].flatMap((devices, p) => {
        if (devices.length === 0) return [];
        const split = { ...problem.split, samples: counts[p] };
        const pipeline = drawnPipeline(draws, { ...problem, split, devices });
        const rows = Array.from(pipeline.devices, (row) => row + p * half);
        return [{ samples: counts[p], pipeline: { ...pipeline, devices: rows } }];
      });
      const found = evaluator.rate(replicas);
      const times = replicas.map(({ samples, pipeline: { devices, ends, stages, microBatches, rule } }) =>
        stageTimes(
          { split: { ...problem.split, samples }, host: problem.host },
          Array.from({ length: stages }, (_, s) => ({
            device: problem.devices[devices[s]],
            run: { from: s === 0 ? 0 : ends[s - 1], to: ends[s] },
          })),
          microBatches,
          rule === 1 || rule === 2 ? rule : 'all',
        ),
      );
      const known = times.flatMap((one) => (one === null ? [] : [one]));
      expect(found === null).toBe(known.length < times.length);
      if (found === null) continue;
      rated++;
      const whole = {
        ...problem,
        split: { ...problem.split, samples: replicas.reduce((sum, one) => sum + one.samples, 0) },
      };
      const medium = mediumBound(rowsOf(whole));
      expect(medium).toBeLessThanOrEqual(found.seconds);
      const expected = schedules(known).map(({ seconds }) => seconds);
      for (const [p, part] of found.parts.entries()) expect(part.seconds / expected[p]).toBeCloseTo(1, 9);
      expect(found.seconds).toBe(Math.max(...found.parts.map(({ seconds }) => seconds)));
      expect(evaluator.rate(replicas, found.seconds)).toBeNull();
      expect(evaluator.rate(replicas, found.seconds * (1 + 1e-9))).not.toBeNull();
    }
    expect(rated).toBeGreaterThan(100);
  });

  test('the medium is what a room without computing waits for: each sample crosses the cut above the embeddings, where nothing comes down', () => {
    const base = generateSplitProblem(3, { devices: 2, layers: 4, samples: 8, regime: 'network' });
    const seconds = { embed: 0, forwardPerLayer: 0, backwardPerLayer: 0, head: 0 };
    const devices = base.devices.map((device) => ({
      ...device,
      ...{ fixedSeconds: seconds, secondsPerSample: seconds, bitsPerSecond: 1e8, lagSeconds: 0 },
      // 104 MB of embeddings, 25.2 MB a layer, 4.2 MB of the head: three layers fit beside the embeddings, not four and the head.
      memory: { ...device.memory, limitBytes: 2.05e8, savedPerSamplePerLayer: 0, transientPerSample: 0 },
    }));
    const problem = { ...base, devices, shared: true, split: { ...base.split, headUploadBits: 0, layerUploadBits: 0 } };
    // The cut before the head would be cheaper, and nobody has room for all that is below it.
    const airtime = (8 * 128 * 1024 * 32) / 1e8;
    expect(mediumBound(rowsOf(problem))).toBeCloseTo(airtime, 9);
    const { latencySeconds, lowerBoundSeconds } = planned(problem);
    expect(latencySeconds).toBeGreaterThan(airtime);
    expect(lowerBoundSeconds / latencySeconds).toBeGreaterThan(0.8);
    expect(planned(many(problem)).lowerBoundSeconds).toBeGreaterThan(airtime * (1 - 1e-6));
  });
});
