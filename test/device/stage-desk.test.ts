import { describe, expect, it } from 'vitest';
import type { StageOrder, StagePart } from '../../worker/api/stage-api.ts';
import { randomModel } from '../../worker/check/random-model.ts';
import { StageDesk } from '../../worker/device/stage-desk.ts';
import type { Engine } from '../../worker/engine/engine.ts';
import { createReferenceEngine } from '../../worker/engine/reference/engine.ts';
import { claimedBytes } from '../../worker/learn/stage-memory.ts';

const model = await randomModel({ layers: 3, lengths: [2, 4, 6, 5], tokens: 6 });
const C = model.shape.hiddenSize;
/** Layers 0 and 1 with the embeddings. */
const made = await createReferenceEngine({
  ...model,
  part: { embeddings: true, layers: { from: 0, to: 2 }, head: false },
});
await made.setParameters(model.parameters);
const begun: number[] = [];
const engine: Engine = {
  ...made,
  begin: (batch, options) => {
    begun.push(options.saveFrom);
    return made.begin(batch, options);
  },
};
const order: StageOrder = {
  round: 1,
  run: { from: 0, to: 3 },
  layers: [0, 1],
  head: false,
  lowest: 0,
  microBatchSizes: [1, 1, 1, 1],
  window: 3,
  recompute: false,
  tokens: 6,
  lengths: model.batch.lengths,
  positions: model.batch.positions,
  ids: model.batch.ids,
  labels: null,
  dropout: { probability: 0.1, seed: 4 },
};
const bytesOf = (openPasses: number) => claimedBytes(engine, 1, 6, { savedLayers: 2, openPasses });
const deskWith = (limitBytes: number) =>
  new StageDesk(engine, { pace: { slowdown: 1 }, labelsPerSample: 1, limitBytes: () => limitBytes });

async function run(desk: StageDesk): Promise<StagePart[]> {
  begun.length = 0;
  await desk.begin(order);
  const parts: StagePart[] = [];
  for (;;) {
    const part = await desk.next();
    parts.push(part);
    // The gradient of the loss that comes down is the same for all runs.
    if (part.kind === 'hidden')
      desk.give({ kind: 'dHidden', microBatch: part.microBatch, values: part.values.map((value) => value / 3) });
    if (part.kind === 'done') return parts;
  }
}

const gradients = (parts: readonly StagePart[]) => parts.filter(({ kind }) => kind === 'gradient');

describe('the memory limit of a device', () => {
  it('bounds how many passes a stage keeps, and changes no bit', async () => {
    expect(bytesOf(3)).toBeGreaterThan(bytesOf(1));
    const roomy = await run(deskWith(bytesOf(3)));
    expect(begun).toEqual([0, 0, 0, 0]);
    const tight = await run(deskWith(bytesOf(3) - 1));
    // 3 is the number of layers: nothing is kept. Each of the four goes forward once for what it says, and once more before it goes backward.
    expect(begun).toEqual([3, 3, 3, 0, 3, 0, 0, 0]);
    expect(gradients(tight)).toEqual(gradients(roomy));
    expect(gradients(tight)).toHaveLength(2);
    await run(deskWith(bytesOf(1)));
  });

  it('is never passed: what takes more is refused in one sentence, before it is begun', async () => {
    const desk = deskWith(bytesOf(1) - 1);
    begun.length = 0;
    await expect(desk.begin(order)).rejects.toThrow(
      /^Micro-batches of 1 samples in units 0 to 2 take \S+ \S+ here, and training may use \S+ \S+\.$/,
    );
    expect([begun, desk.isBusy]).toEqual([[], false]);
    const forward = claimedBytes(engine, 4, 6, { savedLayers: 0 });
    const { tokens, lengths, run, ids } = order;
    const parameters = { layers: [], head: false, values: new Float32Array() };
    const chunk = { run, tokens, lengths, ids, hidden: null, parameters };
    await expect(deskWith(forward - 1).evaluate(chunk)).rejects.toThrow(/^4 samples to evaluate take /);
    expect(await deskWith(forward).evaluate(chunk)).toHaveLength((2 + 4 + 6 + 5) * C);
  });
});

describe('a stage at its desk', () => {
  it('is one at a time, takes each micro-batch once, and nothing that it does not know', async () => {
    const desk = deskWith(1e9);
    expect(() => desk.give({ kind: 'dHidden', microBatch: 0, values: new Float32Array() })).toThrow(/no stage/);
    await expect(desk.next()).rejects.toThrow(/no stage/);
    await desk.begin(order);
    await expect(desk.begin(order)).rejects.toThrow(/still working/);
    desk.give({ kind: 'dHidden', microBatch: 3, values: new Float32Array(5 * C) });
    expect(() => desk.give({ kind: 'dHidden', microBatch: 3, values: new Float32Array(5 * C) })).toThrow(
      /Micro-batch 3/,
    );
    expect(() => desk.give({ kind: 'hidden', microBatch: 4, values: new Float32Array() })).toThrow(/Micro-batch 4/);
    await desk.cancel();
    expect(desk.isBusy).toBe(false);
    expect(await run(desk)).toHaveLength(4 * 3 + 2 + 1);
  });

  it('that waits is given up at once, and a pending pull says so', async () => {
    const desk = deskWith(1e9);
    await desk.begin(order);
    // Three of the window: that each passed, and what it made.
    for (let i = 0; i < 6; i++) await desk.next();
    const pulled = desk.next();
    const idle = desk.idle();
    await desk.cancel();
    await expect(pulled).rejects.toThrow('The stage was given up.');
    await idle;
  });

  it('has its own trained values again after an evaluation with others', async () => {
    const parametersOf = (values: Float32Array) => ({ layers: [0, 1], head: false, values });
    const { layout } = engine;
    const length = layout.layers[0]!.length + layout.layers[1]!.length;
    const own = parametersOf(model.parameters.slice(0, length));
    const desk = deskWith(1e9);
    await desk.setParameters(own);
    const wanted = gradients(await run(desk));
    await desk.begin(order);
    const parts: StagePart[] = [];
    for (let part = await desk.next(); ; part = await desk.next()) {
      parts.push(part);
      if (part.kind === 'done') break;
      if (part.kind !== 'hidden') continue;
      const { tokens, lengths, run: of, ids } = order;
      const others = parametersOf(new Float32Array(length).fill(0.5));
      await desk.evaluate({ run: of, tokens, lengths, ids, hidden: null, parameters: others });
      desk.give({ kind: 'dHidden', microBatch: part.microBatch, values: part.values.map((value) => value / 3) });
    }
    expect(gradients(parts)).toEqual(wanted);
  });
});
