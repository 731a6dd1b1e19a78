import { countText, listText } from '../../../signaling/protocol/words/lists.ts';
import { bytesText } from '../../../signaling/protocol/words/quantities.ts';
import type { NamedFile, OwnTaskRequest, TablePreview } from '../../../worker/api/tables.ts';

/** A person's own table as the form knows it: the file, what was found in it, and which column is what. */

export type TableFile =
  | { readonly kind: 'none' }
  | { readonly kind: 'reading'; readonly name: string }
  | { readonly kind: 'unreadable'; readonly name: string; readonly sentence: string }
  | { readonly kind: 'read'; readonly file: NamedFile; readonly preview: TablePreview };

export interface OwnTable {
  readonly title: string;
  readonly train: TableFile;
  /** Without one, a part of the training rows is set aside. */
  readonly dev: TableFile;
  /** Column names; '' where none is chosen. */
  readonly text: string;
  readonly pair: string;
  readonly label: string;
  readonly kind: OwnTaskRequest['kind'];
}

export const EMPTY_TABLE: OwnTable = {
  title: '',
  train: { kind: 'none' },
  dev: { kind: 'none' },
  text: '',
  pair: '',
  label: '',
  kind: 'classification',
};

/** More than a browser tab reads without stumbling. */
export const MAX_TABLE_BYTES = 512e6;

type Column = TablePreview['columns'][number];

const LABEL_NAME =
  /^(labels?|class|category|target|score|similarity|sentiment|rating|gold_label|is_duplicate|quality|y)$/i;
const SECOND_NAME = /^(sentence_?2|text_?(2|b)|question_?2|hypothesis|pair|#2 string)$/i;
const TEXT_NAME =
  /^(text(_?(1|a))?|sentence(_?1)?|premise|question(_?1)?|review|comment|body|content|message|#1 string)$/i;
const INDEX_NAME = /^(id|idx|index|no|nr|#|.*_id|.* id)$/i;

/** The columns that a table most likely means, for the person to put right. */
export function guessColumns({ columns }: TablePreview): Pick<OwnTable, 'text' | 'pair' | 'label' | 'kind'> {
  const useful = columns.filter(({ name }) => !INDEX_NAME.test(name));
  const label =
    useful.find(({ name }) => LABEL_NAME.test(name)) ??
    useful.toReversed().find((column) => column.classNames !== null && column.classNames.length > 1) ??
    useful.toReversed().find((column) => column.numeric);
  const texts = useful.filter((column) => column !== label);
  const text =
    texts.find(({ name }) => TEXT_NAME.test(name)) ??
    texts.filter(({ name }) => !SECOND_NAME.test(name)).toSorted((a, b) => meanLength(b) - meanLength(a))[0];
  const pair = texts.find((column) => column !== text && SECOND_NAME.test(column.name));
  return {
    text: text?.name ?? '',
    pair: pair?.name ?? '',
    label: label?.name ?? '',
    kind: label === undefined ? 'classification' : guessKind(label),
  };
}

const meanLength = ({ firstValues }: Column): number =>
  firstValues.reduce((sum, value) => sum + value.length, 0) / Math.max(1, firstValues.length);

/** A column of numbers with a fraction, or with more values than classes have, is a measure; anything else names classes. */
export function guessKind({ classNames, numeric }: Pick<Column, 'classNames' | 'numeric'>): OwnTable['kind'] {
  const measure = numeric && (classNames === null || classNames.some((value) => !Number.isInteger(Number(value))));
  return measure ? 'regression' : 'classification';
}

/** "reviews-2024.csv" is about "reviews 2024". */
export function titleOf(fileName: string): string {
  const words = fileName
    .replace(/\.[a-z0-9]+$/i, '')
    .replace(/[_-]+/g, ' ')
    .trim();
  return (words === '' ? 'My own task' : words).slice(0, 120);
}

const DELIMITER_WORDS: Readonly<Record<string, string>> = {
  ',': 'commas',
  '\t': 'tabs',
  ';': 'semicolons',
  '|': 'vertical bars',
};

/** What was found in a file: "1,200 rows and 3 columns, separated by commas; 12 kB." */
export function foundText(preview: TablePreview, bytes: number): string {
  const by = DELIMITER_WORDS[preview.delimiter] ?? `“${preview.delimiter}”`;
  const rows = preview.rowCount === 1 ? '1 row' : `${preview.rowCount.toLocaleString('en-US')} rows`;
  return `${rows} and ${countText(preview.columns.length, 'column', 'columns')}, separated by ${by}; ${bytesText(bytes)}.`;
}

/** Rows that will be left out: "2 rows will be left out."; empty when there are none. */
export function badRowsText(count: number): string {
  if (count === 0) return '';
  return `${count === 1 ? '1 row' : `${count.toLocaleString('en-US')} rows`} cannot be read and will be left out.`;
}

/** What the label column means: "3 classes: negative, neutral and positive." */
export function labelText(column: Column, kind: OwnTable['kind']): string {
  if (kind === 'regression') return 'The model learns to answer with this number.';
  const names = column.classNames;
  if (names === null) return 'More different values than classes can have.';
  const shown = names.slice(0, MAX_SHOWN_CLASSES);
  const more = names.length - shown.length;
  return `${countText(names.length, 'class', 'classes')}: ${listText(more > 0 ? [...shown, `${more} more`] : shown)}.`;
}

const MAX_SHOWN_CLASSES = 8;
const MAX_CLASS_NAME = 60;
const MAX_TITLE = 120;

export type OwnField = 'ownTitle' | 'ownTrain' | 'ownDev' | 'ownText' | 'ownPair' | 'ownLabel';

export type CheckedTable =
  | { readonly ok: true; readonly own: OwnTaskRequest }
  | { readonly ok: false; readonly problems: Readonly<Partial<Record<OwnField, string>>> };

/** The task that the choices make, or one sentence for each that is wrong. */
export function checkTable(table: OwnTable): CheckedTable {
  const problems: Partial<Record<OwnField, string>> = {};
  const train = readFile(table.train);
  if (typeof train === 'string') return { ok: false, problems: { ownTrain: train } };
  const { columns, rowCount } = train.preview;
  const column = (name: string): Column | undefined => columns.find((one) => one.name === name);
  const title = table.title.trim();
  if (title === '') problems.ownTitle = 'Say in a few words what the task is about.';
  else if (title.length > MAX_TITLE) problems.ownTitle = `At most ${MAX_TITLE} characters; these are ${title.length}.`;
  if (columns.length < 2)
    problems.ownTrain = 'A table needs at least two columns, a text and a label, and a first row that names them.';
  else if (rowCount < 2) problems.ownTrain = 'At least two rows that can be read are needed, to train and to evaluate.';
  if (column(table.text) === undefined) problems.ownText = 'Choose the column that holds the text.';
  const label = column(table.label);
  if (label === undefined) problems.ownLabel = 'Choose the column that holds the label.';
  else if (table.label === table.text) problems.ownLabel = 'The label must be another column than the text.';
  else {
    const wrong = labelProblem(label, table.kind);
    if (wrong !== undefined) problems.ownLabel = wrong;
  }
  if (table.pair !== '' && (table.pair === table.text || table.pair === table.label))
    problems.ownPair = 'The second text must be a column of its own.';
  const needed = [table.text, table.pair, table.label].filter((name) => name !== '');
  const dev = table.dev.kind === 'none' ? null : readFile(table.dev);
  if (typeof dev === 'string') problems.ownDev = dev;
  else if (dev !== null) {
    const missing = needed.filter((name) => dev.preview.columns.every((one) => one.name !== name));
    if (missing.length > 0)
      problems.ownDev = `This file has no column ${listText(missing.map((name) => `“${name}”`))}; it needs the same columns as the training file.`;
  }
  if (Object.keys(problems).length > 0) return { ok: false, problems };
  return {
    ok: true,
    own: {
      title,
      train: train.file,
      dev: dev === null || typeof dev === 'string' ? null : dev.file,
      columns: { text: table.text, pair: table.pair === '' ? null : table.pair, label: table.label },
      kind: table.kind,
    },
  };
}

function readFile(file: TableFile): Extract<TableFile, { kind: 'read' }> | string {
  switch (file.kind) {
    case 'none':
      return 'Choose a CSV or TSV file whose first row names the columns.';
    case 'reading':
      return `${file.name} is still being read; try again in a moment.`;
    case 'unreadable':
      return file.sentence;
    case 'read':
      return file;
  }
}

function labelProblem({ name, classNames, numeric }: Column, kind: OwnTable['kind']): string | undefined {
  if (kind === 'regression') return numeric ? undefined : `“${name}” holds words; choose classes, or another column.`;
  if (classNames === null)
    return `“${name}” has more different values than classes can have; choose a number, or another column.`;
  if (classNames.length < 2) return `“${name}” has one value only; there must be two classes at least.`;
  const long = classNames.find((one) => one.length > MAX_CLASS_NAME);
  return long === undefined
    ? undefined
    : `“${name}” holds a label of ${long.length} characters; a class name has ${MAX_CLASS_NAME} at most.`;
}
