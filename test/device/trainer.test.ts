import { describe, expect, it, vi } from 'vitest';
import type { WorkOrder, WorkPart } from '../../worker/api/work.ts';
import { lossAndGradient } from '../../worker/check/loss-and-gradient.ts';
import { randomModel } from '../../worker/check/random-model.ts';
import type { Engine } from '../../worker/engine/engine.ts';
import { createReferenceEngine } from '../../worker/engine/reference/engine.ts';
import { evaluateBatch, runOrder } from '../../worker/learn/trainer.ts';

const model = await randomModel({ layers: 3, samples: 5, lengths: [12, 3, 7, 9, 1], tokens: 12 });
// As few micro-batches as may be: how they are cut has its own tests.
const engine: Engine = { ...(await createReferenceEngine(model)), computesPadding: false };
await engine.setParameters(model.parameters);
const dropout = { probability: 0.2, seed: 8 };

async function run(
  order: Partial<WorkOrder>,
  on: Engine = engine,
  afterStep: (seconds: number) => Promise<void> = async () => {},
): Promise<WorkPart[]> {
  const parts: WorkPart[] = [];
  const whole = { round: 6, batch: model.batch, layers: [0, 1, 2], head: true, microBatch: 5, dropout, ...order };
  for await (const part of runOrder(on, whole, afterStep)) parts.push(part);
  return parts;
}
const blocks = (parts: WorkPart[]) => parts.map((part) => (part.kind === 'gradient' ? part.block : part.kind));

describe('an order', () => {
  it('gives the head first, then layers from the last down, then done', async () => {
    expect(blocks(await run({}))).toEqual(['head', 2, 1, 0, 'done']);
  });

  it('gives only the blocks that were asked for', async () => {
    expect(blocks(await run({ layers: [0, 2], head: false }))).toEqual([2, 0, 'done']);
    expect(blocks(await run({ layers: [] }))).toEqual(['head', 'done']);
    expect(blocks(await run({ layers: [2], microBatch: 2 }))).toEqual(['head', 2, 'done']);
  });

  it.each([1, 2, 5, 100])('adds up to the gradient of the whole batch in micro-batches of %i', async (microBatch) => {
    const want = await lossAndGradient(engine, model.batch, 3, { ...dropout, round: 6 });
    for (const part of await run({ microBatch })) {
      if (part.kind === 'done') {
        expect(part.lossSum).toBeCloseTo(want.lossSum, 5);
        expect(part.computeSeconds).toBeGreaterThanOrEqual(part.forwardSeconds);
        continue;
      }
      const { layout } = engine;
      const block = part.block === 'head' ? layout.head : layout.layers[part.block]!;
      const slice = want.gradient.subarray(block.offset, block.offset + block.length);
      expect(part.gradient.length).toBe(block.length);
      const largest = Math.max(...slice.map(Math.abs));
      for (let i = 0; i < slice.length; i++)
        expect(Math.abs(part.gradient[i]! - slice[i]!)).toBeLessThan(1e-5 * largest);
    }
  });

  it('tells seconds, of the whole and of the way forward with the loss', async () => {
    let nowMs = 5000;
    vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
    const slowly = async <T>(ms: number, work: Promise<T>): Promise<T> => {
      const result = await work;
      nowMs += ms;
      return result;
    };
    const slow: Engine = {
      ...engine,
      begin: async (batch, options) => {
        const pass = await engine.begin(batch, options);
        return {
          ...pass,
          embed: () => slowly(100, pass.embed()),
          forward: (range, hidden) => slowly(250, pass.forward(range, hidden)),
          loss: (hidden, want) => slowly(50, pass.loss(hidden, want)),
          backward: async function* (range, dHidden, wantInput) {
            const layers = pass.backward(range, dHidden, wantInput);
            for (let next = await layers.next(); ; next = await layers.next()) {
              if (next.done) return next.value;
              nowMs += 500;
              yield next.value;
            }
          },
        };
      },
    };
    const steps: number[] = [];
    const afterStep = async (seconds: number) => {
      steps.push(seconds);
    };
    try {
      // Two micro-batches of three layers.
      const done = (await run({ microBatch: 3 }, slow, afterStep)).at(-1);
      const once = [0.1, 0.25, 0.25, 0.25, 0.05, 0.5, 0.5, 0.5, 0];
      expect(steps).toEqual([...once, ...once]);
      expect(done).toMatchObject({
        kind: 'done',
        computeSeconds: expect.closeTo(4.8, 9),
        forwardSeconds: expect.closeTo(1.8, 9),
      });

      steps.length = 0;
      await evaluateBatch(slow, model.batch, 5, afterStep);
      // The embedding counts with the first layer.
      expect(steps).toEqual([0.35, 0.25, 0.25]);
    } finally {
      vi.restoreAllMocks();
    }
  });

  it('runs backward no deeper than its deepest layer and saves nothing below it', async () => {
    const ranges: unknown[] = [];
    const watched: Engine = {
      ...engine,
      begin: async (batch, options) => {
        ranges.push(options.saveFrom);
        const pass = await engine.begin(batch, options);
        return {
          ...pass,
          backward: (range, dHidden, wantInput) => {
            ranges.push([range, wantInput]);
            return pass.backward(range, dHidden, wantInput);
          },
        };
      },
    };
    await run({ layers: [1] }, watched);
    expect(ranges).toEqual([1, [{ from: 1, to: 3 }, false]]);
  });

  it('recomputes when it is told to', async () => {
    const asked: unknown[] = [];
    const watched: Engine = {
      ...engine,
      begin: (batch, options) => {
        asked.push(options.recompute);
        return engine.begin(batch, options);
      },
    };
    await run({ layers: [2] }, watched);
    await run({ layers: [2], recompute: true }, watched);
    expect(asked).toEqual([false, true]);
  });

  it('stops after the step in which it was given up, and lets the pass go', async () => {
    let [steps, disposed] = [0, 0];
    const watched: Engine = {
      ...engine,
      begin: async (batch, options) => {
        const pass = await engine.begin(batch, options);
        return { ...pass, dispose: () => disposed++ };
      },
    };
    const outcome = run({}, watched, async () => {
      if (++steps === 3) throw new Error('given up');
    });
    await expect(outcome).rejects.toThrow('given up');
    expect([steps, disposed]).toEqual([3, 1]);
  });
});

describe('evaluation', () => {
  it('gives the logits of a pass without dropout in the order of the samples, at any micro-batch', async () => {
    const want = (await lossAndGradient(engine, model.batch, 0)).logits;
    for (const microBatch of [1, 2, 5]) {
      const got = await evaluateBatch(engine, model.batch, microBatch, async () => {});
      expect(got.length).toBe(want.length);
      for (let i = 0; i < want.length; i++) expect(got[i]).toBeCloseTo(want[i]!, 5);
    }
  });
});
