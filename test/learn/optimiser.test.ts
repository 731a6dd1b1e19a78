import { expect, test } from 'vitest';
import { adamWStep, createAdamWState, learningRateFactor, norm } from '../../worker/learn/optimiser.ts';

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
