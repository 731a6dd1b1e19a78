import { describe, expect, it } from 'vitest';
import { WEIGHT_STORAGES } from '../../signaling/protocol/settings.ts';
import { lossAndGradient } from '../../worker/check/loss-and-gradient.ts';
import {
  fingerprints,
  SELF_TEST_DROPOUT,
  SelfTestError,
  selfTest,
  selfTestModel,
} from '../../worker/check/self-test.ts';
import { SELF_TEST_ANSWERS } from '../../worker/check/self-test-answers.ts';
import type { Engine, EngineRequest, Pass } from '../../worker/engine/engine.ts';
import { createOnnxEngine } from '../../worker/engine/onnx/engine.ts';
import { createReferenceEngine } from '../../worker/engine/reference/engine.ts';

/** An engine that goes wrong from its `from`th pass on, in the way of `spoil`. */
function faulty(from: number, spoil: (pass: Pass) => Pass): (request: EngineRequest) => Promise<Engine> {
  return async (request) => {
    const engine = await createReferenceEngine(request);
    let passes = 0;
    return {
      ...engine,
      begin: async (batch, options) => {
        const pass = await engine.begin(batch, options);
        return ++passes < from ? pass : spoil(pass);
      },
    };
  };
}

const zeroGradients = (pass: Pass): Pass => ({
  ...pass,
  backward: async function* (range, dHidden, wantInput) {
    for await (const part of pass.backward(range, dHidden, wantInput))
      yield { ...part, gradient: new Float32Array(part.gradient.length) };
    return null;
  },
});
const oneWrongValue = (pass: Pass): Pass => ({
  ...pass,
  backward: async function* (range, dHidden, wantInput) {
    for await (const part of pass.backward(range, dHidden, wantInput)) {
      if (part.block === 0) part.gradient[5]! += 1;
      yield part;
    }
    return null;
  },
});
const notANumber = (pass: Pass): Pass => ({
  ...pass,
  loss: async (hidden, want) => ({ ...(await pass.loss(hidden, want)), lossSum: Number.NaN }),
});

describe('self-test', () => {
  it.each(WEIGHT_STORAGES)('stores what the reference computes with %s weights', async (weightStorage) => {
    const model = { ...(await selfTestModel()), weightStorage };
    const answers = SELF_TEST_ANSWERS[weightStorage];
    const engine = await createReferenceEngine(model);
    await engine.setParameters(model.parameters);
    const { lossSum, gradient } = await lossAndGradient(engine, model.batch, 2, SELF_TEST_DROPOUT);
    expect(lossSum).toBeCloseTo(answers.loss, 6);
    const found = fingerprints(engine, gradient);
    expect([...found.keys()]).toEqual(Object.keys(answers.gradients));
    for (const [name, { norm, signed }] of found) {
      expect(norm, name).toBeCloseTo(answers.gradients[name]!.norm, 6);
      expect(signed, name).toBeCloseTo(answers.gradients[name]!.signed, 6);
    }
  });

  it.each(WEIGHT_STORAGES)('is passed by the onnx engine with %s weights', async (storage) => {
    await expect(selfTest((request) => createOnnxEngine(request, 'wasm'), storage)).resolves.toBeUndefined();
  });

  it('is not passed with weights in another storage than asked for', async () => {
    const coarse = (request: EngineRequest) => createReferenceEngine({ ...request, weightStorage: 'int8' });
    await expect(selfTest(coarse)).rejects.toThrow(SelfTestError);
  });

  it.each([
    ['zero gradients behind a right loss', 1, zeroGradients, /gradient of lora\.layer\.0\.query\.A is off by 100 %/],
    ['one wrong value in a thousand', 1, oneWrongValue, /gradient of lora\.layer\.0\.query\.A/],
    ['a loss that is no number', 1, notANumber, /the loss is NaN/],
    ['an engine that is right once and wrong later', 2, zeroGradients, /second pass/],
    ['an engine that is right twice and wrong later', 3, zeroGradients, /third pass/],
    ['an engine that is wrong with two passes open', 5, zeroGradients, /split pass/],
  ])('refuses %s', async (_, from, spoil, sentence) => {
    const outcome = selfTest(faulty(from, spoil));
    await expect(outcome).rejects.toThrow(SelfTestError);
    await expect(outcome).rejects.toThrow(sentence);
  });
});
