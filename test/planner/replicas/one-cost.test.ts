import { expect, test } from 'vitest';
import { Evaluator } from '../../../signaling/planner/pipelines/evaluator.ts';
import { generateSplitProblem } from '../../../signaling/planner/pipelines/generator.ts';
import { roomBound } from '../../../signaling/planner/pipelines/room-bound.ts';
import { rowsOf } from '../../../signaling/planner/pipelines/rows.ts';
import { runOffers } from '../../../signaling/planner/pipelines/run-offers.ts';
import { priceBound } from '../../../signaling/planner/replicas/price-bound.ts';
import { replicaBound } from '../../../signaling/planner/replicas/replica-bound.ts';
import { ReplicaEvaluator } from '../../../signaling/planner/replicas/replica-evaluator.ts';
import type { SplitDevice, SplitModel, SplitProblem } from '../../../signaling/protocol/pipeline/split-problem.ts';
import { leastOfPartitions } from './every-partition.ts';

const none = { embed: 0, forwardPerLayer: 0, backwardPerLayer: 0, head: 0 };
const free = { hiddenBits: 0, headCutBits: 0, messageBits: 0, layerUploadBits: 0, headUploadBits: 0 };

interface Costs {
  readonly fixed?: Partial<typeof none>;
  readonly each?: Partial<typeof none>;
  readonly lag?: number;
  readonly split?: Partial<SplitModel>;
}

/** Six samples; a megabyte each for the embeddings, four layers and the head; a megabit a second. */
function room(count: number, trainedLayers: number, { fixed, each, lag = 0, split }: Costs): SplitProblem {
  const base = generateSplitProblem(1, { devices: count, layers: 4, samples: 6, regime: 'mixed' });
  const devices = base.devices.map(
    (device): SplitDevice => ({
      ...device,
      fixedSeconds: { ...none, ...fixed },
      secondsPerSample: { ...none, ...each },
      ...{ bitsPerSecond: 1e6, lagSeconds: lag },
      memory: {
        ...{ limitBytes: 6e6 / count, embeddingBytes: 1e6, layerBytes: 1e6, headBytes: 1e6 },
        ...{ transientPerSample: 0, savedPerSamplePerLayer: 0, gradientBytesPerLayer: 0 },
      },
    }),
  );
  const model = { ...free, layers: 4, samples: 6, trainedLayers, replayBytesPerSample: 0 };
  return { split: { ...model, ...split }, devices, host: undefined };
}

const all: Costs = {
  fixed: { embed: 1, forwardPerLayer: 1, backwardPerLayer: 2, head: 3 },
  each: { embed: 1, forwardPerLayer: 1, backwardPerLayer: 2, head: 3 },
  lag: 2,
  split: { layerUploadBits: 1e6, headUploadBits: 3e6 },
};

/** Two devices, three units each, four layers trained; and where only the head is, if that is not the same. */
test.each<[what: string, costs: Costs, seconds: number, ofHead: number]>([
  // One sample after the other: 6 of a stage's two layers, and the first one's way through the other.
  ['forward', { each: { forwardPerLayer: 1 } }, 14, 14],
  ['backward', { each: { backwardPerLayer: 1 } }, 14, 0],
  ['both', { each: { forwardPerLayer: 1, backwardPerLayer: 2 } }, 42, 14],
  ['embeddings', { each: { embed: 1 } }, 6, 6],
  ['head', { each: { head: 1 } }, 6, 6],
  // All samples at once: once for each.
  ['a forward pass', { fixed: { forwardPerLayer: 1 } }, 4, 4],
  ['a backward pass', { fixed: { backwardPerLayer: 1 } }, 4, 0],
  ['embeddings once', { fixed: { embed: 1 } }, 1, 1],
  ['head once', { fixed: { head: 1 } }, 1, 1],
  // Up six times, down once behind the last; messages and lags there and back, and after the gradients.
  ['hidden states', { split: { hiddenBits: 1e6 } }, 7, 6],
  ['messages', { split: { messageBits: 1e6 } }, 2, 1],
  ['lags', { lag: 1 }, 3, 2],
  // Each sends those of its own two layers; those of the head go from whoever has it.
  ['gradients of layers', { split: { layerUploadBits: 1e6 } }, 2, 0],
  ['gradients of the head', { split: { headUploadBits: 1e6 } }, 1, 1],
])('a room in which nothing but this takes time: %s', (_, costs, seconds, ofHead) => {
  for (const [trained, known] of [
    [4, seconds],
    [0, ofHead],
  ] as const)
    expectBounds(room(2, trained, costs), known);
});

test('one device: its passes of all samples, its gradients and their lag', () => {
  // Embeddings 1, layers 4 (1 + 2), head 3: 16 seconds a sample and 16 beside; 7 of gradients, 2 of lag.
  expectBounds(room(1, 4, all), 16 * 7 + 7 + 2);
  expectBounds(room(1, 2, all), 12 * 7 + 5 + 2);
});

test('gradients go after all else that their device sends and does', () => {
  // The head's device: one sample after the other through four layers, then eight seconds of gradients and their lag.
  const split = { headUploadBits: 8e6 };
  expectBounds(room(2, 0, { each: { forwardPerLayer: 1 }, lag: 1, split }), 14 + 1 + 8 + 1);
  // Two layers trained, all of them above the cut: no hidden state comes down.
  expectBounds(room(2, 2, { each: { backwardPerLayer: 1 }, split }), 12 + 8);
});

test('what a run offers, by hand: two layers of 1 and 2 seconds, a second for a hidden state, three for the head’s gradients', () => {
  const each = { forwardPerLayer: 1, backwardPerLayer: 2 };
  const split = { hiddenBits: 1e6, headUploadBits: 3e6 };
  const base = room(2, 4, { each, split });
  const devices = base.devices.map((device) => ({
    ...device,
    // Three units, and two layers' work of two samples.
    memory: { ...device.memory, limitBytes: 7e6, savedPerSamplePerLayer: 1e6 },
  }));
  const offer = (trainedLayers: number, microBatches: number, from: number, to: number) => {
    const evaluator = new Evaluator(rowsOf({ ...base, devices, split: { ...base.split, trainedLayers } }));
    const offers = runOffers(evaluator.rows, evaluator.table(microBatches));
    const { label, always, once, trips, cycle, after, alone, beside } = offers;
    const at = offers.place[(from * 7 + to) * 2];
    return [label, always, once, trips, cycle, after, alone, beside].map((values) => values[at]);
  };
  // Twelve seconds up and 24 down; four of six samples go up when the first has come down: 24 - 4 + 4 * 2.
  expect(offer(4, 6, 0, 3)).toEqual([7, 36, 27, 3, 7, 0, 36, 28]);
  // The way there takes 3; the last state goes down in one; the gradients follow.
  expect(offer(4, 6, 3, 6)).toEqual([7, 37, 27, 3, 6, 1, 3 + 12 + 24 + 1 + 3, 28]);
  // Nothing below is trained: up alone, and behind the label all but the first of equal samples.
  expect(offer(2, 6, 0, 3)).toEqual([3, 0, 13, 0, 0, 0, 0, 10]);
  // Two, two, one and one: the last message is of one sample.
  expect(offer(2, 4, 0, 3)).toEqual([6, 0, 13, 0, 0, 0, 0, 0]);
});

/** The optimum as it was worked out, and all bounds between a part of it and itself. */
function expectBounds(problem: SplitProblem, seconds: number): void {
  expect(leastOfPartitions(problem)).toBeCloseTo(seconds, 9);
  if (seconds === 0) return;
  const evaluator = new ReplicaEvaluator(rowsOf(problem));
  const bounds = [
    replicaBound(problem, 1.6 * seconds),
    priceBound(evaluator, 1.6 * seconds),
    roomBound(evaluator.at(6), 1.6 * seconds),
  ].map((bound) => bound / seconds);
  for (const bound of bounds) expect(bound).toBeLessThanOrEqual(1);
  expect(bounds[0]).toBeGreaterThan(0.98);
  expect(bounds[1]).toBeGreaterThan(0.92);
  expect(bounds[2]).toBeGreaterThan(0.98);
}
