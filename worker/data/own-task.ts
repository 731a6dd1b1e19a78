import { metricsOf, type TaskKind } from '../../signaling/protocol/scores.ts';
import { labelColumns } from '../../signaling/protocol/text/label-columns.ts';
import { quoted, visible } from '../../signaling/protocol/text/visible.ts';
import type { OwnTaskRequest, TableReport } from '../api/tables.ts';
import { classReading, LabelTally, MAX_CLASS_NAME, MAX_TABLE_CLASSES } from '../table/columns/labels.ts';
import { severalReading } from '../table/columns/several-labels.ts';
import { readTable } from '../table/read-table.ts';
import type { Table } from '../table/table.ts';
import { DataError } from './data-error.ts';
import type { ExampleSplits } from './example.ts';
import { mixSeed, seededRandom, shuffledIndices } from './seeded-random.ts';
import { type AnyReading, columnIndex, tableExamples } from './table-examples.ts';
import type { Task } from './tasks.ts';

/** Without a dev file, this share of the rows is set aside, and at most so many. */
const DEV_SHARE = 0.1;
const MAX_DEV_ROWS = 1000;
/** The split does not depend on the session's seed: scores of several sessions are of the same rows. */
const SPLIT_SEED = 0x5eed;

export interface OwnTask {
  readonly task: Task;
  readonly examples: ExampleSplits;
  /** Of the training file, then of the dev file if there is one. */
  readonly tables: readonly TableReport[];
}

/**
 * A person's own task from their files. Classes are the different labels of the training file, in a fixed order.
 * @throws DataError or TableError with one sentence when the choice does not fit the files.
 */
export async function readOwnTask(request: OwnTaskRequest): Promise<OwnTask> {
  const { columns, kind } = request;
  const train = await readTable(request.train.name, request.train.bytes);
  const labels = labelReading(kind, train, columns.label);
  const trainRead = tableExamples(train, columns, labels);
  const devRead = request.dev && tableExamples(await readTable(request.dev.name, request.dev.bytes), columns, labels);
  const labelCount = labels.kind === 'number' ? 1 : labels.names.length;
  const [metric = 'accuracy', ...furtherMetrics] = metricsOf({ kind, labelCount });
  const task: Task = {
    id: 'own',
    title: request.title,
    kind,
    labelCount,
    classNames: labels.kind === 'number' ? [] : labels.names,
    metric,
    furtherMetrics,
    source: { kind: 'own' },
  };
  const examples = devRead
    ? { train: trainRead.examples, dev: devRead.examples }
    : setAside(trainRead.examples, request.train.name);
  return { task, examples, tables: [trainRead.report, ...(devRead ? [devRead.report] : [])] };
}

function labelReading(kind: TaskKind, table: Table, column: string): AnyReading {
  if (kind === 'regression') return { kind: 'number' };
  if (kind === 'classification') return classReading(classNames(table, column));
  const flags = labelColumns(table.columns, column);
  if (flags !== null) return flagsReading(flags);
  const at = columnIndex(table, column);
  const reading = severalReading(() => cells(table, at), MAX_TABLE_CLASSES);
  const shown = quoted(column);
  if (reading.names.length === 0) throw new DataError(`${shown} names no label.`);
  if (reading.names.length > MAX_TABLE_CLASSES)
    throw new DataError(`${shown} has more than ${MAX_TABLE_CLASSES} different labels; choose another column.`);
  const long = reading.names.find((name) => name.length > MAX_CLASS_NAME);
  if (long !== undefined)
    throw new DataError(
      `${shown} has a label of ${long.length} characters; at most ${MAX_CLASS_NAME} make a name. Separate several labels by |, ; or commas.`,
    );
  return reading;
}

/** @throws DataError when they are too many, or a name too long. */
export function flagsReading(names: readonly string[]): AnyReading {
  if (names.length > MAX_TABLE_CLASSES)
    throw new DataError(`${names.length} columns of labels are named; at most ${MAX_TABLE_CLASSES} can be.`);
  const long = names.find((name) => name.length > MAX_CLASS_NAME);
  if (long !== undefined)
    throw new DataError(
      `A column of labels is called ${quoted(long)}; at most ${MAX_CLASS_NAME} characters make a name.`,
    );
  return { kind: 'flags', names };
}

function* cells(table: Table, column: number): Iterable<string> {
  for (const row of table.rows()) if (row.fault === null) yield row.cell(column);
}

/**
 * The classes that a column names.
 * @throws DataError when they are none, or too many.
 */
export function classNames(table: Table, column: string): readonly string[] {
  const names = tallyLabels(table, column).classNames();
  const problem = classProblem(column, names);
  if (problem !== null) throw new DataError(problem);
  return names;
}

/** What a column holds as labels. @throws DataError when it is not there. */
export function tallyLabels(table: Table, column: string): LabelTally {
  const at = columnIndex(table, column);
  const tally = new LabelTally();
  for (const row of table.rows()) if (row.fault === null) tally.add(row.cell(at));
  return tally;
}

/** Why labels are no classes, or null. */
export function classProblem(column: string, names: readonly string[]): string | null {
  const shown = quoted(column);
  if (names.length > MAX_TABLE_CLASSES)
    return `${shown} has more than ${MAX_TABLE_CLASSES} different labels; choose another column, or a score.`;
  if (names.length < 2)
    return `${shown} has ${names.length === 1 ? 'one label alone' : 'no labels'}; there must be two.`;
  const long = names.find((label) => label.length > MAX_CLASS_NAME);
  return long === undefined
    ? null
    : `${shown} has a label of ${long.length} characters; at most ${MAX_CLASS_NAME} make a class name.`;
}

function setAside(all: ExampleSplits['train'], name: string): ExampleSplits {
  const devCount = Math.min(MAX_DEV_ROWS, Math.ceil(all.length * DEV_SHARE));
  if (all.length - devCount < 1)
    throw new DataError(
      `${visible(name)} has one row that can be used; at least two are needed to train and to evaluate.`,
    );
  const order = [...shuffledIndices(all.length, seededRandom(mixSeed(SPLIT_SEED, all.length)))];
  const dev = new Set(order.slice(0, devCount));
  return { train: all.filter((_, i) => !dev.has(i)), dev: all.filter((_, i) => dev.has(i)) };
}
