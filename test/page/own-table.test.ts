import { describe, expect, it } from 'vitest';
import {
  checkTable,
  EMPTY_TABLE,
  flagColumns,
  foundText,
  guessedColumns,
  guessKind,
  labelText,
  type OwnTable,
  titleOf,
} from '../../web/page/table/own-table.ts';
import type { ColumnPreview } from '../../worker/api/tables.ts';
import { previewTable } from '../../worker/table/columns/preview.ts';
import { readTable } from '../../worker/table/read-table.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const preview = async (text: string) => previewTable(await readTable('t.csv', bytes(text)));
const read = async (name: string, text: string) =>
  ({ kind: 'read', file: { name, bytes: bytes(text) }, preview: await preview(text) }) as const;

const REVIEWS = 'id,review,sentiment\n1,"Warm, and slow",good\n2,Dull,bad\n3,Fine,good\n';
const PAIRS = 'idx\tsentence1\tsentence2\tlabel\n0\tA man walks\tA person walks\t4.5\n1\tA dog\tA car\t0.2\n';

const train = await read('reviews.csv', REVIEWS);
const oneLabel = await read('same.csv', 'text,label\na,x\nb,x\n');
const noSentiment = await read('dev.csv', 'review,stars\na,1\n');
const table = (change: Partial<OwnTable> = {}): OwnTable => {
  return { ...EMPTY_TABLE, title: 'reviews', train, ...guessedColumns(train.preview), ...change };
};
const problemsOf = (change: Partial<OwnTable>) => {
  const checked = checkTable(table(change));
  return checked.ok ? {} : checked.problems;
};

describe('guessedColumns', () => {
  it.each([
    [REVIEWS, { text: 'review', pair: '', label: 'sentiment', kind: 'classification' }],
    [PAIRS, { text: 'sentence1', pair: 'sentence2', label: 'label', kind: 'asked' }],
    [
      'premise;hypothesis;gold_label\na b;c;neutral\nd;e;entailment\n',
      { text: 'premise', pair: 'hypothesis', label: 'gold_label', kind: 'classification' },
    ],
    // Nothing has a telling name: the longest text, and the column with few different values.
    [
      'what|where\nit rained all day long|north\nthe sun came out late|south\n',
      { text: 'what', pair: '', label: 'where', kind: 'classification' },
    ],
  ] as const)('reads %j', async (text, expected) => {
    expect(guessedColumns(await preview(text))).toEqual(expected);
  });

  it.each([
    ['0\n1\n2', 'classification'],
    ['0.0\n1.0\n1', 'classification'],
    ['0.5\n1', 'asked'],
    ['1,5\n2,25', 'asked'],
    [Array.from({ length: 10 }, (_, i) => i).join('\n'), 'classification'],
    [Array.from({ length: 11 }, (_, i) => i).join('\n'), 'asked'],
    ['no\nyes', 'classification'],
  ] as const)('takes words and a few whole numbers for classes, and asks about many: %j', async (labels, kind) => {
    const rows = labels.split('\n').map((label) => `a text;${label}`);
    const { columns } = await preview(`text;label\n${rows.join('\n')}\n`);
    expect(columns.map(guessKind)).toEqual(['classification', kind]);
  });
});

describe('what is said of a table', () => {
  it('names the delimiter in words', async () => {
    const commas = 'separated by commas, cells may stand in quotes, two of which mean one';
    expect(foundText(await preview(REVIEWS), 61)).toBe(`3 rows and 3 columns; ${commas}; 61 B.`);
    const tabs = 'separated by tabs, a quote is a character';
    expect(foundText(await preview(PAIRS), 4000)).toBe(`2 rows and 4 columns; ${tabs}; 4.0 kB.`);
  });

  it('names the classes, and counts those that do not fit', () => {
    const label = (classNames: readonly string[]): ColumnPreview => ({
      name: 'l',
      firstValues: [],
      labels: {
        classNames,
        classCounts: classNames.map(() => 1),
        numbers: 0,
        others: 11,
        differentNumbers: 0,
        kind: 'classes',
      },
    });
    expect(labelText(label(['bad', 'good']), 'classification')).toBe('2 classes: bad and good.');
    expect(labelText(label(Array.from({ length: 11 }, (_, i) => `c${i}`)), 'classification')).toBe(
      '11 classes: c0, c1, c2, c3, c4, c5, c6, c7 and 3 more.',
    );
  });

  it('makes a title of the file name', () => {
    expect(titleOf('film_reviews-2024.tsv')).toBe('film reviews 2024');
    expect(titleOf('.csv')).toBe('My own task');
  });
});

describe('checkTable', () => {
  it('makes the task that the host reads', async () => {
    const checked = checkTable(table({ dev: await read('dev.csv', REVIEWS) }));
    if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
    expect(checked.own).toMatchObject({
      title: 'reviews',
      train: { name: 'reviews.csv' },
      dev: { name: 'dev.csv' },
      columns: { text: 'review', pair: null, label: 'sentiment' },
      kind: 'classification',
    });
  });

  it.each<[Partial<OwnTable>, string, string]>([
    [{ train: { kind: 'none' } }, 'ownTrain', 'Choose a table'],
    [{ train: { kind: 'reading', name: 'big.csv' } }, 'ownTrain', 'big.csv is still being read'],
    [{ title: ' ' }, 'ownTitle', 'what the task is about'],
    [{ text: '' }, 'ownText', 'holds the text'],
    [{ label: '' }, 'ownLabel', 'holds the label'],
    [{ label: 'review' }, 'ownLabel', 'another column than the text'],
    [{ kind: 'regression' }, 'ownLabel', '“sentiment” holds words'],
    [{ kind: 'asked' }, 'ownKind', 'Say whether the numbers of “sentiment” are classes or a score.'],
    [{ pair: 'review' }, 'ownPair', 'a column of its own'],
    [{ train: oneLabel, text: 'text', label: 'label' }, 'ownLabel', 'one value only'],
    [{ dev: noSentiment }, 'ownDev', 'no column “sentiment”'],
    [{ dev: { kind: 'unreadable', name: 'd', sentence: 'It is a picture.' } }, 'ownDev', 'It is a picture.'],
  ])('refuses %j', (change, field, part) => {
    const problems: Record<string, string> = problemsOf(change);
    expect(Object.keys(problems)).toContain(field);
    expect(problems[field]).toContain(part);
  });
});

describe('columns of 0 and 1', async () => {
  const feelings = await read('f.csv', 'text,anger,joy,fear,"a,b"\none,0,1,0,1\ntwo,1.0,0,TRUE,0\n');
  const choices = (change: Partial<OwnTable>) =>
    table({ train: feelings, text: 'text', pair: '', label: 'anger, joy, fear', kind: 'multi-label', ...change });

  it('are offered together, where there are several', () => {
    expect(flagColumns(feelings.preview)).toBe('anger, joy, fear');
    expect(flagColumns(train.preview)).toBe(null);
  });

  it('are several labels, of no column that holds a text, and of both files', async () => {
    expect(checkTable(choices({}))).toMatchObject({
      ok: true,
      own: { kind: 'multi-label', columns: { text: 'text', pair: null, label: 'anger, joy, fear' } },
    });
    const problems = (change: Partial<OwnTable>) => {
      const checked = checkTable(choices(change));
      return checked.ok ? {} : checked.problems;
    };
    expect(problems({ label: 'text, joy' }).ownLabel).toBe('The labels must be other columns than the texts.');
    expect(problems({ kind: 'classification' }).ownKind).toBe('Several columns are any of several labels.');
    const dev = await read('dev.csv', 'text,anger,joy\none,0,1\n');
    expect(problems({ dev }).ownDev).toContain('has no column “fear”');
  });
});
