import { describe, expect, it } from 'vitest';
import type { Profile } from '../../signaling/protocol/profile.ts';
import { type Asked, estimate, estimateSentence, NOTHING_MEASURED } from '../../web/page/estimate/estimate.ts';
import { type Measured, readMeasured } from '../../web/page/estimate/measured.ts';
import { askedOf } from '../../web/page/start/asked.ts';
import type { StartForm } from '../../web/page/start/form-fields.ts';
import { withModel, withTask } from '../../web/page/start/recipe-fields.ts';
import { checkStartForm, DEFAULT_FORM } from '../../web/page/start/start-form.ts';

/** Whole numbers that are easy to add up: a sample down to all of 6 layers takes 1 + 6 * 2 + 6 * 4 + 3 = 40 ms, forward 16 ms. */
const profile: Profile = {
  engine: 'webgpu',
  backend: 'WebGPU, test',
  overheadSeconds: 0.1,
  secondsPerSample: { embed: 0.001, forwardPerLayer: 0.002, backwardPerLayer: 0.004, head: 0.003 },
  flopsPerSecond: 1e10,
  memoryBytesPerSecond: 1e10,
  memory: {
    limitBytes: 1e9,
    weightsBytes: 1e7,
    transientPerSample: 1e5,
    savedPerSamplePerLayer: 1e5,
    gradientBytesPerLayer: 1e4,
  },
  linkBitsPerSecond: 1e12,
};
const measured: Measured = {
  ...{ atMs: 1, model: 'roberta-mini', weights: 'f32', layers: 6, hiddenSize: 128, ffnSize: 512 },
  ...{ task: 'grammar', tokens: 16, devExamples: 500, profile },
};
const asked: Asked = {
  ...{ model: 'roberta-mini', weights: 'f32', shape: null, task: 'grammar', depth: null },
  ...{ rounds: 60, samplesPerRound: 32, maxTokens: 64, typicalTokens: null, evaluateEvery: 0, devExamples: null },
};

describe('estimate', () => {
  it('adds up rounds and scores of the session that was measured', () => {
    // A round is 0.1 + 32 * 0.04 = 1.38 s: 82.8 s. The last score is 500 * 0.016 = 8 s; the one before it is the same and within its tenth.
    const found = estimate(measured, asked);
    expect(found?.kind).toBe('close');
    expect(found?.seconds).toBeCloseTo(82.8 + 8 + 8, 9);
  });

  it('keeps scores beside the rounds to a tenth of their time', () => {
    expect(estimate(measured, { ...asked, evaluateEvery: 1 })?.seconds).toBeCloseTo(82.8 * 1.1 + 8, 9);
  });

  it('goes backward no further than the lowest adapter', () => {
    // 0.1 + 32 * (1 + 12 + 2 * 4 + 3) ms = 0.868 s.
    expect(estimate(measured, { ...asked, depth: 2 })?.seconds).toBeCloseTo(60 * 0.868 + 5.208 + 8, 9);
  });

  it('scales by the work of a layer where model or texts are others', () => {
    const twice = estimate(measured, { ...asked, task: 'sst2', typicalTokens: 32, devExamples: 0, rounds: 1 });
    // Twice the tokens: projections twice, attention four times. (2 * 196608 * 16 + 4 * 2 * 256 * 128) / (196608 * 16 + 2 * 256 * 128).
    const layer = (32 * 196_608 + 2 * 1024 * 128) / (16 * 196_608 + 2 * 256 * 128);
    expect(twice?.kind).toBe('rough');
    expect(twice?.seconds).toBeCloseTo(0.1 + 32 * (0.002 + 6 * layer * 0.006 + 0.003), 9);
    const wide = { layers: 12, hiddenSize: 256, ffnSize: 1024 };
    const base = { ...asked, model: 'other', shape: wide, rounds: 1, devExamples: 0 };
    const wider = (16 * 4 * 196_608 + 2 * 256 * 256) / (16 * 196_608 + 2 * 256 * 128);
    // 500 examples to score with, as the task has; the score before is within a tenth.
    const example = 0.002 + 12 * wider * 0.002 + 0.012;
    const round = 0.1 + 32 * (0.002 + 12 * wider * 0.006 + 0.012);
    expect(estimate(measured, base)?.seconds).toBeCloseTo(1.1 * round + 500 * example, 9);
  });

  it('says what it does not know', () => {
    expect(estimateSentence(null, asked)).toBe(NOTHING_MEASURED);
    expect(estimateSentence(measured, null)).toBe('How long it takes is told before training starts.');
    expect(estimateSentence(measured, { ...asked, model: 'unknown/model' })).toBe(
      'How long it takes is told before training starts.',
    );
  });

  it('tells a measured time from a scaled one and from the most it can be', () => {
    expect(estimateSentence(measured, asked)).toBe('About 2 min on this device alone; with others, less.');
    expect(estimateSentence(measured, { ...asked, task: 'sst2', typicalTokens: 16, devExamples: 500 })).toBe(
      'Roughly 2 min on this device alone; with others, less.',
    );
    // Of what is long, 32 samples of 40 ms and a tenth of a second; and 500 examples of 16 ms.
    expect(estimateSentence(measured, { ...asked, rounds: 1000 })).toMatch(
      /^About \d+ min on this device alone: 1\.4 s a round, 8\.0 s for the last score; with others, less\.$/,
    );
    expect(estimateSentence(measured, { ...asked, task: 'own', devExamples: 10 })).toMatch(/^At most about \d+ min on/);
  });
});

describe('what a browser remembers', () => {
  it('comes back as it was', () => {
    expect(readMeasured(JSON.stringify(measured))).toEqual(measured);
  });

  it('is nothing where it is missing, broken or not of these fields', () => {
    const { tokens, ...without } = measured;
    for (const text of [
      null,
      '',
      '{',
      'null',
      '[]',
      JSON.stringify(without),
      JSON.stringify({ ...measured, tokens: 0 }),
    ])
      expect(readMeasured(text)).toBeNull();
    expect(tokens).toBe(16);
  });
});

describe('askedOf', () => {
  const of = (form: StartForm) => askedOf(form, checkStartForm(form, 'http://localhost:8787'));
  const form: StartForm = { ...DEFAULT_FORM, name: 'Loom' };

  it('reads the form, with what is known of model and task', () => {
    expect(of(form)).toMatchObject({
      shape: { layers: 6, hiddenSize: 128 },
      rounds: 60,
      typicalTokens: null,
      depth: null,
    });
    const base = withModel({ ...withTask(form, 'mnli-mismatched'), repository: 'FacebookAI/roberta-base' }, 'hub');
    expect(of(base)).toMatchObject({
      ...{ shape: { layers: 12, hiddenSize: 768, ffnSize: 3072 }, rounds: 2000, typicalTokens: 90, devExamples: 9815 },
    });
    expect(of({ ...base, repository: 'my/own-model' })?.shape).toBeNull();
    expect(of({ ...form, layers: '2,4' })?.depth).toBe(4);
    expect(of({ ...form, layers: 'top:3' })?.depth).toBe(3);
  });

  it('asks nothing while a field is wrong', () => {
    expect(of({ ...form, rounds: 'many' })).toBeNull();
  });
});
