import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TokenBatch } from '../../worker/api/batch.ts';
import type { HostWorkerApi } from '../../worker/api/host-api.ts';
import { MINI_REQUEST, startNodeHost } from './node-host.ts';

/** Everything here runs in a real worker thread, over comlink. */
const { host, end } = startNodeHost();
let opened: Awaited<ReturnType<HostWorkerApi['open']>>;

beforeAll(async () => {
  opened = await host.open(MINI_REQUEST);
});
afterAll(end);

/** LoRA: 6 layers of query and value, A and B of 8 * 128 each. Head: 128 * 128 + 128 + 2 * 128 + 2. */
const LAYER_LENGTH = 4 * 8 * 128;
const HEAD_LENGTH = 128 * 128 + 128 + 2 * 128 + 2;

const parts = (samples: number, fill: number) => [
  ...Array.from({ length: 6 }, (_, block) => ({
    block,
    samples: { start: 0, count: samples },
    gradient: new Float32Array(LAYER_LENGTH).fill(fill),
  })),
  { block: 'head' as const, samples: { start: 0, count: samples }, gradient: new Float32Array(HEAD_LENGTH).fill(fill) },
];

const evaluated = (logits: Float32Array) => ({
  ...{ version: 2, values: new Float32Array(opened.parameterCount), part: 'first' as const },
  ...{ logits, secondLogits: null },
});

test('open says what the model and the task are', () => {
  expect(opened.shape).toMatchObject({ layers: 6, hiddenSize: 128, vocabSize: 8192 });
  expect(opened.task).toEqual({
    id: 'grammar',
    title: 'Sentiment of generated film sentences',
    kind: 'classification',
    labelCount: 2,
    classNames: ['negative', 'positive'],
    metric: 'accuracy',
    trainExamples: 4000,
    roundTokens: expect.any(Number),
    devTokens: expect.any(Number),
    devExamples: 500,
  });
  expect(opened.parameterCount).toBe(6 * LAYER_LENGTH + HEAD_LENGTH);
});

test('a round batch is padded to its longest and the same when asked for again', async () => {
  const batch = await host.roundBatch(3);
  expect(batch.ids).toHaveLength(8 * batch.tokens);
  expect(Math.max(...batch.lengths)).toBe(batch.tokens);
  expect([...batch.positions]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  for (let row = 0; row < 8; row++) {
    const ids = batch.ids.subarray(row * batch.tokens, (row + 1) * batch.tokens);
    const length = batch.lengths[row]!;
    expect([ids[0], ids[length - 1]]).toEqual([0, 2]);
    expect([...ids.subarray(length)]).toEqual(Array(batch.tokens - length).fill(1));
  }
  expect(await host.roundBatch(3)).toEqual(batch);
  await expect(host.roundBatch(0)).rejects.toThrow('Rounds count from 1');
});

test('a round that is dealt holds the samples that were drawn, each with its place in the draw', async () => {
  const rows = ({ ids, lengths, labels, positions, tokens }: TokenBatch) =>
    [...lengths]
      .map((length, row) => ({
        position: positions[row]!,
        ids: [...ids.subarray(row * tokens, row * tokens + length)],
        label: labels[row],
      }))
      .sort((a, b) => a.position - b.position);
  const drawn = await host.roundBatch(2);
  expect([...drawn.positions]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  const ranges = [
    { start: 0, count: 3 },
    { start: 3, count: 5 },
  ];
  const dealt = await host.roundBatch(2, ranges);
  expect(rows(dealt)).toEqual(rows(drawn));
  expect([...dealt.positions]).not.toEqual([...drawn.positions]);
  expect(await host.roundBatch(2, ranges)).toEqual(dealt);
});

test('dev examples come from the shortest to the longest, and none beyond', async () => {
  const lengths = await host.devLengths('first');
  expect(lengths).toHaveLength(500);
  expect([...lengths]).toEqual([...lengths].toSorted((a, b) => a - b));
  const [a, b] = await Promise.all([host.devChunk('first', 0, 3), host.devChunk('first', 497, 3)]);
  expect([...a.lengths, ...b.lengths]).toEqual([...lengths.subarray(0, 3), ...lengths.subarray(497)]);
  await expect(host.devChunk('first', 499, 2)).rejects.toThrow('examples 0 to 499; 2 from 499 were asked for');
});

test('a step takes the mean over the samples, one round after the other', async () => {
  const before = await host.parameters();
  expect(before.version).toBe(0);
  await expect(host.step({ round: 2, samples: 8, lossSum: 4, parts: parts(8, 1) })).rejects.toThrow('round 1 is next');
  await expect(host.step({ round: 1, samples: 8, lossSum: 4, parts: parts(8, 1).slice(1) })).rejects.toThrow(
    'The gradient of layer 0 for samples 0 to 7 is missing.',
  );
  expect((await host.parameters()).values).toEqual(before.values);

  // Warm-up: 1 round of 10, so that the first factor is 0 and the second 1.
  const first = await host.step({ round: 1, samples: 8, lossSum: 4, parts: parts(8, 4) });
  expect(first).toMatchObject({ learningRate: 0 });
  expect(first).toMatchObject({ kind: 'stepped', loss: 0.5 });
  expect(first.kind === 'stepped' && first.gradientNorm).toBeCloseTo(0.5 * Math.sqrt(opened.parameterCount), 6);
  const second = await host.step({ round: 2, samples: 8, lossSum: 4, parts: parts(8, 4) });
  expect(second).toMatchObject({ learningRate: 5e-3 });

  // Two equal gradients: m and v are unbiased to g and g^2, so every value moves by the learning rate, after its decay.
  const after = await host.parameters();
  expect(after.version).toBe(2);
  for (const i of [0, 1, LAYER_LENGTH, after.values.length - 1]) {
    expect(after.values[i]).toBeCloseTo(before.values[i]! * (1 - 5e-3 * 0.01) - 5e-3, 6);
  }
});

test('score counts the right classes of the dev set', async () => {
  const { labels } = await host.devChunk('first', 0, 500);
  const logits = new Float32Array(1000);
  for (const [i, label] of labels.entries()) logits[2 * i + (i < 400 ? label : 1 - label)] = 1;
  const score = await host.score(evaluated(logits));
  expect(score).toMatchObject({ metric: 'accuracy', value: 0.8 });
  // log(1 + 1/e) where right, log(1 + e) where wrong.
  expect(score.loss).toBeCloseTo(0.8 * Math.log(1 + Math.exp(-1)) + 0.2 * Math.log(1 + Math.E), 6);
  await expect(host.score(evaluated(logits.subarray(2)))).rejects.toThrow(
    '500 examples of "grammar" need 1000 logits; 998 came.',
  );
});

test('the report is of what was scored last', async () => {
  const { labels } = await host.devChunk('first', 0, 500);
  const logits = new Float32Array(1000);
  // The first 400 are right, and the last is the one that it is surest about.
  for (const [i, label] of labels.entries()) logits[2 * i + (i < 400 ? label : 1 - label)] = i === 499 ? 3 : 1;
  await host.score(evaluated(logits));
  const report = await host.report();
  expect(report).toMatchObject({ round: 2, examples: 500, wrong: 100 });
  expect(report.classes.map(({ name }) => name)).toEqual(['negative', 'positive']);
  expect(report.classes.reduce((sum, { examples }) => sum + examples, 0)).toBe(500);
  expect(report.confusion!.flat().reduce((a, b) => a + b, 0)).toBe(500);
  expect(report.mistakes).toHaveLength(20);
  expect(report.mistakes[0]!.probability).toBeCloseTo(1 / (1 + Math.exp(3)), 6);
});

test('the parameters before training can be had afterwards', async () => {
  const other = startNodeHost();
  await other.host.open(MINI_REQUEST);
  expect(await host.parametersBefore()).toEqual((await other.host.parameters()).values);
  await other.end();
});

test('a file is predicted row by row, by what the session knows of the task', async () => {
  const bytes = new TextEncoder().encode('id,text\n1,a fine film\n2,\n3,dull\n');
  const file = { name: 'a.csv', bytes };
  await expect(host.openTexts(file, { text: 'text', pair: 'id' })).rejects.toThrow('leave the second column out');
  expect(await host.openTexts(file, { text: 'text', pair: null })).toEqual({
    rows: 3,
    header: 'label,p_negative,p_positive,left_out\n',
  });
  const next = await host.nextTexts();
  expect([next?.rows, next?.batch?.lengths.length]).toEqual([3, 2]);
  expect(await host.answerTexts(Float32Array.of(0, Math.log(3), 0, 0))).toBe(
    'positive,0.25,0.75,\n,,,an empty text\nnegative,0.5,0.5,\n',
  );
  expect(await host.nextTexts()).toBeNull();
});

test('exports, checkpoints and previews come through the thread', async () => {
  const merged = await host.exportMerged('last');
  expect(merged.map(({ name, bytes }) => [name, bytes.length > 100])).toEqual(
    ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json', 'README.md'].map((name) => [
      name,
      true,
    ]),
  );
  const bytes = await host.checkpoint('a note');
  expect(await host.readCheckpoint(bytes)).toMatchObject({ version: 2, note: 'a note', request: MINI_REQUEST });
  expect(
    await host.previewTable({ name: 'a.csv', bytes: new TextEncoder().encode('text,label\na,1\n') }),
  ).toMatchObject({
    report: { rows: 1, used: 1 },
  });
});

test('what cannot be opened is said in a sentence', async () => {
  const other = startNodeHost();
  const open = (change: object) => other.host.open({ ...MINI_REQUEST, ...change });
  await expect(other.host.parameters()).rejects.toThrow('open one first');
  await expect(open({ task: { id: 'sst3', endpoint: '' } })).rejects.toThrow(
    'no task "sst3"; there are grammar, sst2,',
  );
  await expect(open({ training: { ...MINI_REQUEST.training, maxTokens: 200 } })).rejects.toThrow(
    'Samples of 200 tokens do not fit: roberta-mini holds at most 128',
  );
  await expect(open({ training: { ...MINI_REQUEST.training, maxTokens: 7 } })).rejects.toThrow('choose at least 8');
  await expect(open({ model: { kind: 'embedded', id: 'roberta-maxi' } })).rejects.toThrow(/no file .*roberta-maxi/);
  await expect(open({ task: { id: 'sst2', endpoint: './no-such-folder' } })).rejects.toThrow(
    /no file .*no-such-folder.datasets.nyu-mll/,
  );
  await other.end();
});
