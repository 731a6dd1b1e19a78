import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { OwnTaskRequest } from '../../../worker/api/tables.ts';
import { labelColumns } from '../../protocol/text/label-columns.ts';
import { CommandError, oneOf } from '../command-line.ts';
import { LABEL_KINDS, labelKind, openTable, readTableBytes, taskKind } from '../own-table.ts';

/** What `demo` may be told of a table of one's own. */
export const TABLE_OPTIONS = {
  train: { type: 'string' },
  text: { type: 'string' },
  pair: { type: 'string' },
  label: { type: 'string' },
  labels: { type: 'string' },
  regression: { type: 'boolean' },
  'multi-label': { type: 'boolean' },
  dev: { type: 'string' },
} as const;

export const TABLE_HELP = `  --train FILE       a table of one's own (CSV or TSV, names in the first row) instead of a task
  --text COLUMN      its column with the text; --pair COLUMN where a second text belongs to it
  --label COLUMN     its column with the label
  --labels KIND      what a column of many different numbers is: classes, or a score to be predicted
  --regression       the same as --labels score
  --multi-label      a row has any of several labels, separated by |, ; or commas in one cell; or in columns of 0 and 1,
                     named as --label anger,joy,fear
  --dev FILE         another table to evaluate on (a tenth of the rows)
`;

type Values = Readonly<{
  [Name in keyof typeof TABLE_OPTIONS]?: (Name extends 'regression' | 'multi-label' ? boolean : string) | undefined;
}> & { readonly task?: string | undefined };

/** Null where none is named. @throws CommandError */
export async function readOwnTask(values: Values): Promise<OwnTaskRequest | null> {
  const { train, dev, text, pair, label, task, regression } = values;
  if (train === undefined) {
    const orphan = (['text', 'pair', 'label', 'dev', 'labels', 'regression', 'multi-label'] as const).find(
      (name) => values[name] !== undefined,
    );
    if (orphan !== undefined)
      throw new CommandError(`--${orphan} is about a table of one's own; give it with --train.`);
    return null;
  }
  if (regression && values['multi-label'])
    throw new CommandError('--regression and --multi-label are two ways to read labels; choose one.');
  const said = values.labels === undefined ? undefined : oneOf('labels', values.labels, LABEL_KINDS);
  if (said !== undefined && (regression || values['multi-label']))
    throw new CommandError('--labels, --regression and --multi-label are ways to read labels; choose one.');
  if (task !== undefined) throw new CommandError('--task and --train are two ways to say what is trained; choose one.');
  if (text === undefined || label === undefined)
    throw new CommandError('--train needs --text COLUMN and --label COLUMN, as the first row of the table names them.');
  const bytes = await readTableBytes(train);
  const table = await openTable(train, bytes);
  const several = values['multi-label'] === true || labelColumns(table.columns, label) !== null;
  const kind = several ? 'multi-label' : taskKind(regression ? 'score' : await labelKind(table, label, said));
  return {
    title: basename(train).slice(0, 120),
    train: { name: basename(train), bytes },
    dev: dev === undefined ? null : { name: basename(dev), bytes: await bytesOf(dev) },
    columns: { text, pair: pair ?? null, label },
    kind,
  };
}

export async function bytesOf(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const absent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw new CommandError(absent ? `There is no file "${path}".` : `"${path}" cannot be read.`);
  }
}
