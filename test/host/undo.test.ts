import { beforeAll, expect, test } from 'vitest';
import { Host } from '../../worker/host/host.ts';
import { openFileOrHttp } from '../../worker/node/file-source.ts';
import { SMALL_REQUEST, withoutRound } from './node-host.ts';

const host = new Host(openFileOrHttp);
let length: number;
let blocks: readonly (readonly [number | 'head', number])[];

beforeAll(async () => {
  const { parameterCount, shape, lora } = await host.open({
    ...SMALL_REQUEST,
    training: { ...SMALL_REQUEST.training, rounds: 200 },
  });
  length = parameterCount;
  const layer = 2 * lora.targets.length * lora.rank * shape.hiddenSize;
  blocks = [
    ...Array.from({ length: shape.layers }, (_, i) => [i, layer] as const),
    ['head', parameterCount - shape.layers * layer] as const,
  ];
});

/** A step whose gradient differs from round to round. */
async function step(round: number, times = 1): Promise<void> {
  const samples = { start: 0, count: SMALL_REQUEST.training.samplesPerRound };
  const parts = blocks.map(([block, values]) => ({
    block,
    samples,
    gradient: Float32Array.from({ length: values }, (_, i) => times * Math.sin(round + i)),
  }));
  const done = await host.step({ round, samples: samples.count, parts, lossSum: 1 });
  expect(done.kind).toBe('stepped');
}

const now = async () => ({ ...(await host.state()), values: [...(await host.parameters()).values.subarray(0, 50)] });

test('rounds that are undone and done again come to the same bits, AdamW’s moments and steps included', async () => {
  expect(length).toBeGreaterThan(1000);
  for (let round = 1; round <= 5; round++) await step(round);
  const five = await now();
  for (let round = 6; round <= 9; round++) await step(round);
  const nine = await now();
  expect(await host.undo(5)).toBe(5);
  expect(await now()).toEqual(five);
  // Something else happens instead, and is undone as well.
  for (let round = 6; round <= 8; round++) await step(round, 1.05);
  expect((await host.state()).digest).not.toBe(nine.digest);
  await expect(step(6)).rejects.toThrow('round 9 is next');
  expect(await host.undo(5)).toBe(5);
  for (let round = 6; round <= 9; round++) await step(round);
  expect(await now()).toEqual(nine);
});

test('a skipped round is undone like another, and 64 rounds can be', async () => {
  const before = await now();
  await withoutRound(host, 10);
  expect(await host.undo(9)).toBe(9);
  expect(await now()).toEqual(before);
  for (let round = 10; round <= 100; round++) await step(round);
  // The 64th round before the next one is 36; one more is kept.
  expect(await host.undo(2)).toBe(35);
  for (let round = 36; round <= 100; round++) await step(round);
  expect(await host.undo(36)).toBe(36);
  expect((await host.parameters()).version).toBe(36);
});
