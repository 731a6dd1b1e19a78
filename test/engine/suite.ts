import { beforeAll, describe, expect, it } from 'vitest';
import { LORA_TARGETS } from '../../signaling/protocol/settings.ts';
import type { TokenBatch } from '../../worker/api/batch.ts';
import { checkGolden, FULL_LIMIT, relativeError } from '../../worker/check/golden-check.ts';
import { lossAndGradient } from '../../worker/check/loss-and-gradient.ts';
import { randomModel } from '../../worker/check/random-model.ts';
import type { Engine, EngineRequest } from '../../worker/engine/engine.ts';
import { hiddenFromValues } from '../../worker/engine/hidden.ts';
import { createReferenceEngine } from '../../worker/engine/reference/engine.ts';
import type { ParameterLayout } from '../../worker/model/layout.ts';
import { GOLDEN_NAMES, goldenCase } from './golden-cases.ts';
import { ODD_MODELS } from './odd-models.ts';

/** Largest error of an f32 engine over a tensor's largest value, against float64. */
const TOLERANCE = 1e-4;

const NO_DROPOUT = { probability: 0, seed: 0, round: 1 };
const DROPOUT = { probability: 0.25, seed: 11, round: 4 };

/**
 * Every engine passes it: golden files, the reference, all depths, ranges and micro-batches that compose. `refuses` names models that
 * the engine rightly refuses to load.
 */
export function engineSuite(
  title: string,
  create: (request: EngineRequest) => Promise<Engine>,
  refuses: readonly (keyof typeof ODD_MODELS)[] = [],
): void {
  describe(title, () => {
    it.each(GOLDEN_NAMES)('is within the limits of PyTorch on %s', async (name) => {
      const golden = await goldenCase(name);
      const engine = await create(golden);
      const errors = await checkGolden(engine, golden);
      expect(errors.logits).toBeLessThan(FULL_LIMIT);
      expect(errors.loss).toBeLessThan(FULL_LIMIT);
      expect(errors.gradients.size).toBe(golden.lora.targets.length * 2 + 4);
      for (const [group, error] of errors.gradients) expect(error, group).toBeLessThan(FULL_LIMIT);
      expect(errors.lossCurve).toBeLessThan(FULL_LIMIT);
      await engine.dispose();
    });

    describe.each(Object.entries(ODD_MODELS).filter(([name]) => !refuses.includes(name)))('%s', (_, options) => {
      let model: Awaited<ReturnType<typeof randomModel>>;
      let engine: Engine;
      let reference: Engine;
      beforeAll(async () => {
        model = await randomModel(options);
        engine = await create(model);
        reference = await createReferenceEngine(model);
        await engine.setParameters(model.parameters);
        await reference.setParameters(model.parameters);
        return () => engine.dispose();
      });

      it.each([
        ['without dropout', NO_DROPOUT],
        ['with dropout', DROPOUT],
      ])('equals the reference at every depth %s', async (__, dropout) => {
        for (let depth = 0; depth <= model.shape.layers; depth++) {
          const got = await lossAndGradient(engine, model.batch, depth, dropout);
          const want = await lossAndGradient(reference, model.batch, depth, dropout);
          expect(relativeError(got.logits, want.logits)).toBeLessThan(TOLERANCE);
          expect(Math.abs(got.lossSum / want.lossSum - 1)).toBeLessThan(TOLERANCE);
          expectGradient(engine.layout, got.gradient, want.gradient, TOLERANCE, `at depth ${depth}`);
        }
      });
    });

    it('adds up over micro-batches, dropout included', async () => {
      const model = await randomModel({ samples: 5, tokens: 6, targets: LORA_TARGETS });
      const engine = await create(model);
      await engine.setParameters(model.parameters);
      const whole = await lossAndGradient(engine, model.batch, 2, DROPOUT);
      const parts = [slice(model.batch, 0, 2), slice(model.batch, 2, 3), slice(model.batch, 3, 5)];
      const sum = new Float32Array(whole.gradient.length);
      let lossSum = 0;
      for (const part of parts) {
        const got = await lossAndGradient(engine, part, 2, DROPOUT);
        lossSum += got.lossSum;
        for (let i = 0; i < sum.length; i++) sum[i]! += got.gradient[i]!;
      }
      expect(Math.abs(lossSum / whole.lossSum - 1)).toBeLessThan(1e-6);
      expectGradient(engine.layout, sum, whole.gradient, 1e-5);
      await engine.dispose();
    });

    it('composes over layer ranges, forward and backward, through memory of its own and of others', async () => {
      const model = await randomModel({ layers: 3, tokens: 5 });
      const engine = await create(model);
      await engine.setParameters(model.parameters);
      const whole = await lossAndGradient(engine, model.batch, 3);
      const options = { saveFrom: 0, dropout: NO_DROPOUT };

      const pass = await engine.begin(model.batch, options);
      const first = await pass.forward({ from: 0, to: 1 }, await pass.embed());
      const elsewhere = hiddenFromValues(model.batch, (await first.read()).slice());
      first.dispose();
      const last = await pass.forward({ from: 2, to: 3 }, await pass.forward({ from: 1, to: 2 }, elsewhere));
      const { logits, dHidden } = await pass.loss(last, { dHidden: true, headGradient: false });
      expect(relativeError(logits, whole.logits)).toBeLessThan(1e-6);

      const gradients = new Map<number | 'head', Float32Array>();
      const upper = pass.backward({ from: 1, to: 3 }, dHidden!, true);
      let step = await upper.next();
      for (; !step.done; step = await upper.next()) gradients.set(step.value.block, step.value.gradient);
      const between = hiddenFromValues(model.batch, (await step.value!.read()).slice());
      step.value!.dispose();
      for await (const part of pass.backward({ from: 0, to: 1 }, between, false))
        gradients.set(part.block, part.gradient);
      expect([...gradients.keys()]).toEqual([2, 1, 0]);
      for (const [layer, gradient] of gradients) {
        const block = engine.layout.layers[Number(layer)]!;
        const want = whole.gradient.subarray(block.offset, block.offset + block.length);
        expect(relativeError(gradient, want), `layer ${layer}`).toBeLessThan(1e-6);
      }
      pass.dispose();
      await engine.dispose();
    });

    it('gives the same bits twice', async () => {
      const model = await randomModel({ tokens: 8 });
      const engine = await create(model);
      await engine.setParameters(model.parameters);
      const once = await lossAndGradient(engine, model.batch, 2, DROPOUT);
      expect(await lossAndGradient(engine, model.batch, 2, DROPOUT)).toEqual(once);
      await engine.dispose();
    });

    it('does not let padding reach a real token', async () => {
      const model = await randomModel({ tokens: 6, lengths: [6, 3, 1] });
      const engine = await create(model);
      await engine.setParameters(model.parameters);
      const want = await lossAndGradient(engine, model.batch);
      const ids = model.batch.ids.map((id, i) => (i % 6 < model.batch.lengths[Math.floor(i / 6)]! ? id : 9));
      const got = await lossAndGradient(engine, { ...model.batch, ids });
      expect(relativeError(got.logits, want.logits)).toBeLessThan(1e-6);
      expectGradient(engine.layout, got.gradient, want.gradient, 1e-5);
      await engine.dispose();
    });

    it('counts more bytes for more samples, tokens and saved layers, and none saved at depth 0', async () => {
      const engine = await create(await randomModel({ layers: 3 }));
      const saved = (samples: number, tokens: number, layers: number) =>
        engine.bytes(samples, tokens, { savedLayers: layers }).savedBytes;
      expect(saved(2, 8, 0)).toBe(0);
      expect(saved(4, 8, 1)).toBe(2 * saved(2, 8, 1));
      expect(saved(2, 8, 3)).toBe(3 * saved(2, 8, 1));
      expect(saved(2, 16, 1)).toBeGreaterThanOrEqual(2 * saved(2, 8, 1));
      await engine.dispose();
    });
  });
}

/** Tensor by tensor; one that nearly vanishes (a query's with one token does so exactly) is measured by a hundredth of the largest. */
function expectGradient(
  layout: ParameterLayout,
  got: Float32Array,
  want: Float32Array,
  tolerance: number,
  where = '',
): void {
  const largest = (values: Float32Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const floor = largest(want) / 100;
  for (const { name, offset, length } of [...layout.layers, layout.head].flatMap((block) => block.slots)) {
    const [g, w] = [got.subarray(offset, offset + length), want.subarray(offset, offset + length)];
    const error = largest(g.map((value, i) => value - w[i]!));
    expect(error / Math.max(floor, largest(w)), `${name} ${where}`).toBeLessThan(tolerance);
  }
}

function slice(batch: TokenBatch, from: number, to: number): TokenBatch {
  return {
    ids: batch.ids.slice(from * batch.tokens, to * batch.tokens),
    lengths: batch.lengths.slice(from, to),
    labels: batch.labels.slice(from, to),
    positions: batch.positions.slice(from, to),
    tokens: batch.tokens,
  };
}
