import { describe, expect, it } from 'vitest';
import type { RoomPlan } from '../../signaling/protocol/plan.ts';
import { DeviceLinks } from '../../web/session/rounds/device-links.ts';
import { samplesOf } from '../../web/session/rounds/run-round.ts';
import { Relay } from '../../web/session/rounds/split/relay.ts';
import { runSplitRound, type SplitRoundResult } from '../../web/session/rounds/split/run-split-round.ts';
import type { Spare } from '../../web/session/rounds/split/split-round.ts';
import { Emitter } from '../../web/session/world/emitter.ts';
import { oneDevice, pipeline, stageOrders } from '../learn/pipeline-scene.ts';
import { engine, LAYERS, model, RUNS, recipe, StageDevice, settings } from './stage-scene.ts';

/** A round that two pipelines share, from the host's side, with real stages behind links in memory: four samples through one, two through the other. */
const SPARE = 'sparespare';
const PIPELINES = [
  { devices: ['lowlowlow', 'middlemid', 'highhighhigh'], samples: { start: 0, count: 4 }, sizes: [2, 1, 1] },
  { devices: ['lowersecond', 'middlesecond', 'highsecond'], samples: { start: 4, count: 2 }, sizes: [1, 1] },
];

const plan: RoomPlan = {
  version: 1,
  policy: 'split',
  solver: '',
  solveMs: 0,
  latencySeconds: 1,
  lowerBoundSeconds: 1,
  limitedBy: '',
  explanation: '',
  assignments: PIPELINES.flatMap(({ devices, samples, sizes }, number) =>
    RUNS.map((run, index) => ({
      device: devices[index]!,
      layers: recipe.layers.filter((layer) => run.from <= layer + 1 && layer + 1 < run.to),
      head: index === RUNS.length - 1,
      samples,
      microBatch: sizes[0]!,
      memoryBytes: 2.5e7,
      share: 1,
      uploadBits: 0,
      computeSeconds: 1,
      uploadSeconds: 0,
      stage: { pipeline: number, index, ...run, window: Math.min(3 - index, sizes.length), microBatches: sizes.length },
    })),
  ),
};

/** Each pipeline's samples by themselves: over the same cuts, and on one device. The engine is of float64, and a cut rounds to f32. */
const alone = PIPELINES.map(({ samples, sizes }) => ({
  ...recipe,
  batch: samplesOf(recipe.batch, samples.start, samples.count),
  microBatchSizes: sizes,
}));
const expected = await Promise.all(
  alone.map((own) =>
    pipeline(
      RUNS.map(() => engine),
      stageOrders(own, LAYERS, RUNS, (s) => 3 - s),
    ),
  ),
);
const uncut = await Promise.all(alone.map((own) => oneDevice(engine, own)));

class Scene {
  readonly deviceLinks = new DeviceLinks();
  readonly devices = new Map<string, StageDevice>();
  readonly news: string[] = [];
  spares: readonly Spare[] = [];

  constructor(ids: readonly string[]) {
    new Relay({ deviceLinks: this.deviceLinks, members: () => new Set(ids), maxBytes: 1e9 });
    for (const id of ids) {
      const device = new StageDevice(id, engine, () => undefined);
      this.devices.set(id, device);
      this.deviceLinks.attach(id, device.host, false);
    }
  }

  run(): Promise<SplitRoundResult> {
    const { dropout } = recipe;
    return runSplitRound({
      ...{ term: 1, course: 0, round: recipe.round, plan, startMs: 0 },
      parameters: { version: 7, values: model.parameters },
      deviceLinks: this.deviceLinks,
      settings: {
        ...settings,
        training: { ...settings.training, dropout: dropout.probability, seed: dropout.seed },
      },
      batch: recipe.batch,
      trainers: () => [],
      onTrainers: new Emitter<void>().on,
      onActivity: () => undefined,
      onNews: (_, sentence) => void this.news.push(sentence),
      nameOf: (id) => id,
      spares: () => this.spares,
      finishSeconds: plan.assignments.map(() => 1),
      signal: new AbortController().signal,
    });
  }

  /** Settles when the host heard hidden states from a device. */
  heard(id: string): Promise<void> {
    return new Promise((resolve) => {
      const off = this.deviceLinks.onEvent((event) => {
        if (event.type !== 'message' || event.device !== id || event.message.header.type !== 'hidden') return;
        off();
        resolve();
      });
    });
  }
}

const ids = PIPELINES.flatMap(({ devices }) => devices);

function sameAsEachAlone(result: SplitRoundResult): void {
  if (result.kind !== 'done') throw new Error(result.sentence);
  expect(result.lossSum).toBe(expected[0]!.lossSum + expected[1]!.lossSum);
  expect(result.parts).toHaveLength(2 * expected[0]!.gradients.size);
  for (const { block, gradient, samples } of result.parts) {
    const at = PIPELINES.findIndex((pipeline) => pipeline.samples.start === samples.start);
    expect(samples).toEqual(PIPELINES[at]?.samples);
    expect(gradient).toEqual(expected[at]?.gradients.get(block));
    const one = uncut[at]?.gradients.get(block) ?? [];
    for (const [i, value] of gradient.entries()) expect(Math.abs(value - (one[i] ?? NaN))).toBeLessThan(1e-6);
  }
}

describe('a round that two pipelines share', () => {
  it('has the gradients of each pipeline’s samples alone, to the bit, and one device’s to 1e-6', async () => {
    const result = await new Scene(ids).run();
    sameAsEachAlone(result);
    if (result.kind !== 'done') return;
    expect(result.passes.map(({ pipeline, index }) => [pipeline, index])).toEqual([
      [0, 0],
      [0, 1],
      [0, 2],
      [1, 0],
      [1, 1],
      [1, 2],
    ]);
    expect(result.devices.map(({ samples }) => samples).toSorted()).toEqual([2, 2, 2, 4, 4, 4]);
  });

  it.each([
    ['middlemid', 2, 0],
    ['highsecond', 6, 1],
  ])('comes to the same when %s dies; the other pipeline does each pass once', async (id, number, own) => {
    const scene = new Scene([...ids, SPARE]);
    scene.spares = [{ device: SPARE, readyIn: new Map([[number, 0]]) }];
    const running = scene.run();
    await scene.heard(id);
    scene.deviceLinks.detach(id);
    sameAsEachAlone(await running);
    expect(scene.news).toEqual([`${id} lost its link; ${SPARE} takes over its part of round ${recipe.round}.`]);
    const other = PIPELINES[1 - own]!;
    for (const device of other.devices)
      expect(scene.devices.get(device)?.worker.passes).toHaveLength(2 * other.sizes.length);
  });
});
