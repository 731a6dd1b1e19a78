import { describe, expect, it } from 'vitest';
import { LORA_TARGETS } from '../../signaling/protocol/settings.ts';
import { lossAndGradient } from '../../worker/check/loss-and-gradient.ts';
import { randomModel } from '../../worker/check/random-model.ts';
import { createReferenceEngine } from '../../worker/engine/reference/engine.ts';
import { plainRoberta } from './plain-roberta.ts';

/**
 * PyTorch's golden files hold no dropout. Here the reference engine, which all engines are measured by, is held against a model that shares no
 * code with it: the loss, and every tensor's gradient by central differences in float64.
 */
describe('the reference engine equals the plain model', () => {
  it.each([
    ['without dropout', { labelCount: 3 }, 0],
    ['with dropout at all twelve sites', { labelCount: 3 }, 0.3],
    ['with dropout, a number for an answer', { labelCount: 1, seed: 4 }, 0.15],
    ['with dropout, two adapted matrices', { labelCount: 2, targets: ['value', 'output.dense'] }, 0.5],
  ] as const)('%s', async (_, options, probability) => {
    const model = await randomModel({ layers: 2, tokens: 6, lengths: [6, 3, 1], targets: LORA_TARGETS, ...options });
    const dropout = { probability, seed: 5, round: 2 };
    const engine = await createReferenceEngine(model);
    await engine.setParameters(model.parameters);
    const { lossSum, gradient } = await lossAndGradient(engine, model.batch, 2, dropout);
    const plain = await plainRoberta(model, engine.layout, dropout);
    const parameters = Float64Array.from(model.parameters);
    expect(lossSum / plain.lossSum(parameters) - 1).toBeCloseTo(0, 7);

    const step = 1e-5;
    for (const { name, offset, length } of [...engine.layout.layers, engine.layout.head].flatMap(
      (block) => block.slots,
    )) {
      const largest = gradient
        .subarray(offset, offset + length)
        .reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      // The ends of a tensor and what is between: a transposed or shifted one shows.
      for (const at of new Set([0, Math.min(1, length - 1), Math.floor(length / 2), length - 1])) {
        const lossAt = (by: number) => {
          const moved = parameters.slice();
          moved[offset + at]! += by;
          return plain.lossSum(moved);
        };
        const difference = (lossAt(step) - lossAt(-step)) / (2 * step);
        expect(Math.abs(difference - gradient[offset + at]!), `${name} at ${at}`).toBeLessThan(1e-6 * largest + 1e-9);
      }
    }
  });
});
