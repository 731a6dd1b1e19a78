import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { askedText } from '../../web/session/view/data-words.ts';
import type { ColumnPreview, LabelPreview, OwnTaskRequest, TableReport } from '../../worker/api/tables.ts';
import { DataError } from '../../worker/data/data-error.ts';
import { tallyLabels } from '../../worker/data/own-task.ts';
import { TableError } from '../../worker/table/bytes/table-error.ts';
import { readTable } from '../../worker/table/read-table.ts';
import type { Table } from '../../worker/table/table.ts';
import { visible } from '../protocol/text/visible.ts';
import { CommandError } from './command-line.ts';

/** A table of one's own on the command line: read, and what its labels are, asked by naming the flag that answers. */

const MAX_TABLE_BYTES = 2 ** 30;

export const LABEL_KINDS = ['classes', 'score'] as const;
export type LabelKind = (typeof LABEL_KINDS)[number];

/** @throws CommandError with a sentence when the file is not there, or too large. */
export async function readTableBytes(path: string): Promise<Uint8Array> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw new CommandError(`${visible(path)} is a folder, not a table.`);
    if (found.size > MAX_TABLE_BYTES) throw new CommandError(`${visible(path)} is larger than 1 GiB.`);
    return await readFile(path);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    const absent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw new CommandError(absent ? `There is no file "${visible(path)}".` : `"${visible(path)}" cannot be read.`);
  }
}

/** @throws CommandError with one sentence when the file is no table. */
export const openTable = (path: string, bytes: Uint8Array): Promise<Table> =>
  asCommand(() => readTable(basename(path), bytes));

/** What is the person's to mend, as the command line says it. */
export async function asCommand<T>(body: () => T | Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof DataError || error instanceof TableError) throw new CommandError(error.message);
    throw error;
  }
}

/** What a column's labels are. @throws CommandError that names the flag where only the person can say. */
export async function labelKind(table: Table, column: string, said: LabelKind | undefined): Promise<LabelKind> {
  if (said !== undefined) return said;
  return settled(column, (await asCommand(() => tallyLabels(table, column))).preview());
}

/** The same from a preview. */
export const labelKindOf = ({ name, labels }: ColumnPreview, said: LabelKind | undefined): LabelKind =>
  said ?? settled(name, labels);

function settled(column: string, labels: LabelPreview): LabelKind {
  if (labels.kind === 'classes') return 'classes';
  const classes = labels.classNames === null ? '' : '--labels classes or ';
  throw new CommandError(`${askedText(column, labels)}; say which with ${classes}--labels score.`);
}

export const taskKind = (kind: LabelKind): OwnTaskRequest['kind'] =>
  kind === 'score' ? 'regression' : 'classification';

/** A report as JSON: names of the classes and their rows apart. */
export function tableReportJson({ classes, ...report }: TableReport) {
  return { ...report, classes: classes.map(({ name }) => name), classCounts: classes.map(({ count }) => count) };
}
