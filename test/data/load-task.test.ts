import { statSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { glueUrl, loadTask } from '../../worker/data/load-task.ts';
import { findTask, TASKS } from '../../worker/data/tasks.ts';
import { bytesSource } from '../../worker/model/byte-source.ts';
import { openFileOrHttp } from '../../worker/model/file-source.ts';
import { openHttp } from '../../worker/model/model-files.ts';
import { type RangeServer, serveFolder } from './range-server.ts';

const HUB = new URL('../../../shared/hub/', import.meta.url);
const hubFile = (config: string, split: string) => new URL(glueUrl(HUB.href, config, split));
const quiet = () => {};

let server: RangeServer;
beforeAll(async () => {
  server = await serveFolder(HUB);
});
afterAll(() => server.close());

test('SST-2 over HTTP: every row, by ranges, the needed columns alone', async () => {
  const seen: [number, number][] = [];
  const { train, dev } = await loadTask(openHttp, findTask('sst2'), server.url, (done, total) =>
    seen.push([done, total]),
  );

  expect([train.length, dev.length]).toEqual([67349, 872]);
  expect(train[0]).toEqual({ text: 'hide new secretions from the parental units ', pair: null, label: 0 });
  expect(dev[0]).toEqual({ text: "it 's a charming and often affecting journey . ", pair: null, label: 1 });
  expect(dev.filter(({ label }) => label === 1)).toHaveLength(444);

  const [done, total] = seen.at(-1)!;
  expect(done).toBe(total);
  expect(total).toBeGreaterThan(1e6);
  expect(seen.map(([bytes]) => bytes)).toEqual(seen.map(([bytes]) => bytes).sort((a, b) => a - b));
  expect(server.requests.every(({ range }) => range !== undefined)).toBe(true);
  const files = ['train', 'validation'].map((split) => statSync(hubFile('sst2', split)).size);
  expect(server.sentBytes()).toBeLessThan(files[0]! + files[1]!);
});

test('from a folder on disk the rows are the same', async () => {
  const [disk, http] = await Promise.all([
    loadTask(openFileOrHttp, findTask('rte'), HUB.href, quiet),
    loadTask(openHttp, findTask('rte'), `${server.url}/`, quiet),
  ]);
  expect(disk).toEqual(http);
});

// Sizes, first dev labels and label counts of the mirror (see its SOURCES.md; qnli, qqp and mnli are subsets of train).
test.each([
  ['cola', 8551, 1043, { text: 'The sailors rode the breeze clear of the rocks.', pair: null, label: 1 }],
  [
    'mrpc',
    3668,
    408,
    {
      text: "He said the foodservice pie business doesn 't fit the company 's long-term growth strategy .",
      pair: '" The foodservice pie business does not fit our long-term growth strategy .',
      label: 1,
    },
  ],
  [
    'stsb',
    5749,
    1500,
    { text: 'A man with a hard hat is dancing.', pair: 'A man wearing a hard hat is dancing.', label: 5 },
  ],
  [
    'rte',
    2490,
    277,
    {
      text: 'Dana Reeve, the widow of the actor Christopher Reeve, has died of lung cancer at age 44, according to the Christopher Reeve Foundation.',
      pair: 'Christopher Reeve had an accident.',
      label: 1,
    },
  ],
  [
    'wnli',
    635,
    71,
    {
      text: 'The drain is clogged with hair. It has to be cleaned.',
      pair: 'The hair has to be cleaned.',
      label: 0,
    },
  ],
  ['qnli', 8999, 5463, null],
  ['qqp', 8999, 1000, null],
  ['mnli', 8999, 1000, null],
])('%s reads whole', async (id, trainCount, devCount, firstDev) => {
  const task = findTask(id);
  const { train, dev } = await loadTask(openFileOrHttp, task, HUB.href, quiet);
  expect([train.length, dev.length]).toEqual([trainCount, devCount]);
  if (firstDev) expect(dev[0]).toEqual(firstDev);
  const labels = new Set(dev.map(({ label }) => label));
  if (task.labelCount === 1) {
    expect(Math.min(...labels)).toBe(0);
    expect(Math.max(...labels)).toBe(5);
  } else {
    expect([...labels].sort()).toEqual(Array.from({ length: task.labelCount }, (_, label) => label));
  }
});

test('the table of tasks is what a session may say of a task', () => {
  expect(new Set(TASKS.map(({ id }) => id)).size).toBe(TASKS.length);
  expect(TASKS.map(({ id }) => id)).toEqual(
    expect.arrayContaining(['cola', 'sst2', 'mrpc', 'qqp', 'stsb', 'mnli', 'qnli', 'rte', 'wnli']),
  );
  for (const { labelCount, classNames, metric } of TASKS) {
    expect(classNames).toHaveLength(labelCount === 1 ? 0 : labelCount);
    // F1 counts class 1 of two.
    if (metric === 'f1') expect(labelCount).toBe(2);
  }
});

test('a wrong address is said in a sentence, before the long download', async () => {
  const sst2 = findTask('sst2');
  await expect(loadTask(openHttp, sst2, `${server.url}/nowhere`, quiet)).rejects.toThrow(
    `${server.url}/nowhere/datasets/nyu-mll/glue/resolve/main/sst2/validation-00000-of-00001.parquet answers 404 (not found).`,
  );
  await expect(loadTask(openHttp, sst2, 'http://127.0.0.1:9', quiet)).rejects.toThrow('cannot be reached');
  await expect(loadTask(openFileOrHttp, sst2, new URL('models/', HUB).href, quiet)).rejects.toThrow('cannot be read');
  // The mirror lacks this split.
  await expect(loadTask(openHttp, findTask('mnli-mismatched'), server.url, quiet)).rejects.toThrow('404 (not found)');
});

test('files that are not what they should be are refused', async () => {
  const instead = (bytes: Uint8Array) => loadTask(async () => bytesSource(bytes), findTask('sst2'), server.url, quiet);
  const text = (content: string) => new TextEncoder().encode(content);
  await expect(instead(text('<!doctype html><p>Please log in'))).rejects.toThrow(
    'is not a Parquet file that can be read',
  );
  await expect(instead(text(''))).rejects.toThrow('is not a Parquet file that can be read');
  // A footer that claims to be longer than the file.
  await expect(instead(text('PAR1\xff\xff\xff\x7fPAR1'))).rejects.toThrow('is not a Parquet file that can be read');

  const whole = await openFileOrHttp(hubFile('mrpc', 'validation').href);
  const mrpc = await whole.read(0, whole.size);
  await expect(instead(mrpc)).rejects.toThrow('has no column "sentence"; it has sentence1, sentence2, label, idx.');
  const broken = mrpc.slice();
  broken.fill(0xab, 100, 2000);
  await expect(loadTask(async () => bytesSource(broken), findTask('mrpc'), server.url, quiet)).rejects.toThrow(
    'is not a Parquet file that can be read',
  );

  // Real rows read as another task: similarities are no classes, and three classes are not two.
  const sts = findTask('stsb');
  await expect(loadTask(openHttp, { ...sts, labelCount: 2 }, server.url, quiet)).rejects.toThrow(
    /row \d+: the label is .*; it must be a class from 0 to 1\./,
  );
});
