import { statSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { glueUrl, loadTask } from '../../worker/data/load-task.ts';
import { findTask, TASKS } from '../../worker/data/tasks.ts';
import { bytesSource } from '../../worker/files/byte-source.ts';
import { openHttp } from '../../worker/files/open-file.ts';
import { openFileOrHttp } from '../../worker/node/file-source.ts';
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
  const { examples, bad } = await loadTask(openHttp, { id: 'sst2', endpoint: server.url }, (done, total) =>
    seen.push([done, total]),
  );
  const { train, dev } = examples;
  expect(bad).toEqual([]);

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
    loadTask(openFileOrHttp, { id: 'rte', endpoint: HUB.href }, quiet),
    loadTask(openHttp, { id: 'rte', endpoint: `${server.url}/` }, quiet),
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
  const { train, dev } = (await loadTask(openFileOrHttp, { id, endpoint: HUB.href }, quiet)).examples;
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

test('MNLI has two dev sets beside one training set; either comes first', async () => {
  const opened: string[] = [];
  // The mirror lacks the file; what is asked for is what counts.
  const open = (url: string) => {
    opened.push(url.slice(url.indexOf('/mnli/') + 1));
    return openFileOrHttp(url.replace('validation_mismatched', 'validation_matched'));
  };
  const matched = await loadTask(openFileOrHttp, { id: 'mnli', endpoint: HUB.href }, quiet);
  const mismatched = await loadTask(open, { id: 'mnli-mismatched', endpoint: HUB.href }, quiet);
  expect(new Set(opened)).toEqual(
    new Set(
      ['validation_mismatched', 'validation_matched', 'train'].map((split) => `mnli/${split}-00000-of-00001.parquet`),
    ),
  );
  expect(opened[0]).toContain('mismatched');
  expect(mismatched.secondDev?.name).toBe('matched');
  expect(mismatched.examples).toEqual(matched.examples);
  expect(mismatched.task.classNames).toEqual(['entailment', 'neutral', 'contradiction']);
});

// What nyu-mll/glue's own ClassLabel names say, in the order of its numbers.
test.each([
  ['cola', ['unacceptable', 'acceptable']],
  ['sst2', ['negative', 'positive']],
  ['mrpc', ['not_equivalent', 'equivalent']],
  ['qqp', ['not_duplicate', 'duplicate']],
  ['mnli', ['entailment', 'neutral', 'contradiction']],
  ['qnli', ['entailment', 'not_entailment']],
  ['rte', ['entailment', 'not_entailment']],
  ['wnli', ['not_entailment', 'entailment']],
])('%s counts its classes as the hub does', (id, names) => {
  expect(findTask(id).classNames.map((name) => name.replaceAll(' ', '_'))).toEqual(names);
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
  const sst2 = (endpoint: string, open = openHttp) => loadTask(open, { id: 'sst2', endpoint }, quiet);
  await expect(sst2(`${server.url}/nowhere`)).rejects.toThrow(
    `${server.url}/nowhere/datasets/nyu-mll/glue/resolve/main/sst2/validation-00000-of-00001.parquet answers 404 (not found).`,
  );
  await expect(sst2('http://127.0.0.1:9')).rejects.toThrow('cannot be reached');
  await expect(sst2(new URL('models/', HUB).href, openFileOrHttp)).rejects.toThrow('There is no file');
  // The mirror lacks this split.
  await expect(loadTask(openHttp, { id: 'mnli-mismatched', endpoint: server.url }, quiet)).rejects.toThrow(
    '404 (not found)',
  );
});

test('an unknown task, and an own one without its file', async () => {
  await expect(loadTask(openHttp, { id: 'sst3', endpoint: server.url }, quiet)).rejects.toThrow(
    'There is no task "sst3"; there are grammar, sst2,',
  );
  await expect(loadTask(openHttp, { id: 'own', endpoint: '' }, quiet)).rejects.toThrow('choose the file again');
});

test('files that are not what they should be are refused', async () => {
  const instead = (bytes: Uint8Array, id = 'sst2') =>
    loadTask(async () => bytesSource(bytes), { id, endpoint: server.url }, quiet);
  const text = (content: string) => new TextEncoder().encode(content);
  const unreadable = 'is not a Parquet file that can be read';
  await expect(instead(text('<!doctype html><p>Please log in'))).rejects.toThrow(unreadable);
  await expect(instead(text(''))).rejects.toThrow(unreadable);
  // A footer that claims to be longer than the file.
  await expect(instead(text('PAR1\xff\xff\xff\x7fPAR1'))).rejects.toThrow(unreadable);

  const mrpc = await whole('mrpc');
  await expect(instead(mrpc)).rejects.toThrow('has no column "sentence"; it has sentence1, sentence2, label, idx.');
  const broken = mrpc.slice();
  broken.fill(0xab, 100, 2000);
  await expect(instead(broken, 'mrpc')).rejects.toThrow(unreadable);

  // Real rows of the same columns: similarities are no classes.
  await expect(instead(await whole('stsb'), 'wnli')).rejects.toThrow(
    /row \d+: the label is [\d.]+; it must be a class from 0 to 1\./,
  );
});

async function whole(config: string): Promise<Uint8Array> {
  const file = await openFileOrHttp(hubFile(config, 'validation').href);
  return file.read(0, file.size);
}
