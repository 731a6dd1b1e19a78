import type { HostRequest } from '../api/host-api.ts';
import type { TableReport } from '../api/tables.ts';
import { SourceError } from '../files/byte-source.ts';
import type { OpenFile } from '../files/open-file.ts';
import { DataError } from './data-error.ts';
import type { Example, ExampleSplits } from './example.ts';
import { glueTsvDevUrl, loadGlueTsv, orAbsent } from './glue-tsv.ts';
import { grammarTask } from './grammar-task.ts';
import { readOwnTask } from './own-task.ts';
import { type BytesProgress, readParquet } from './parquet.ts';
import { findTask, type GlueSource, type Task } from './tasks.ts';

/** Address of one split of GLUE below a hub's, in the layout that the hub itself has. */
export function glueUrl(endpoint: string, config: string, split: string): string {
  return `${endpoint.replace(/\/+$/, '')}/datasets/nyu-mll/glue/resolve/main/${config}/${split}-00000-of-00001.parquet`;
}

export interface SecondDev {
  /** For people. */
  readonly name: string;
  readonly examples: readonly Example[];
}

export interface LoadedTask {
  readonly task: Task;
  readonly examples: ExampleSplits;
  /** Null also where the data's source does not have it: a mirror may hold the first one alone. */
  readonly secondDev: SecondDev | null;
  /** What tables as text and a person's own were read as; none for data that comes with its types. */
  readonly tables: readonly TableReport[];
}

/**
 * The examples of a task, in the data's order. `endpoint` is a hub's address or that of GLUE's own archive, unpacked; the generated task
 * and a person's own need none.
 * @throws SourceError or DataError with one sentence when the data cannot be had or is not what the task needs.
 */
export async function loadTask(
  open: OpenFile,
  { id, endpoint, own }: HostRequest['task'],
  progress: BytesProgress,
): Promise<LoadedTask> {
  if (own) return { ...(await readOwnTask(own)), secondDev: null };
  if (id === 'own')
    throw new DataError('The data of an own task is kept nowhere but in its file; choose the file again.');
  const task = findTask(id);
  const { source } = task;
  if (source.kind !== 'glue') return { task, examples: grammarTask(), secondDev: null, tables: [] };
  const columns = [source.textColumn, ...(source.pairColumn === null ? [] : [source.pairColumn]), 'label'];
  const split = async (name: string, report: BytesProgress) => {
    const url = glueUrl(endpoint, source.config, name);
    const rows = await readParquet(open, url, columns, report);
    if (rows.length === 0) throw new DataError(`${url} has no rows.`);
    return rows.map((row, i) => readExample(row, source, task.labelCount, `${url}, row ${i}`));
  };
  // The small dev set first: a wrong address shows before the long download.
  let dev: readonly Example[];
  try {
    dev = await split(source.devSplit, () => {});
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    const tsv = await loadGlueTsv(open, source, endpoint).catch((tsvError: unknown) => {
      // No archive either: what the hub answered is the better sentence.
      throw tsvError instanceof SourceError ? error : tsvError;
    });
    return { task, ...tsv };
  }
  let secondDev: SecondDev | null = null;
  if (source.secondDev) {
    const { name } = source.secondDev;
    const examples = await split(source.secondDev.split, () => {}).catch(orAbsent);
    secondDev = examples && { name, examples };
  }
  return { task, examples: { train: await split('train', progress), dev }, secondDev, tables: [] };
}

/**
 * Asks whether a task's data can be had, by opening its dev set, which is fetched first, too. Nothing else is read.
 * @throws SourceError with one sentence when it cannot.
 */
export async function reachTask(open: OpenFile, { id, endpoint }: HostRequest['task']): Promise<void> {
  const { source } = findTask(id);
  if (source.kind !== 'glue') return;
  try {
    await open(glueUrl(endpoint, source.config, source.devSplit));
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    // What the hub answered is the better sentence where there is no archive either.
    await open(glueTsvDevUrl(source, endpoint)).catch(() => {
      throw error;
    });
  }
}

function readExample(row: Record<string, unknown>, source: GlueSource, labelCount: number, where: string): Example {
  const text = (column: string): string => {
    const value = row[column];
    if (typeof value !== 'string') throw new DataError(`${where}: "${column}" is not a text.`);
    return value;
  };
  const label = Number(row.label);
  const known = labelCount === 1 ? Number.isFinite(label) : Number.isInteger(label) && label >= 0 && label < labelCount;
  // Number(null) is 0: an unlabelled row must not pass as class 0.
  if (!known || (typeof row.label !== 'number' && typeof row.label !== 'bigint')) {
    const wanted = labelCount === 1 ? 'a number' : `a class from 0 to ${labelCount - 1}`;
    throw new DataError(`${where}: the label is ${row.label}; it must be ${wanted}.`);
  }
  return { text: text(source.textColumn), pair: source.pairColumn === null ? null : text(source.pairColumn), label };
}
