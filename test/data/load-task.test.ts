import { parquetMetadata } from 'hyparquet';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { labelValues } from '../../worker/data/example.ts';
import { glueUrl, loadTask, reachTask } from '../../worker/data/load-task.ts';
import { findTask, TASKS } from '../../worker/data/tasks.ts';
import { bytesSource } from '../../worker/files/byte-source.ts';
import { openHttp } from '../../worker/files/open-file.ts';
import { openFileOrHttp } from '../../worker/node/file-source.ts';
import { GLUE_SPLITS } from '../fixtures/glue-rows.ts';
import { needs, REAL_GLUE, REAL_HUB } from '../needs.ts';
import { type RangeServer, serveFolder } from './range-server.ts';

/** A small GLUE with text of ours (test/fixtures/glue-rows.ts says what stands where). */
const HUB = new URL('../fixtures/hub/', import.meta.url);
const hubFile = (hub: URL, config: string, split: string) => new URL(glueUrl(hub.href, config, split));
const quiet = () => {};

let server: RangeServer;
beforeAll(async () => {
  server = await serveFolder(HUB);
});
afterAll(() => server.close());

test('SST-2 over HTTP: every row, by ranges, the needed columns alone', async () => {
  const seen: [number, number][] = [];
  const { examples, tables } = await loadTask(openHttp, { id: 'sst2', endpoint: server.url }, (done, total) =>
    seen.push([done, total]),
  );
  const { train, dev } = examples;
  expect(tables).toEqual([]);

  expect([train.length, dev.length]).toEqual([1200, 24]);
  expect(train[0]).toEqual({
    text: 'two hours of beige , and the baker counts the blue bicycle before breakfast . ',
    pair: null,
    label: 0,
  });
  expect(train[1199]?.label).toBe(1);
  expect(dev[1]).toEqual({
    text: 'it glows , and dr. łukasz żak paints nine lanterns before breakfast . ',
    pair: null,
    label: 1,
  });
  expect(dev.filter(({ label }) => label === 1)).toHaveLength(12);

  const metadata = parquetMetadata((await whole('sst2', 'train')).slice().buffer);
  const chunks = metadata.row_groups.flatMap(({ columns }) => columns.map(({ meta_data }) => meta_data!));
  const bytesOf = (of: typeof chunks) => of.reduce((sum, chunk) => sum + Number(chunk.total_compressed_size), 0);
  const inFile = (unneeded: boolean) => chunks.filter(({ path_in_schema: [name] }) => (name === 'idx') === unneeded);
  expect(inFile(true)).toHaveLength(3);
  // Progress counts the bytes of the two columns that are needed, and ends with all of them.
  expect(seen.at(-1)).toEqual([bytesOf(inFile(false)), bytesOf(inFile(false))]);
  expect(seen.map(([bytes]) => bytes)).toEqual(seen.map(([bytes]) => bytes).sort((a, b) => a - b));

  expect(server.requests.every(({ range }) => range !== undefined)).toBe(true);
  const ranges = server.requests
    .filter(({ path }) => path.includes('/train-'))
    .map(({ range }) => (range?.match(/^bytes=(\d+)-(\d+)$/) ?? []).slice(1).map(Number))
    .filter(([start, end]) => start !== undefined && end !== undefined && end > start + 1);
  // The first looks for the footer at the end of the file; the others read chunks, none of them the column that nobody needs.
  expect(ranges.length).toBeGreaterThan(3);
  for (const [start = 0, end = 0] of ranges.slice(1)) {
    for (const { data_page_offset, total_compressed_size } of inFile(true)) {
      const at = Number(data_page_offset);
      expect(end < at || start >= at + Number(total_compressed_size), `${start}-${end} and ${at}`).toBe(true);
    }
  }
});

test('from a folder on disk the rows are the same', async () => {
  const [disk, http] = await Promise.all([
    loadTask(openFileOrHttp, { id: 'rte', endpoint: HUB.href }, quiet),
    loadTask(openHttp, { id: 'rte', endpoint: `${server.url}/` }, quiet),
  ]);
  expect(disk).toEqual(http);
});

const IDS = ['cola', 'sst2', 'mrpc', 'qqp', 'stsb', 'mnli', 'mnli-mismatched', 'qnli', 'rte', 'wnli'];

test.each(IDS)('%s is read from the columns that it has, row by row, with its labels', async (id) => {
  const task = findTask(id);
  if (task.source.kind !== 'glue') expect.unreachable('a task of GLUE');
  const { config, textColumn, pairColumn, devSplit } = task.source;
  const { train, dev } = (await loadTask(openFileOrHttp, { id, endpoint: HUB.href }, quiet)).examples;
  for (const [examples, split] of [
    [train, 'train'],
    [dev, devSplit],
  ] as const) {
    const written = GLUE_SPLITS.find((one) => one.task === config && one.split === split)!;
    expect(examples).toEqual(
      written.rows.map((row) => ({
        text: row[textColumn],
        pair: pairColumn === null ? null : row[pairColumn],
        label: Number(row.label),
      })),
    );
  }
});

// Sizes, first dev labels and label counts of GLUE itself (qnli, qqp and mnli: the mirror has a part of train).
test.each([
  ['sst2', 67349, 872, { text: /^it 's a charming and often /, pair: null, label: 1 }],
  ['cola', 8551, 1043, { text: /^The sailors rode /, pair: null, label: 1 }],
  ['mrpc', 3668, 408, { text: /^He said the foodservice /, pair: /^" The foodservice pie /, label: 1 }],
  ['stsb', 5749, 1500, { text: /^A man with a hard hat/, pair: /^A man wearing a hard/, label: 5 }],
  ['rte', 2490, 277, { text: /^Dana Reeve, /, pair: /^Christopher Reeve had /, label: 1 }],
  ['wnli', 635, 71, { text: /^The drain is clogged /, pair: /^The hair has /, label: 0 }],
  ['qnli', 8999, 5463, null],
  ['qqp', 8999, 1000, null],
  ['mnli', 8999, 1000, null],
] as const)('%s of GLUE itself reads whole', needs(REAL_GLUE), async (id, trainCount, devCount, firstDev) => {
  const task = findTask(id);
  const { train, dev } = (await loadTask(openFileOrHttp, { id, endpoint: REAL_HUB.href }, quiet)).examples;
  expect([train.length, dev.length]).toEqual([trainCount, devCount]);
  if (firstDev) {
    expect(dev[0]?.text).toMatch(firstDev.text);
    if (firstDev.pair === null) expect(dev[0]?.pair).toBeNull();
    else expect(dev[0]?.pair).toMatch(firstDev.pair);
    expect(dev[0]?.label).toBe(firstDev.label);
  }
  const labels = new Set(labelValues(dev));
  if (task.labelCount === 1) {
    expect(Math.min(...labels)).toBe(0);
    expect(Math.max(...labels)).toBe(5);
  } else {
    expect([...labels].sort()).toEqual(Array.from({ length: task.labelCount }, (_, label) => label));
  }
});

test('MNLI has two dev sets beside one training set; either comes first', async () => {
  const opened: string[] = [];
  const open = (url: string) => {
    opened.push(url.slice(url.indexOf('/mnli/') + 1));
    return openFileOrHttp(url);
  };
  const matched = await loadTask(openFileOrHttp, { id: 'mnli', endpoint: HUB.href }, quiet);
  const mismatched = await loadTask(open, { id: 'mnli-mismatched', endpoint: HUB.href }, quiet);
  expect(opened).toEqual(
    ['validation_mismatched', 'validation_matched', 'train'].map((split) => `mnli/${split}-00000-of-00001.parquet`),
  );
  expect([matched.secondDev?.name, mismatched.secondDev?.name]).toEqual(['mismatched', 'matched']);
  expect(mismatched.secondDev?.examples).toEqual(matched.examples.dev);
  expect(matched.secondDev?.examples).toEqual(mismatched.examples.dev);
  expect([matched.examples.dev.length, mismatched.examples.dev.length]).toEqual([24, 18]);
  expect(mismatched.examples.train).toEqual(matched.examples.train);
  expect(mismatched.task.classNames).toEqual(['entailment', 'neutral', 'contradiction']);
});

test('a hub may lack the second dev set, not the first', async () => {
  const without = (url: string) => openHttp(url.replace('validation_mismatched', 'validation_absent'));
  const { examples, secondDev } = await loadTask(without, { id: 'mnli', endpoint: server.url }, quiet);
  expect([examples.dev.length, secondDev]).toEqual([24, null]);
  await expect(loadTask(without, { id: 'mnli-mismatched', endpoint: server.url }, quiet)).rejects.toThrow(
    '404 (not found)',
  );
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
  broken.fill(0xab, 20, 400);
  await expect(instead(broken, 'mrpc')).rejects.toThrow(unreadable);

  // Real rows of the same columns: similarities are no classes.
  await expect(instead(await whole('stsb'), 'wnli')).rejects.toThrow(
    /row \d+: the label is [\d.]+; it must be a class from 0 to 1\./,
  );
});

async function whole(config: string, split = 'validation'): Promise<Uint8Array> {
  const file = await openFileOrHttp(hubFile(HUB, config, split).href);
  return file.read(0, file.size);
}

test('a task is reached where its dev set is, and told with a sentence where it is not', async () => {
  await reachTask(openHttp, { id: 'sst2', endpoint: `${server.url}/` });
  await reachTask(openHttp, { id: 'grammar', endpoint: '' });
  await expect(reachTask(openHttp, { id: 'sst2', endpoint: `${server.url}/elsewhere` })).rejects.toThrow(
    /elsewhere\/datasets\/nyu-mll\/glue\/resolve\/main\/sst2\/validation/,
  );
});
