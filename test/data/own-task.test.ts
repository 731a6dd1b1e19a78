import { describe, expect, test } from 'vitest';
import type { OwnTaskRequest } from '../../worker/api/tables.ts';
import { previewTable, readOwnTask } from '../../worker/data/own-task.ts';

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

test('classes are the different labels in the order of their characters; a tenth is set aside', () => {
  const { task, examples, bad } = readOwnTask(request(TICKETS));
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
  expect(bad).toEqual([]);
  // The same rows every time, so that scores can be compared.
  expect(readOwnTask(request(TICKETS)).examples).toEqual(examples);
});

test('whole numbers as classes keep their order', () => {
  const rows = ['10', '9', '-1', '10'].map((mood, i) => `t${i},${mood}`).join('\n');
  expect(readOwnTask(request(`text,mood\n${rows}`)).task.classNames).toEqual(['-1', '9', '10']);
});

test('pairs, a dev file of its own, and rows that cannot be used', () => {
  const { task, examples, bad } = readOwnTask(
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
  expect(bad).toEqual([
    { line: 3, reason: 'an empty text' },
    { line: 5, reason: '2 fields instead of 3' },
    { line: 3, reason: 'an unknown label "perhaps"' },
    { line: 4, reason: 'an empty label' },
  ]);
});

test('regression takes numbers alone', () => {
  const { task, examples, bad } = readOwnTask(
    request('text,mood\na,1.5\nb,-2\nc,1e1\nd,many\n', {
      kind: 'regression',
      dev: { name: 'dev.csv', bytes: bytes('text,mood\ne,0\n') },
    }),
  );
  expect(task).toMatchObject({ labelCount: 1, classNames: [], metric: 'pearson', furtherMetric: 'spearman' });
  expect(examples.train.map(({ label }) => label)).toEqual([1.5, -2, 10]);
  expect(bad).toEqual([{ line: 5, reason: 'a label that is not a number, "many"' }]);
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
      '"mood" has more than 100 different labels; choose another column, or regression.',
    ],
    ['a label like a text', `text,mood\na,x\nb,${'y'.repeat(61)}\n`, {}, 'has a label of 61 characters'],
    [
      'no usable row',
      'text,mood\na,x\nb,y\n',
      { kind: 'regression' as const },
      'tickets.csv has no row that can be used; line 2: a label that is not a number, "x".',
    ],
    ['an empty file', '', {}, 'tickets.csv is not a table'],
  ])('%s', (_, text, change, sentence) => {
    expect(() => readOwnTask(request(text, change))).toThrow(sentence);
  });

  test('one usable row cannot be split', () => {
    expect(() => readOwnTask(request('text,mood\na,1\n', { kind: 'regression' }))).toThrow('at least two are needed');
  });
});

test('the preview shows what a person needs to choose columns', () => {
  expect(previewTable(bytes('text;stars;note\n"one; two";5;\nthree;4;n\nbad row\n'))).toEqual({
    delimiter: ';',
    rowCount: 2,
    badRowCount: 1,
    badRows: [{ line: 4, reason: '1 field instead of 3' }],
    columns: [
      { name: 'text', firstValues: ['one; two', 'three'], classNames: ['one; two', 'three'], numeric: false },
      { name: 'stars', firstValues: ['5', '4'], classNames: ['4', '5'], numeric: true },
      { name: 'note', firstValues: ['', 'n'], classNames: ['n'], numeric: false },
    ],
  });
});
