import {
  dialectText,
  encodingText,
  leftOutText,
  renamedText,
  rowsText,
  unreadableText,
} from '../../web/session/view/data-words.ts';
import type { ColumnChoice, TablePreview, TableReport } from '../../worker/api/tables.ts';
import { classProblem, flagsReading } from '../../worker/data/own-task.ts';
import { columnIndex, readExamples } from '../../worker/data/table-examples.ts';
import { classReading, MAX_TABLE_CLASSES } from '../../worker/table/columns/labels.ts';
import { previewTable } from '../../worker/table/columns/preview.ts';
import type { Table } from '../../worker/table/table.ts';
import { labelColumns } from '../protocol/text/label-columns.ts';
import { quoted, visible } from '../protocol/text/visible.ts';
import { capitalised } from '../protocol/words/lists.ts';
import { oneOf, readArguments } from './command-line.ts';
import {
  asCommand,
  LABEL_KINDS,
  type LabelKind,
  labelKindOf,
  openTable,
  readTableBytes,
  tableReportJson,
} from './own-table.ts';

const HELP = `Usage: tabloom table FILE [options]

Says what a table of one's own is read as, without training: encoding, delimiter and quoting, the rows that would be used, and those that
would be left out, with reasons and lines.

  FILE            CSV, TSV, semicolons, JSON lines or Parquet; docs/tables.md tells how it is read
  --text COLUMN   its column with the text (guessed)
  --pair COLUMN   its column with a second text
  --label COLUMN  its column with the label (guessed); several columns of 0 and 1 with commas
  --labels KIND   what a column of many numbers is: ${LABEL_KINDS.join(' or ')}
  --json          print it as JSON
  --help          show this

Exit code 0 with a table, 2 when the file is none, or an option is missing or wrong.
`;

/** What `table` found; rows are those used and those left out. */
interface Finding {
  readonly report: TableReport;
  /** Null for a role that no column has. */
  readonly text: string | null;
  readonly pair: string | null;
  readonly label: string | null;
  readonly labels: LabelKind | 'several' | null;
  /** Why it cannot be trained on as it is, or null. */
  readonly problem: string | null;
}

export async function tableCommand(argv: string[]): Promise<number> {
  const { values, positionals } = readArguments(
    argv,
    {
      text: { type: 'string' },
      pair: { type: 'string' },
      label: { type: 'string' },
      labels: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
    { min: 1, max: 1, what: 'The file of a table' },
  );
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const said = values.labels === undefined ? undefined : oneOf('labels', values.labels, LABEL_KINDS);
  const [path = ''] = positionals;
  const table = await openTable(path, await readTableBytes(path));
  const finding = await asCommand(() => findingOf(table, values, said));
  process.stdout.write(values.json ? `${JSON.stringify(json(finding))}\n` : `${lines(finding).join('\n')}\n`);
  return 0;
}

const TOO_MANY_NAMES = Array.from({ length: MAX_TABLE_CLASSES + 1 }, String);

const fewRows = ({ used }: TableReport): string | null =>
  used < 2 ? 'Fewer than two rows can be used; training needs two.' : null;

type Named = Readonly<Partial<Record<'text' | 'pair' | 'label', string>>>;

function findingOf(table: Table, named: Named, said: LabelKind | undefined): Finding {
  const flags = named.label === undefined ? null : labelColumns(table.columns, named.label);
  for (const column of [named.text, named.pair, ...(flags ?? [named.label])])
    if (column !== undefined) columnIndex(table, column);
  const preview = previewTable(table);
  const { text, pair, label } = rolesOf(preview, named);
  if (flags !== null && text !== null && label !== null) {
    const report = readExamples(table, { text, pair, label }, flagsReading(flags), () => undefined);
    return { report, text, pair, label, labels: 'several', problem: fewRows(report) };
  }
  const column = preview.columns.find(({ name }) => name === label);
  if (column === undefined || text === null || label === null)
    return { report: preview.report, text, pair, label, labels: null, problem: missingRole(text) };
  const labels = labelKindOf(column, said);
  const names = column.labels.classNames;
  // More names than classes can be: no row's label is one of a class, and none is wrong for that.
  if (labels === 'classes' && names === null)
    return { report: preview.report, text, pair, label, labels, problem: classProblem(label, TOO_MANY_NAMES) };
  const reading = labels === 'score' ? ({ kind: 'number' } as const) : classReading(names ?? []);
  const choice: ColumnChoice = { text, pair, label };
  const report = readExamples(table, choice, reading, () => undefined);
  const noClasses = labels === 'score' ? null : classProblem(label, names ?? []);
  return { report, text, pair, label, labels, problem: noClasses ?? fewRows(report) };
}

/** The columns as named, and for the rest what they most likely are. */
function rolesOf({ guess, columns }: TablePreview, named: Named): Pick<Finding, 'text' | 'pair' | 'label'> {
  const taken = new Set(Object.values(named));
  const free = (name: string): string | null => (name === '' || taken.has(name) ? null : name);
  const label = named.label ?? free(guess.label);
  const text = named.text ?? free(guess.text) ?? columns.find(({ name }) => name !== label && !taken.has(name))?.name;
  const pair = named.pair ?? (named.text === undefined ? free(guess.pair) : null);
  return { text: text ?? null, pair, label };
}

const missingRole = (text: string | null): string =>
  text === null
    ? 'No column looks like the text; say which one it is with --text COLUMN.'
    : 'No column looks like the label; say which one it is with --label COLUMN.';

function json({ report, ...rest }: Finding) {
  return { ...tableReportJson(report), ...rest };
}

const MAX_SHOWN_CLASSES = 20;

function lines({ report, text, pair, label, labels, problem }: Finding): readonly string[] {
  const { format, leftOut, columns, classes } = report;
  const encoding = encodingText(report);
  const notes = [unreadableText(report), renamedText(report), problem];
  const shown = classes.slice(0, MAX_SHOWN_CLASSES).map(({ name, count }) => `${quoted(name)} ${count}`);
  const more = classes.length > shown.length ? `, and ${classes.length - shown.length} more` : '';
  const roles = Object.entries({ text, 'second text': pair, label }).filter(([, column]) => column !== null);
  return [
    `${visible(report.name)}: ${rowsText(report)}`,
    ...leftOut.map((one) => `  ${leftOutText(one, format)}`),
    `Read as ${dialectText(report)}${encoding === null ? '' : `; ${encoding}`}.`,
    `Columns: ${columns.map(quoted).join(', ')}.`,
    ...(roles.length === 0
      ? []
      : [`${capitalised(roles.map(([role, column]) => `${role} is ${quoted(column ?? '')}`).join(', '))}.`]),
    ...(labels === 'score'
      ? ['The label is a score.']
      : shown.length > 0
        ? [`Classes: ${shown.join(', ')}${more}.`]
        : []),
    ...notes.filter((note) => note !== null),
  ];
}
