import { expect, test } from 'vitest';
import { seededRandom } from '../../worker/data/seeded-random.ts';
import { decodeCheckpoint } from '../../worker/host/checkpoint.ts';
import { Host } from '../../worker/host/host.ts';
import { openFileOrHttp } from '../../worker/node/file-source.ts';
import { MINI_REQUEST } from './node-host.ts';

/** A table with more dev rows than the sample has; text i is i + 1 words long, modulo 9, and every third is positive. */
const DEV = 700;
/** LoRA: 6 layers of query and value, A and B of 8 * 128 each. Head: 128 * 128 + 128 + 2 * 128 + 2. */
const PARAMETERS = 6 * 4 * 8 * 128 + 128 * 128 + 128 + 2 * 128 + 2;
const row = (i: number) =>
  `${Array(1 + (i % 9))
    .fill('film')
    .join(' ')},${i % 3 === 0 ? 'good' : 'bad'}`;
const table = (rows: number) =>
  new TextEncoder().encode(['text,label', ...Array.from({ length: rows }, (_, i) => row(i))].join('\n'));

async function open(seed = 1): Promise<Host> {
  const host = new Host(openFileOrHttp);
  await host.open({
    ...MINI_REQUEST,
    training: { ...MINI_REQUEST.training, seed },
    task: {
      id: 'own',
      endpoint: '',
      own: {
        title: 'films',
        train: { name: 'train.csv', bytes: table(60) },
        dev: { name: 'dev.csv', bytes: table(DEV) },
        columns: { text: 'text', pair: null, label: 'label' },
        kind: 'classification',
      },
    },
  });
  return host;
}

/** Right for the first `right` examples of a part in its order, wrong for the others. */
async function logitsOf(host: Host, part: 'sample' | 'first', right: (place: number) => boolean) {
  const { length } = await host.devLengths(part);
  const { labels } = await host.devChunk(part, 0, length);
  const logits = new Float32Array(2 * length);
  for (const [i, label] of labels.entries()) logits[2 * i + (right(i) ? label : 1 - label)] = 1;
  return logits;
}
const of = (version: number, part: 'sample' | 'first', logits: Float32Array) => ({
  ...{ version, part, logits, secondLogits: null },
  values: new Float32Array(PARAMETERS).fill(version),
});

/** What a checkpoint has of the best adapter; its parameters are all its version. */
async function bestOf(host: Host) {
  const { best } = decodeCheckpoint(await host.checkpoint(''));
  return best && { round: best.round, value: best.value, from: best.values[7] };
}

test('a score of the sample says so, with its error', async () => {
  const host = await open();
  const score = await host.score(of(1, 'sample', await logitsOf(host, 'sample', (i) => i < 384)));
  expect(score).toMatchObject({ value: 0.75, chosenBy: 0.75, examples: 512 });
  // sqrt(0.75 * 0.25 / 512)
  expect(score.error).toBeCloseTo(0.019137, 6);
  expect((await host.report()).examples).toBe(512);
});

test('the sample is the same at every score, ascending in length, and another one for another seed', async () => {
  const texts = async (host: Host) => {
    const { ids, labels } = await host.devChunk('sample', 0, 512);
    return [...ids, ...labels].join();
  };
  const [one, same, other] = await Promise.all([open(), open(), open(2)]);
  expect(await texts(one)).toBe(await texts(same));
  expect(await texts(one)).not.toBe(await texts(other));
  const lengths = [...(await one.devLengths('sample'))];
  expect(lengths).toEqual(lengths.toSorted((a, b) => a - b));
});

test('the best adapter is chosen on the sample, whatever a score is of', async () => {
  const host = await open();
  // Of the whole set a worse score, and of its sample as good as its share of right answers there.
  const random = seededRandom(4);
  const right = Array.from({ length: DEV }, () => random() < 0.9);
  const whole = await host.score(of(5, 'first', await logitsOf(host, 'first', (i) => right[i]!)));
  expect(whole.examples).toBe(DEV);
  expect(whole.value).toBeCloseTo(right.filter(Boolean).length / DEV, 12);
  expect(whole.chosenBy).not.toBe(whole.value);
  const right9 = Math.round(whole.chosenBy * 512);
  // One right answer fewer on the sample is no better, one more is.
  await host.score(of(6, 'sample', await logitsOf(host, 'sample', (i) => i < right9 - 1)));
  expect(await bestOf(host)).toEqual({ round: 5, value: whole.chosenBy, from: 5 });
  await host.score(of(7, 'sample', await logitsOf(host, 'sample', (i) => i < right9 + 1)));
  expect(await bestOf(host)).toEqual({ round: 7, value: (right9 + 1) / 512, from: 7 });
});

test('a score that comes after a later one stands at its round', async () => {
  const host = await open();
  const logits = await logitsOf(host, 'sample', () => true);
  for (const version of [0, 4, 2, 4]) await host.score(of(version, 'sample', logits));
  expect(decodeCheckpoint(await host.checkpoint('')).scores.map(({ round }) => round)).toEqual([0, 2, 4]);
});
