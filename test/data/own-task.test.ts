import { describe, expect, test } from 'vitest';
import type { OwnTaskRequest } from '../../worker/api/tables.ts';
import { readOwnTask } from '../../worker/data/own-task.ts';
import { previewTable } from '../../worker/table/columns/preview.ts';
import { readTable } from '../../worker/table/read-table.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const request = (train: string, change: Partial<OwnTaskRequest> = {}): OwnTaskRequest => ({
  title: 'Mood of tickets',
  train: { name: 'tickets.csv', bytes: bytes(train) },
  dev: null,
  columns: { text: 'text', pair: null, label: 'mood' },
  kind: 'classification',
  ...change,
});

const TICKETS = `text,mood\n${Array.from({ length: 40 }, (_, i) => `ticket ${i},${['good', 'bad', 'mixed'][i % 3]}`).join('\n')}`;

test('classes are the different labels in the order of their characters; a tenth is set aside', async () => {
  const { task, examples, tables } = await readOwnTask(request(TICKETS));
  expect(task).toMatchObject({
    id: 'own',
    title: 'Mood of tickets',
    labelCount: 3,
    classNames: ['bad', 'good', 'mixed'],
    metric: 'accuracy',
  });
  expect([examples.train.length, examples.dev.length]).toEqual([36, 4]);
  const texts = [...examples.train, ...examples.dev].map(({ text }) => text);
  expect(new Set(texts).size).toBe(40);
  for (const { text, label } of [...examples.train, ...examples.dev]) {
    expect(label).toBe([1, 0, 2][Number(text.split(' ')[1]) % 3]);
  }
  expect(tables).toMatchObject([
    {
      rows: 40,
      used: 40,
      leftOut: [],
      classes: [
        { name: 'bad', count: 13 },
        { name: 'good', count: 14 },
        { name: 'mixed', count: 13 },
      ],
    },
  ]);
  // The same rows every time, so that scores can be compared.
  expect((await readOwnTask(request(TICKETS))).examples).toEqual(examples);
});

test('whole numbers as classes keep their order', async () => {
  const rows = ['10', '9', '-1', '10'].map((mood, i) => `t${i},${mood}`).join('\n');
  expect((await readOwnTask(request(`text,mood\n${rows}`))).task.classNames).toEqual(['-1', '9', '10']);
});

test('pairs, a dev file of its own, and rows that cannot be used', async () => {
  const { task, examples, tables } = await readOwnTask(
    request('a;b;same\nx;y;yes\n;y;no\nx;z;no\nx;w\n', {
      columns: { text: 'a', pair: 'b', label: 'same' },
      dev: { name: 'dev.tsv', bytes: bytes('a\tb\tsame\nq\tr\tno\nq\tr\tperhaps\nq\tr\t\n') },
    }),
  );
  expect(task.classNames).toEqual(['no', 'yes']);
  expect(examples).toEqual({
    train: [
      { text: 'x', pair: 'y', label: 1 },
      { text: 'x', pair: 'z', label: 0 },
    ],
    dev: [{ text: 'q', pair: 'r', label: 0 }],
  });
  expect(tables.map(({ name, rows, used, leftOut }) => ({ name, rows, used, leftOut }))).toEqual([
    {
      name: 'tickets.csv',
      rows: 4,
      used: 2,
      leftOut: [
        { reason: 'an empty text', count: 1, lines: [3], example: null },
        { reason: 'fewer cells than columns', count: 1, lines: [5], example: '2 instead of 3' },
      ],
    },
    {
      name: 'dev.tsv',
      rows: 3,
      used: 1,
      leftOut: [
        { reason: 'a label that the training rows do not have', count: 1, lines: [3], example: 'perhaps' },
        { reason: 'an empty label', count: 1, lines: [4], example: null },
      ],
    },
  ]);
});

test('regression takes numbers alone', async () => {
  const { task, examples, tables } = await readOwnTask(
    request('text,mood\na,1.5\nb,-2\nc,1e1\nd,many\n', {
      kind: 'regression',
      dev: { name: 'dev.csv', bytes: bytes('text,mood\ne,0\n') },
    }),
  );
  expect(task).toMatchObject({ labelCount: 1, classNames: [], metric: 'pearson', furtherMetrics: ['spearman'] });
  expect(examples.train.map(({ label }) => label)).toEqual([1.5, -2, 10]);
  expect(tables[0]?.leftOut).toEqual([
    { reason: 'a label that is not a number', count: 1, lines: [5], example: 'many' },
  ]);
});

describe('choices that do not fit the file', () => {
  test.each([
    ['one column', 'just text\nhello\n', {}, 'tickets.csv is not a table with at least two columns'],
    ['a missing column', 'text,label\na,1\nb,0\n', {}, 'tickets.csv has no column "mood"; it has text, label.'],
    ['one class', 'text,mood\na,good\nb,good\n', {}, '"mood" has one label alone; there must be two.'],
    ['no labels', 'text,mood\na,\nb,\n', {}, '"mood" has no labels; there must be two.'],
    [
      'too many classes',
      `text,mood\n${Array.from({ length: 101 }, (_, i) => `a,label ${i}`).join('\n')}`,
      {},
      '"mood" has more than 100 different labels; choose another column, or a score.',
    ],
    ['a label like a text', `text,mood\na,x\nb,${'y'.repeat(61)}\n`, {}, 'has a label of 61 characters'],
    [
      'no usable row',
      'text,mood\na,x\nb,y\n',
      { kind: 'regression' as const },
      'tickets.csv has no row that can be used; line 2: a label that is not a number ("x").',
    ],
    ['an empty file', '', {}, 'tickets.csv is empty, not a table'],
  ])('%s', async (_, text, change, sentence) => {
    await expect(readOwnTask(request(text, change))).rejects.toThrow(sentence);
  });

  test('one usable row cannot be split', async () => {
    await expect(readOwnTask(request('text,mood\na,1\n', { kind: 'regression' }))).rejects.toThrow('at least two');
  });
});

test('the preview shows what a person needs to choose columns', async () => {
  const table = await readTable('stars.csv', bytes('text;stars;note\n"one; two";5;\nthree;4;n\nbad row\n'));
  const { report, columns, guess } = previewTable(table);
  expect(report).toMatchObject({
    rows: 3,
    used: 2,
    leftOut: [{ reason: 'fewer cells than columns', count: 1, lines: [4], example: '1 instead of 3' }],
    delimiter: ';',
    quoting: 'doubled',
    columns: ['text', 'stars', 'note'],
  });
  expect(columns.map(({ name, firstValues, labels }) => [name, firstValues, labels.classNames])).toEqual([
    ['text', ['one; two', 'three'], ['one; two', 'three']],
    ['stars', ['5', '4'], ['4', '5']],
    ['note', ['', 'n'], ['n']],
  ]);
  expect(guess).toEqual({ text: 'text', pair: '', label: 'stars' });
});
