import { describe, expect, it } from 'vitest';
import type { UnitRun } from '../../signaling/protocol/split.ts';
import { type RandomModel, randomModel } from '../../worker/check/random-model.ts';
import type { Engine } from '../../worker/engine/engine.ts';
import { createOnnxEngine } from '../../worker/engine/onnx/engine.ts';
import { createReferenceEngine } from '../../worker/engine/reference/engine.ts';
import { evaluateStage, stageSequence } from '../../worker/learn/stage.ts';
import { evaluateBatch } from '../../worker/learn/trainer.ts';
import { type Outcome, oneDevice, pipeline, type Recipe, shared, stageOrders } from './pipeline-scene.ts';

const LAYERS = 4;
const model: RandomModel = await randomModel({ layers: LAYERS, lengths: [1, 3, 4, 6, 7, 9, 12], tokens: 12 });
const recipe: Recipe = {
  batch: model.batch,
  round: 6,
  layers: [0, 1, 2, 3],
  microBatchSizes: [2, 2, 1, 1, 1],
  dropout: { probability: 0.2, seed: 8 },
};
const engine = shared(await createOnnxEngine(model, 'wasm'));
await engine.setParameters(model.parameters);
const whole = await oneDevice(engine, recipe);

/** Embeddings alone, a cut between layers, and the head alone. */
const RUNS: readonly UnitRun[] = [
  { from: 0, to: 1 },
  { from: 1, to: 3 },
  { from: 3, to: 5 },
  { from: 5, to: 6 },
];
const two: readonly UnitRun[] = [
  { from: 0, to: 3 },
  { from: 3, to: 6 },
];
const WINDOWS = {
  'as many as stages above': (s: number) => RUNS.length - s,
  'twice as many': (s: number) => 2 * (RUNS.length - 1 - s) + 1,
  all: () => 100,
  one: () => 1,
};

/** Chance that is the same every time. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function expectSame(found: Outcome, wanted: Outcome): void {
  expect([...found.gradients.keys()].map(String).sort()).toEqual([...wanted.gradients.keys()].map(String).sort());
  for (const [block, gradient] of wanted.gradients) expect(found.gradients.get(block)).toEqual(gradient);
  expect(found.lossSum).toBe(wanted.lossSum);
}

const engines = (of: Engine, runs: readonly UnitRun[]): Engine[] => runs.map(() => of);

describe('the order of a stage', () => {
  it('is forwards up to the window, then one backward and one forward by turns, then the rest', () => {
    const words = (...of: Parameters<typeof stageSequence>) =>
      stageSequence(...of)
        .map(({ direction, microBatch }) => `${direction === 'up' ? 'F' : 'B'}${microBatch + 1}`)
        .join(' ');
    expect(words(4, 2, true)).toBe('F1 F2 B1 F3 B2 F4 B3 B4');
    expect(words(3, 1, true)).toBe('F1 B1 F2 B2 F3 B3');
    expect(words(3, 9, true)).toBe('F1 F2 F3 B1 B2 B3');
    expect(words(3, 0, false)).toBe('F1 F2 F3');
  });
});

describe('a pipeline of four stages, with dropout', () => {
  it.each(Object.entries(WINDOWS))('windows %s: the gradient of one device to the bit', async (_, window) => {
    const orders = stageOrders(recipe, LAYERS, RUNS, window);
    expectSame(await pipeline(engines(engine, RUNS), orders), whole);
  });

  it.each([1, 2, 3, 4])('whatever comes when (draw %i)', async (seed) => {
    const draw = chance(seed);
    const orders = stageOrders(recipe, LAYERS, RUNS, WINDOWS.all);
    expectSame(await pipeline(engines(engine, RUNS), orders, () => Math.floor(draw() * 40)), whole);
  });

  it('that goes forward again has the same bits', async () => {
    for (const window of Object.values(WINDOWS)) {
      const orders = stageOrders(recipe, LAYERS, RUNS, window).map((order) => ({ ...order, recompute: true }));
      expectSame(await pipeline(engines(engine, RUNS), orders), whole);
    }
  });

  it('goes down to the lowest trained layer and no further', async () => {
    for (const lowest of [1, 2, 3]) {
      const layers = recipe.layers.filter((layer) => layer >= lowest);
      const wanted = await oneDevice(engine, { ...recipe, layers });
      const orders = stageOrders({ ...recipe, layers }, LAYERS, RUNS, WINDOWS['as many as stages above']);
      const found = await pipeline(engines(engine, RUNS), orders);
      expectSame(found, wanted);
      const kinds = found.passes.map((ofStage) => [...new Set(ofStage.map(({ direction }) => direction))]);
      const both = ['up', 'down'];
      // Layer 1 is the second stage's, as unit 2 of units 1 and 2; layers 2 and 3 are the third one's.
      expect(kinds).toEqual([['up'], lowest === 1 ? both : ['up'], both, both]);
      // Five micro-batches: three cuts up, and down those of stages that lie above the lowest layer wholly.
      expect(found.messages).toBe(5 * (3 + (lowest === 1 ? 2 : 1)));
    }
  });

  it('takes nothing of the layers that nobody trains, in between', async () => {
    const layers = [0, 3];
    const wanted = await oneDevice(engine, { ...recipe, layers });
    expectSame(
      await pipeline(
        engines(engine, RUNS),
        stageOrders({ ...recipe, layers }, LAYERS, RUNS, () => 2),
      ),
      wanted,
    );
  });

  it('has other bits where the micro-batches are others: what is compared can differ', async () => {
    const other = await oneDevice(engine, { ...recipe, microBatchSizes: [3, 2, 2] });
    expect(other.gradients.get(0)).not.toEqual(whole.gradients.get(0));
  });
});

it('an engine that keeps one pass open goes forward again where the window is wider', async () => {
  const begun: string[] = [];
  let [open, most] = [0, 0];
  const onePass: Engine = {
    ...engine,
    openPasses: 1,
    begin: async (batch, options) => {
      begun.push(options.saveFrom < LAYERS ? 'saving' : 'passing');
      const pass = await engine.begin(batch, options);
      most = Math.max(most, ++open);
      let over = false;
      // Methods of a class: they are not the object's own.
      return {
        embed: () => pass.embed(),
        forward: (range, hidden) => pass.forward(range, hidden),
        loss: (hidden, want) => pass.loss(hidden, want),
        backward: (range, dHidden, wantInput) => pass.backward(range, dHidden, wantInput),
        dispose: () => {
          if (!over) open--;
          over = true;
          pass.dispose();
        },
      };
    },
  };
  const orders = stageOrders(recipe, LAYERS, two, (s) => 2 - s);
  expectSame(await pipeline([onePass, engine], orders), whole);
  expect(begun).toEqual([
    'passing',
    'passing',
    'saving',
    'passing',
    'saving',
    'passing',
    'saving',
    'passing',
    'saving',
    'saving',
  ]);
  expect([open, most]).toEqual([0, 1]);
});

it('the reference, in float64 inside, is one device to the rounding of what travels', async () => {
  const reference = await createReferenceEngine(model);
  await reference.setParameters(model.parameters);
  const wanted = await oneDevice(reference, recipe);
  const found = await pipeline(
    engines(reference, RUNS),
    stageOrders(recipe, LAYERS, RUNS, () => 2),
  );
  for (const [block, gradient] of wanted.gradients) {
    const largest = Math.max(...gradient.map(Math.abs));
    const other = found.gradients.get(block)!;
    for (let i = 0; i < gradient.length; i++) expect(Math.abs(other[i]! - gradient[i]!)).toBeLessThan(2e-6 * largest);
  }
});

it('a stage that is given up leaves no pass open', async () => {
  const [order] = stageOrders(recipe, LAYERS, two, () => 3);
  let open = 0;
  const counted: Engine = {
    ...engine,
    begin: async (batch, options) => {
      const pass = await engine.begin(batch, options);
      open++;
      return new Proxy(pass, {
        get: (of, name) => {
          if (name === 'dispose') open--;
          const value: unknown = Reflect.get(of, name);
          return typeof value === 'function' ? value.bind(of) : value;
        },
      });
    },
  };
  const { runStage } = await import('../../worker/learn/stage.ts');
  const parts = runStage(counted, order!, { take: () => new Promise(() => {}) }, async () => {});
  // Of two micro-batches: that they passed, and what they made.
  for (let i = 0; i < 4; i++) await parts.next();
  expect(open).toBe(2);
  await parts.return();
  expect(open).toBe(0);
});

it('what goes up through the stages, without dropout, comes out as the logits of one device', async () => {
  const { batch } = model;
  const wanted = await evaluateBatch(
    { ...engine, computesPadding: false },
    batch,
    batch.lengths.length,
    async () => {},
  );
  let hidden: Float32Array | null = null;
  for (const run of RUNS) {
    const { tokens, lengths } = batch;
    const chunk = { run, tokens, lengths, ids: run.from === 0 ? batch.ids : null, hidden };
    hidden = await evaluateStage(engine, chunk, 1, async () => {});
  }
  expect(hidden).toEqual(wanted);
});
