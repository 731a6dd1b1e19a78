import { describe, expect, it } from 'vitest';
import { randomModel } from '../../worker/check/random-model.ts';
import { fitSeconds, layerFlops, measureSeconds, type PassSeconds } from '../../worker/device/calibration.ts';
import type { Engine } from '../../worker/engine/engine.ts';
import { lossOf } from '../../worker/engine/loss.ts';
import { createReferenceEngine } from '../../worker/engine/reference/engine.ts';
import { SETTINGS } from '../protocol/samples.ts';

/** Seconds of a machine that follows the cost model exactly: fixed and per-sample costs of each part. */
function machine(fixed: PassSeconds, perSample: PassSeconds, measured: number) {
  return (samples: number): PassSeconds => {
    const cost = (part: keyof PassSeconds) => fixed[part] + samples * perSample[part];
    const head = cost('embed') + cost('head');
    const forward = head + measured * cost('forward');
    return { embed: cost('embed'), head, forward, backward: forward + measured * cost('backward') };
  };
}
const fixed = { embed: 1e-3, head: 2e-3, forward: 3e-3, backward: 4e-3 };
const perSample = { embed: 1e-4, head: 5e-4, forward: 2e-2, backward: 3e-2 };

describe('the cost model from timed passes', () => {
  it('finds the coefficients of a machine that follows it', () => {
    const at = machine(fixed, perSample, 3);
    const fit = fitSeconds({ layers: 12, measured: 3, samples: 16, few: [at(1)], many: [at(16)] });
    expect(fit.secondsPerSample.embed).toBeCloseTo(1e-4, 10);
    expect(fit.secondsPerSample.head).toBeCloseTo(5e-4, 10);
    expect(fit.secondsPerSample.forwardPerLayer).toBeCloseTo(2e-2, 10);
    expect(fit.secondsPerSample.backwardPerLayer).toBeCloseTo(3e-2, 10);
    expect(fit.overheadSeconds).toBeCloseTo(1e-3 + 2e-3 + 12 * 3e-3 + 6 * 4e-3, 10);
    // By unit, for rooms that split the model.
    expect(fit.fixedSeconds.embed).toBeCloseTo(1e-3, 10);
    expect(fit.fixedSeconds.head).toBeCloseTo(2e-3, 10);
    expect(fit.fixedSeconds.forwardPerLayer).toBeCloseTo(3e-3, 10);
    expect(fit.fixedSeconds.backwardPerLayer).toBeCloseTo(4e-3, 10);
  });

  it('counts the overhead of half the layers that any pass goes back through', () => {
    const at = machine(fixed, perSample, 3);
    const fit = fitSeconds({ layers: 12, deepest: 4, measured: 3, samples: 16, few: [at(1)], many: [at(16)] });
    expect(fit.overheadSeconds).toBeCloseTo(1e-3 + 2e-3 + 12 * 3e-3 + 2 * 4e-3, 10);
  });

  it('counts everything as per sample where only one sample could be measured', () => {
    const at = machine(fixed, perSample, 1);
    const fit = fitSeconds({ layers: 2, measured: 1, samples: 1, few: [at(1)], many: [] });
    expect(fit.overheadSeconds).toBe(0);
    expect(fit.secondsPerSample.backwardPerLayer).toBeCloseTo(3.4e-2, 10);
  });

  it('is not thrown off by one repetition that the machine was busy in', () => {
    const at = machine(fixed, perSample, 2);
    const busy = { embed: 3, head: 3, forward: 9, backward: 9.1 };
    const fit = fitSeconds({
      layers: 4,
      measured: 2,
      samples: 8,
      few: [at(1), at(1), busy],
      many: [busy, at(8), at(8)],
    });
    expect(fit.secondsPerSample.forwardPerLayer).toBeCloseTo(2e-2, 10);
  });

  it('finds them where each kind of pass was left alone only once', () => {
    const at = machine(fixed, perSample, 2);
    const kinds = ['embed', 'head', 'forward', 'backward'] as const;
    const busy = (samples: number) =>
      kinds.map((alone, i): PassSeconds => {
        const slow = Object.entries(at(samples)).map(([kind, seconds]) => [
          kind,
          seconds * (kind === alone ? 1 : 3 + i),
        ]);
        return { embed: 0, head: 0, forward: 0, backward: 0, ...Object.fromEntries(slow) };
      });
    const fit = fitSeconds({ layers: 4, measured: 2, samples: 8, few: busy(1), many: busy(8) });
    expect(fit.secondsPerSample.embed).toBeCloseTo(1e-4, 10);
    expect(fit.secondsPerSample.head).toBeCloseTo(5e-4, 10);
    expect(fit.secondsPerSample.forwardPerLayer).toBeCloseTo(2e-2, 10);
    expect(fit.secondsPerSample.backwardPerLayer).toBeCloseTo(3e-2, 10);
  });

  it.each([
    ['forward', 0.2, { embed: 1e-3, head: 3e-3, forward: 3e-3, backward: 13e-3 }],
    ['backward', 0.75, { embed: 1e-3, head: 3e-3, forward: 13e-3, backward: 13e-3 }],
  ])(
    'does not believe noise that makes a layer’s way %s free: both ways together are what was measured',
    (_, forward, pass) => {
      const fit = fitSeconds({ layers: 4, measured: 2, samples: 1, few: [pass], many: [] });
      expect(fit.secondsPerSample.forwardPerLayer).toBeCloseTo(forward * 5e-3, 10);
      expect(fit.secondsPerSample.backwardPerLayer).toBeCloseTo((1 - forward) * 5e-3, 10);
    },
  );

  it('never calls anything free or negative, however noisy', () => {
    const upsideDown = { embed: 4e-3, head: 3e-3, forward: 2e-3, backward: 1e-3 };
    const fit = fitSeconds({ layers: 4, measured: 2, samples: 8, few: [upsideDown], many: [upsideDown] });
    for (const [part, seconds] of Object.entries(fit.secondsPerSample)) expect(seconds, part).toBeGreaterThan(0);
    expect(fit.overheadSeconds).toBeGreaterThanOrEqual(0);
  });
});

it("counts a layer's useful operations", () => {
  // roberta-base at 128 tokens: four matrices of 7,077,888 elements in all; six products of 128 x 128 x 768, two forward and four backward.
  const shape = { ...SETTINGS.shape, hiddenSize: 768, ffnSize: 3072 };
  const matrices = 2 * 128 * 7_077_888;
  const product = 2 * 128 * 128 * 768;
  expect(layerFlops(shape, 128)).toBe(2 * matrices + 6 * product);
});

/** The engine, whose passes are counted while they are open; `breaking` fails at its `failAt`-th call. */
function counted(engine: Engine, breaking: 'embed' | 'forward' | 'loss' | 'backward', failAt: number) {
  const open = { passes: 0 };
  let calls = 0;
  const broken =
    <Given extends unknown[], Made>(part: typeof breaking, work: (...given: Given) => Made) =>
    (...given: Given): Made => {
      if (part === breaking && ++calls === failAt) throw new Error('The device was lost.');
      return work(...given);
    };
  const begin: Engine['begin'] = async (...asked) => {
    const pass = await engine.begin(...asked);
    open.passes++;
    return {
      embed: broken('embed', pass.embed),
      forward: broken('forward', pass.forward),
      loss: broken('loss', pass.loss),
      backward: broken('backward', pass.backward),
      dispose: () => {
        open.passes--;
        pass.dispose();
      },
    };
  };
  return { open, engine: { ...engine, begin } };
}

describe('a measurement that fails', () => {
  it.each([
    ['embed', 1],
    ['embed', 12],
    ['forward', 1],
    ['loss', 2],
    ['backward', 1],
  ] as const)('at %s, call %i, gives back the memory of its passes', async (breaking, failAt) => {
    const model = await randomModel({
      layers: 2,
      hiddenSize: 8,
      heads: 2,
      ffnSize: 8,
      labelCount: 2,
      rank: 1,
      tokens: 4,
    });
    const real = await createReferenceEngine(model);
    await real.setParameters(model.parameters);
    const { engine, open } = counted(real, breaking, failAt);
    await expect(measureSeconds(engine, { ...SETTINGS, task: { ...SETTINGS.task, roundTokens: 4 } })).rejects.toThrow(
      'The device was lost.',
    );
    expect(open.passes).toBe(0);
  });
});

it('measures a task of several labels with as many labels a sample as a round has', async () => {
  const model = await randomModel({
    layers: 1,
    hiddenSize: 8,
    heads: 2,
    ffnSize: 8,
    labelCount: 3,
    rank: 1,
    tokens: 4,
  });
  const task = { ...SETTINGS.task, kind: 'multi-label', labelCount: 3, roundTokens: 4 } as const;
  const engine = await createReferenceEngine({ ...model, loss: lossOf(task, SETTINGS.training) });
  await engine.setParameters(model.parameters);
  const { secondsPerSample } = (await measureSeconds(engine, { training: SETTINGS.training, task })).speed;
  expect(secondsPerSample.backwardPerLayer).toBeGreaterThan(0);
});
