import type { BadRow, OwnTaskRequest, TablePreview } from '../api/tables.ts';
import { DataError } from './data-error.ts';
import { decodeText, detectDialect, parseTable, type Table } from './delimited.ts';
import type { ExampleSplits } from './example.ts';
import { mixSeed, seededRandom, shuffledIndices } from './seeded-random.ts';
import { type LabelReading, labelNames, tableExamples } from './table-examples.ts';
import type { Task } from './tasks.ts';

/** More different labels than that are hardly classes. */
const MAX_CLASSES = 100;
const PREVIEW_ROWS = 8;
const PREVIEW_BAD_ROWS = 20;
/** Without a dev file, this share of the rows is set aside, and at most so many. */
const DEV_SHARE = 0.1;
const MAX_DEV_ROWS = 1000;
/** The split does not depend on the session's seed: scores of several sessions are of the same rows. */
const SPLIT_SEED = 0x5eed;

export interface OwnTask {
  readonly task: Task;
  readonly examples: ExampleSplits;
  /** Rows that were left out, of the training file, then of the dev file. */
  readonly bad: readonly BadRow[];
}

/** What a page needs to let a person choose the columns of a file. */
export function previewTable(bytes: Uint8Array): TablePreview {
  const { dialect, header, rows, bad } = parseTable(decodeText(bytes));
  return {
    delimiter: dialect.delimiter,
    rowCount: rows.length,
    badRowCount: bad.length,
    badRows: bad.slice(0, PREVIEW_BAD_ROWS),
    columns: header.map((name, column) => {
      const names = labelNames({ dialect, header, rows, bad }, name, MAX_CLASSES);
      return {
        name,
        firstValues: rows.slice(0, PREVIEW_ROWS).map(({ fields }) => fields[column]!),
        classNames: names.length <= MAX_CLASSES ? names : null,
        numeric: names.length > 0 && names.every((value) => Number.isFinite(Number(value))),
      };
    }),
  };
}

/**
 * A person's own task from their files. Classes are the different labels of the training file, in a fixed order.
 * @throws DataError with one sentence when the choice does not fit the files.
 */
export function readOwnTask(request: OwnTaskRequest): OwnTask {
  const { columns, kind } = request;
  const train = readTable(request.train.bytes, request.train.name);
  const labels: LabelReading =
    kind === 'regression'
      ? { kind: 'number' }
      : { kind: 'classes', names: classNames(train, columns.label, request.train.name) };
  const trainRead = tableExamples(train, columns, labels, request.train.name);
  const devFile = request.dev;
  const devRead = devFile
    ? tableExamples(readTable(devFile.bytes, devFile.name), columns, labels, devFile.name)
    : { examples: null, bad: [] };
  const task: Task = {
    id: 'own',
    title: request.title,
    labelCount: labels.kind === 'number' ? 1 : labels.names.length,
    classNames: labels.kind === 'number' ? [] : labels.names,
    metric: kind === 'regression' ? 'pearson' : 'accuracy',
    furtherMetric: kind === 'regression' ? 'spearman' : null,
    source: { kind: 'own' },
  };
  const examples = devRead.examples
    ? { train: trainRead.examples, dev: devRead.examples }
    : setAside(trainRead.examples, request.train.name);
  return { task, examples, bad: [...trainRead.bad, ...devRead.bad] };
}

function readTable(bytes: Uint8Array, name: string): Table {
  const text = decodeText(bytes);
  const table = parseTable(text, detectDialect(text));
  if (table.header.length < 2)
    throw new DataError(`${name} is not a table with at least two columns; use CSV or TSV with a first row of names.`);
  return table;
}

function classNames(table: Table, column: string, name: string): readonly string[] {
  if (!table.header.includes(column))
    throw new DataError(`${name} has no column "${column}"; it has ${table.header.join(', ')}.`);
  const names = labelNames(table, column, MAX_CLASSES);
  if (names.length > MAX_CLASSES)
    throw new DataError(
      `"${column}" has more than ${MAX_CLASSES} different labels; choose another column, or regression.`,
    );
  if (names.length < 2)
    throw new DataError(`"${column}" has ${names.length === 1 ? 'one label alone' : 'no labels'}; there must be two.`);
  const long = names.find((label) => label.length > 60);
  if (long) throw new DataError(`"${column}" has a label of ${long.length} characters; at most 60 make a class name.`);
  return names;
}

function setAside(all: ExampleSplits['train'], name: string): ExampleSplits {
  const devCount = Math.min(MAX_DEV_ROWS, Math.ceil(all.length * DEV_SHARE));
  if (all.length - devCount < 1)
    throw new DataError(`${name} has one row that can be used; at least two are needed to train and to evaluate.`);
  const order = [...shuffledIndices(all.length, seededRandom(mixSeed(SPLIT_SEED, all.length)))];
  const dev = new Set(order.slice(0, devCount));
  return { train: all.filter((_, i) => !dev.has(i)), dev: all.filter((_, i) => dev.has(i)) };
}
