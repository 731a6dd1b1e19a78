import { expect, test } from 'vitest';
import {
  adamWStep,
  clipGradient,
  createAdamWState,
  learningRateFactor,
  norm,
  parameterGroups,
} from '../../worker/learn/optimiser.ts';
import { parameterLayout } from '../../worker/model/layout.ts';

const start = [1, -2, 0.5, 3];
const gradients = [
  [0.1, -0.2, 0.3, 0],
  [1, 1e-6, -0.5, 0],
  [-0.3, 2, 0.25, 1e-9],
  [0.01, 0, -4, 5],
  [0.5, 0.5, 0.5, 0.5],
  [-1, 1, -1, 1],
];

/** Float32 rounding of PyTorch's own steps: a few units in the last place of the largest value. */
function expectClose(actual: ArrayLike<number>, expected: readonly number[]) {
  const largest = Math.max(...expected.map(Math.abs));
  expect(actual.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) {
    expect(Math.abs(actual[i]! - value)).toBeLessThanOrEqual(3e-7 * largest);
  }
}

test('six steps equal torch.optim.AdamW(lr=0.1, weight_decay=0.01), PyTorch 1.13', () => {
  const parameters = new Float32Array(start);
  const state = createAdamWState(4);
  const expected = [
    [0.8990000486373901, -1.8980000019073486, 0.3995000123977661, 2.996999979019165],
    [0.8173922300338745, -1.8290966749191284, 0.4284566342830658, 2.9940030574798584],
    [0.7750769257545471, -1.8856838941574097, 0.4236961603164673, 2.987520456314087],
    [0.7397562861442566, -1.9316492080688477, 0.4801139831542969, 2.926420211791992],
    [0.6891651749610901, -1.982144832611084, 0.5206283926963806, 2.8691887855529785],
    [0.6900255084037781, -2.0435702800750732, 0.5668612718582153, 2.8102171421051025],
  ];
  for (const [i, gradient] of gradients.entries()) {
    adamWStep(parameters, new Float32Array(gradient), state, { learningRate: 0.1, weightDecay: 0.01 });
    expectClose(parameters, expected[i]!);
  }
  expect(state.steps).toBe(6);
});

test('with warm-up and decay they equal PyTorch with get_linear_schedule_with_warmup(2 of 6)', () => {
  const parameters = new Float32Array(start);
  const state = createAdamWState(4);
  const rates = [0, 0.05, 0.1, 0.075, 0.05, 0.025];
  for (const [i, gradient] of gradients.entries()) {
    const learningRate = 0.1 * learningRateFactor(i + 1, 6, 0.3);
    expect(learningRate).toBeCloseTo(rates[i]!, 15);
    adamWStep(parameters, new Float32Array(gradient), state, { learningRate, weightDecay: 0.01 });
  }
  expectClose(parameters, [0.8648922443389893, -2.096836566925049, 0.5835973024368286, 2.902803659439087]);
  expectClose(state.firstMoment, [-0.004545107483863831, 0.2789902687072754, -0.37586525082588196, 0.550000011920929]);
  expectClose(
    state.secondMoment,
    [0.00234553636983037, 0.005277562886476517, 0.017618633806705475, 0.02619977854192257],
  );
});

test('without warm-up the first round has the full rate and the last a share above zero', () => {
  expect([1, 2, 3, 4].map((round) => learningRateFactor(round, 4, 0))).toEqual([1, 0.75, 0.5, 0.25]);
  expect(learningRateFactor(5, 4, 0)).toBe(0);
});

test('the warm-up lasts the ceiling of its share of the rounds', () => {
  expect([1, 2, 3].map((round) => learningRateFactor(round, 10, 0.11))).toEqual([0, 0.5, 1]);
  expect(learningRateFactor(1, 1, 1)).toBe(0);
  // Two of three steps warm up, and the one that is left has the peak.
  expect([1, 2, 3].map((round) => learningRateFactor(round, 3, 2 / 3))).toEqual([0, 0.5, 1]);
});

test('arrays of different lengths are refused', () => {
  const options = { learningRate: 0.1, weightDecay: 0 };
  expect(() => adamWStep(new Float32Array(2), new Float32Array(3), createAdamWState(2), options)).toThrow(
    'parameters have 2 values, the gradient 3',
  );
});

test('norm of a 3-4-12 vector', () => {
  expect(norm(new Float32Array([3, -4, 12]))).toBe(13);
});

test('betas and epsilon are those of the session', () => {
  // m = 0.5 g, v = 0.25 g^2 (beta2 0.75), so step 1 moves by 0.1 g / (|g| + 0.5). Gradients 1 and -3: 0.1 / 1.5 and -0.3 / 3.5.
  const parameters = new Float32Array([0, 0]);
  const state = createAdamWState(2);
  const options = { learningRate: 0.1, weightDecay: 0, beta1: 0.5, beta2: 0.75, epsilon: 0.5 };
  adamWStep(parameters, new Float32Array([1, -3]), state, options);
  expectClose(parameters, [-0.1 / 1.5, 0.3 / 3.5]);
  // Step 2 with gradients 0 and 1: m = 0.25 and -0.25, over 0.75; v = 0.1875 and 0.75 * 2.25 + 0.25 = 1.9375, over 0.4375.
  const before = [...parameters];
  adamWStep(parameters, new Float32Array([0, 1]), state, options);
  const moved = (m: number, v: number) => (0.1 * (m / 0.75)) / (Math.sqrt(v / 0.4375) + 0.5);
  expectClose(parameters, [before[0]! - moved(0.25, 0.1875), before[1]! - moved(-0.25, 1.9375)]);
});

test('cosine with warm-up is half a cycle, constant stays up', () => {
  const factors = (schedule: 'cosine' | 'constant') =>
    [1, 2, 3, 4, 5, 6].map((r) => learningRateFactor(r, 6, 0.3, schedule));
  // Two steps of warm-up, then (1 + cos(pi p)) / 2 at p = 0, 1/4, 1/2, 3/4.
  const near = [0, 0.5, 1, (1 + Math.SQRT1_2) / 2, 0.5, (1 - Math.SQRT1_2) / 2];
  for (const [i, factor] of factors('cosine').entries()) expect(factor).toBeCloseTo(near[i]!, 14);
  expect(factors('constant')).toEqual([0, 0.5, 1, 1, 1, 1]);
  expect(learningRateFactor(7, 6, 0.3, 'cosine')).toBe(0);
  expect(learningRateFactor(700, 6, 0.3, 'constant')).toBe(1);
});

test('a gradient longer than the norm is scaled to it, a shorter one stays as it is to the bit', () => {
  const long = new Float32Array([3, -4, 12]);
  expect(clipGradient(long, 6.5)).toBe(13);
  expectClose(long, [1.5, -2, 6]);
  // PyTorch divides by norm + 1e-6: at the limit itself the gradient already shrinks a little.
  const tiny = new Float32Array([6e-7, 8e-7]);
  expect(clipGradient(tiny, 1e-6)).toBeCloseTo(1e-6, 12);
  expectClose(tiny, [3e-7, 4e-7]);
  const short = new Float32Array([0.3, 0.4]);
  expect(clipGradient(short, 0.6)).toBeCloseTo(0.5, 7);
  expect(short).toEqual(new Float32Array([0.3, 0.4]));
  const free = new Float32Array([300, 400]);
  expect(clipGradient(free, 0)).toBe(500);
  expect(free).toEqual(new Float32Array([300, 400]));
});

/** One layer: A and B of query, 2 and 2 values; the head: a 2 by 2 matrix, 2 biases, a 3 by 2 matrix, 3 biases. */
const layout = parameterLayout(
  { layers: 1, hiddenSize: 2, heads: 1, ffnSize: 4, vocabSize: 9, maxPositions: 8, layerNormEps: 1e-5, padTokenId: 1 },
  { rank: 1, alpha: 1, targets: ['query'] },
  3,
);

test('LoRA+ speeds B and the biases up, and biases do not decay, as PEFT groups them', () => {
  const parameters = new Float32Array(layout.length).fill(1);
  const groups = parameterGroups(layout, 4);
  adamWStep(parameters, new Float32Array(layout.length).fill(2), createAdamWState(layout.length), {
    learningRate: 0.01,
    weightDecay: 0.5,
    groups,
  });
  // A first step moves every value by its rate, whatever the gradient's size; decay takes rate * 0.5.
  const [slow, fast, bias] = [1 - 0.005 - 0.01, 1 - 0.02 - 0.04, 1 - 0.04];
  expectClose(parameters, [
    slow,
    slow,
    fast,
    fast,
    ...Array(4).fill(slow),
    bias,
    bias,
    ...Array(6).fill(slow),
    bias,
    bias,
    bias,
  ]);
});

test('without LoRA+ there is one group, whose biases decay as all else', () => {
  expect(parameterGroups(layout, 1)).toEqual([{ offset: 0, length: 19, rateFactor: 1, decays: true }]);
});
