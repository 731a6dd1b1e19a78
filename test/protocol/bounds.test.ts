import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { median } from '../../signaling/protocol/median.ts';
import { ProfileSchema } from '../../signaling/protocol/profile.ts';
import { SessionSettingsSchema } from '../../signaling/protocol/settings.ts';
import { readClassWeights } from '../../signaling/protocol/words/class-weights.ts';
import { profile, SETTINGS } from './samples.ts';

/** The object with another value at a path such as `shape.layers`. */
function changed(of: object, path: string, value: unknown): unknown {
  const [key, ...rest] = path.split('.');
  const inner: unknown = Object.entries(of).find(([name]) => name === key)?.[1];
  const nested = typeof inner === 'object' && inner !== null ? inner : {};
  return { ...of, [key!]: rest.length === 0 ? value : changed(nested, rest.join('.'), value) };
}

/** The least and the largest that are taken, and the first ones that are not. */
type Bounds = readonly [path: string, taken: readonly number[], refused: readonly number[]];

const whole = (path: string, least: number, most: number): Bounds => [
  path,
  [least, most],
  [least - 1, most + 1, least + 0.5, Number.NaN],
];

describe('a profile', () => {
  const seconds = (path: string): Bounds => [path, [0, 1e6], [-1e-9, 1.000001e6, Number.NaN, Infinity]];
  const bytes = (path: string): Bounds => [path, [0, 2 ** 50], [-1, 2 ** 50 + 1, Number.NaN, Infinity]];
  const rate = (path: string): Bounds => [path, [1e-9, 1e18], [0, 1.01e18, Number.NaN, Infinity]];
  const memory = [
    'limitBytes',
    'weightsBytes',
    'transientPerSample',
    'savedPerSamplePerLayer',
    'gradientBytesPerLayer',
  ];
  const recompute = ['recompute.transientPerSample', 'recompute.savedPerSamplePerLayer'];
  const full = {
    ...profile(),
    memory: { ...profile().memory, recompute: { transientPerSample: 1, savedPerSamplePerLayer: 1 } },
  };

  it.each<Bounds>([
    seconds('overheadSeconds'),
    ...['embed', 'forwardPerLayer', 'backwardPerLayer', 'head'].map((part) => seconds(`secondsPerSample.${part}`)),
    ...[...memory, ...recompute].map((part) => bytes(`memory.${part}`)),
    rate('flopsPerSecond'),
    rate('memoryBytesPerSecond'),
    ['linkBitsPerSecond', [1, 1e15], [0, 0.99, 1.01e15, Number.NaN, Infinity]],
  ])('has %s within its bounds', (path, taken, refused) => {
    for (const value of taken) expect([value, v.is(ProfileSchema, changed(full, path, value))]).toEqual([value, true]);
    for (const value of refused)
      expect([value, v.is(ProfileSchema, changed(full, path, value))]).toEqual([value, false]);
  });
});

describe('settings', () => {
  const real = (path: string, taken: readonly number[], refused: readonly number[]): Bounds => [
    path,
    taken,
    [...refused, Number.NaN, Infinity],
  ];

  it.each<Bounds>([
    whole('shape.layers', 1, 64),
    whole('shape.hiddenSize', 1, 4096),
    whole('shape.heads', 1, 256),
    whole('shape.ffnSize', 1, 16_384),
    whole('shape.vocabSize', 1, 1_000_000),
    whole('shape.maxPositions', 1, 8192),
    real('shape.layerNormEps', [1e-12, 1e-2], [0.99e-12, 1.01e-2]),
    ['shape.padTokenId', [0, 1], [-1, 0.5]],
    whole('task.labelCount', 1, 1000),
    whole('task.trainExamples', 1, 1e8),
    whole('task.devExamples', 1, 1e8),
    whole('task.roundTokens', 1, 512),
    whole('lora.rank', 1, 256),
    real('lora.alpha', [1e-9, 10_000], [0, 10_000.1]),
    whole('training.rounds', 1, 1e6),
    whole('training.samplesPerRound', 1, 4096),
    whole('training.maxTokens', 1, 512),
    real('training.learningRate', [1e-9, 1], [0, 1.01]),
    real('training.weightDecay', [0, 1], [-1e-9, 1.01]),
    real('training.warmupFraction', [0, 1], [-1e-9, 1.01]),
    real('training.dropout', [0, 0.9], [-1e-9, 0.91]),
    whole('training.evaluateEvery', 0, 1e6),
    whole('training.seed', 0, 2 ** 32 - 1),
    real('training.maxGradientNorm', [0, 1e6], [-1e-9, 1.01e6]),
    real('training.beta1', [0, 0.9999], [-1e-9, 1]),
    real('training.beta2', [0, 0.9999], [-1e-9, 1]),
    real('training.epsilon', [1e-12, 1], [0, 1.01]),
    real('training.loraPlusRatio', [1, 1000], [0.99, 1001]),
    real('training.labelSmoothing', [0, 0.99], [-1e-9, 1]),
    real('training.threshold', [1e-9, 0.99], [0, 1]),
  ])('have %s within its bounds', (path, taken, refused) => {
    const is = (value: number) => [value, v.is(SessionSettingsSchema, changed(SETTINGS, path, value))];
    for (const value of taken) expect(is(value)).toEqual([value, true]);
    for (const value of refused) expect(is(value)).toEqual([value, false]);
  });

  it.each([
    ['model.id', 64],
    ['task.id', 64],
    ['task.title', 120],
  ])('have %s of at most %d characters', (path, most) => {
    const is = (length: number) => v.is(SessionSettingsSchema, changed(SETTINGS, path, 'x'.repeat(length)));
    expect([is(0), is(1), is(most), is(most + 1)]).toEqual([false, true, true, false]);
  });

  it('have class names and weights for the classes that a head may have', () => {
    const names = (count: number, length: number) =>
      v.is(SessionSettingsSchema, changed(SETTINGS, 'task.classNames', new Array(count).fill('x'.repeat(length))));
    expect([names(0, 1), names(1000, 60), names(1001, 1), names(1, 61)]).toEqual([true, true, false, false]);
    const weights = (...values: readonly number[]) =>
      v.is(SessionSettingsSchema, changed(SETTINGS, 'training.classWeights', values));
    expect([weights(1, 1e6), weights(1), weights(0, 1), weights(1, 1.1e6)]).toEqual([true, false, false, false]);
    expect([weights(...new Array(1000).fill(1)), weights(...new Array(1001).fill(1))]).toEqual([true, false]);
  });
});

it.each([
  ['', null],
  ['  ', null],
  ['balanced', 'balanced'],
  ['1,1000000', [1, 1e6]],
  ['1,1000000.1', undefined],
  ['0,1', undefined],
  ['2', undefined],
  ['1,,2', undefined],
])('class weights typed as %j are %j', (typed, weights) => {
  expect(readClassWeights(typed)).toEqual(weights);
});

it.each([
  [[3], 3],
  [[4, 1], 2.5],
  [[9, 1, 5], 5],
  [[10, 9, 2, 1], 5.5],
  [[100, 20, 3, 20.5, 1], 20],
])('the median of %j is %d, whatever the order', (values, middle) => {
  expect(median(values)).toBe(middle);
  expect(median(values.toReversed())).toBe(middle);
});

it('of no values there is no median', () => {
  expect(() => median([])).toThrow(RangeError);
});
