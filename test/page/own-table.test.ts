import { describe, expect, it } from 'vitest';
import {
  checkTable,
  EMPTY_TABLE,
  foundText,
  guessColumns,
  guessKind,
  labelText,
  type OwnTable,
  titleOf,
} from '../../web/page/start/own-table.ts';
import { previewTable } from '../../worker/data/own-task.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const preview = (text: string) => previewTable(bytes(text));
const read = (name: string, text: string) =>
  ({ kind: 'read', file: { name, bytes: bytes(text) }, preview: preview(text) }) as const;

const REVIEWS = 'id,review,sentiment\n1,"Warm, and slow",good\n2,Dull,bad\n3,Fine,good\n';
const PAIRS = 'idx\tsentence1\tsentence2\tlabel\n0\tA man walks\tA person walks\t4.5\n1\tA dog\tA car\t0.2\n';

const table = (change: Partial<OwnTable> = {}): OwnTable => {
  const train = read('reviews.csv', REVIEWS);
  return { ...EMPTY_TABLE, title: 'reviews', train, ...guessColumns(train.preview), ...change };
};
const problemsOf = (change: Partial<OwnTable>) => {
  const checked = checkTable(table(change));
  return checked.ok ? {} : checked.problems;
};

describe('guessColumns', () => {
  it.each([
    [REVIEWS, { text: 'review', pair: '', label: 'sentiment', kind: 'classification' }],
    [PAIRS, { text: 'sentence1', pair: 'sentence2', label: 'label', kind: 'regression' }],
    [
      'premise;hypothesis;gold_label\na b;c;neutral\nd;e;entailment\n',
      { text: 'premise', pair: 'hypothesis', label: 'gold_label', kind: 'classification' },
    ],
    // Nothing has a telling name: the longest text, and the column with few different values.
    [
      'what|where\nit rained all day long|north\nthe sun came out late|south\n',
      { text: 'what', pair: '', label: 'where', kind: 'classification' },
    ],
  ] as const)('reads %j', (text, expected) => {
    expect(guessColumns(preview(text))).toEqual(expected);
  });

  it('takes numbers for a measure when they have a fraction or are many, else for classes', () => {
    expect(guessKind({ classNames: ['0', '1', '2'], numeric: true })).toBe('classification');
    expect(guessKind({ classNames: ['0.5', '1'], numeric: true })).toBe('regression');
    expect(guessKind({ classNames: null, numeric: true })).toBe('regression');
    expect(guessKind({ classNames: ['no', 'yes'], numeric: false })).toBe('classification');
  });
});

describe('what is said of a table', () => {
  it('names the delimiter in words', () => {
    expect(foundText(preview(REVIEWS), 61)).toBe('3 rows and 3 columns, separated by commas; 61 B.');
    expect(foundText(preview(PAIRS), 4000)).toBe('2 rows and 4 columns, separated by tabs; 4.0 kB.');
  });

  it('names the classes, and counts those that do not fit', () => {
    const label = (classNames: readonly string[]) => ({ name: 'l', firstValues: [], classNames, numeric: false });
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
  it('makes the task that the host reads', () => {
    const checked = checkTable(table({ dev: read('dev.csv', REVIEWS) }));
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
    [{ train: { kind: 'none' } }, 'ownTrain', 'Choose a CSV or TSV file'],
    [{ train: { kind: 'reading', name: 'big.csv' } }, 'ownTrain', 'big.csv is still being read'],
    [{ train: read('one.csv', 'text\nhello\nbye\n'), text: 'text', label: '' }, 'ownTrain', 'two columns'],
    [{ title: ' ' }, 'ownTitle', 'what the task is about'],
    [{ text: '' }, 'ownText', 'holds the text'],
    [{ label: '' }, 'ownLabel', 'holds the label'],
    [{ label: 'review' }, 'ownLabel', 'another column than the text'],
    [{ kind: 'regression' }, 'ownLabel', '“sentiment” holds words'],
    [{ pair: 'review' }, 'ownPair', 'a column of its own'],
    [{ train: read('same.csv', 'text,label\na,x\nb,x\n'), text: 'text', label: 'label' }, 'ownLabel', 'one value only'],
    [{ dev: read('dev.csv', 'review,stars\na,1\n') }, 'ownDev', 'no column “sentiment”'],
    [{ dev: { kind: 'unreadable', name: 'd', sentence: 'It is a picture.' } }, 'ownDev', 'It is a picture.'],
  ])('refuses %j', (change, field, part) => {
    const problems: Record<string, string> = problemsOf(change);
    expect(Object.keys(problems)).toContain(field);
    expect(problems[field]).toContain(part);
  });
});
