import type { OpenFile } from '../model/model-files.ts';
import type { Example, ExampleSplits } from './example.ts';
import { grammarTask } from './grammar-task.ts';
import { type BytesProgress, DataError, readParquet } from './parquet.ts';
import type { GlueSource, Task } from './tasks.ts';

/** Address of one split of GLUE below a hub's, in the layout that the hub itself has. */
export function glueUrl(endpoint: string, config: string, split: string): string {
  return `${endpoint.replace(/\/+$/, '')}/datasets/nyu-mll/glue/resolve/main/${config}/${split}-00000-of-00001.parquet`;
}

/**
 * The examples of a task, in the data's order; `endpoint` is the hub's address, which the generated task does not need.
 * @throws SourceError or DataError with one sentence when the data cannot be had or is not what the task needs.
 */
export async function loadTask(
  open: OpenFile,
  task: Task,
  endpoint: string,
  progress: BytesProgress,
): Promise<ExampleSplits> {
  const { source } = task;
  if (source.kind === 'grammar') return grammarTask();
  const columns = [source.textColumn, ...(source.pairColumn === null ? [] : [source.pairColumn]), 'label'];
  const split = async (name: string, report: BytesProgress) => {
    const url = glueUrl(endpoint, source.config, name);
    const rows = await readParquet(open, url, columns, report);
    if (rows.length === 0) throw new DataError(`${url} has no rows.`);
    return rows.map((row, i) => readExample(row, source, task.labelCount, `${url}, row ${i}`));
  };
  // The small dev set first: a wrong address shows before the long download.
  const dev = await split(source.devSplit, () => {});
  return { train: await split('train', progress), dev };
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
