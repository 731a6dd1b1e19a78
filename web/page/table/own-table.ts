import { flagOf, labelColumns } from '../../../signaling/protocol/text/label-columns.ts';
import { countText, listText } from '../../../signaling/protocol/words/lists.ts';
import { bytesText } from '../../../signaling/protocol/words/quantities.ts';
import type { NamedFile, OwnTaskRequest, TablePreview } from '../../../worker/api/tables.ts';
import { dialectText } from '../../session/view/data-words.ts';
import * as say from '../../words/start/table.ts';

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
  /** `asked` until the person has said what a column of many numbers is. */
  readonly kind: OwnTaskRequest['kind'] | 'asked';
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

/** The columns that a table most likely means, for the person to put right. */
export function guessedColumns({ columns, guess }: TablePreview): Pick<OwnTable, 'text' | 'pair' | 'label' | 'kind'> {
  const label = columns.find(({ name }) => name === guess.label);
  return { ...guess, kind: label === undefined ? 'classification' : guessKind(label) };
}

/** Words and a few whole numbers are classes; what many numbers are, only the person knows. */
export const guessKind = ({ labels }: Pick<Column, 'labels'>): OwnTable['kind'] =>
  labels.kind === 'asked' ? 'asked' : 'classification';

/** Columns of 0 and 1 beside each other, as one choice: "anger, joy, fear"; null where there are not several. */
export function flagColumns({ columns }: Pick<TablePreview, 'columns'>): string | null {
  const flags = columns.filter(
    ({ name, labels }) =>
      !name.includes(',') &&
      labels.others + labels.numbers > 0 &&
      labels.classNames?.every((value) => flagOf(value) !== null) === true,
  );
  return flags.length < 2 ? null : flags.map(({ name }) => name).join(', ');
}

/** "reviews-2024.csv" is about "reviews 2024". */
export function titleOf(fileName: string): string {
  const words = fileName
    .replace(/\.[a-z0-9]+$/i, '')
    .replace(/[_-]+/g, ' ')
    .trim();
  return (words === '' ? say.myOwnTask : words).slice(0, 120);
}

/** What was found in a file: "1,200 rows and 3 columns, separated by commas; 12 kB." */
export function foundText({ report }: TablePreview, bytes: number): string {
  const rows = report.rows === 1 ? '1 row' : `${report.rows.toLocaleString('en-US')} rows`;
  const columns = countText(report.columns.length, say.column, say.columns);
  return say.and(rows, columns, dialectText(report), bytesText(bytes));
}

/** What the label column means: "3 classes: negative, neutral and positive." */
export function labelText({ labels }: Column, kind: OwnTable['kind']): string {
  if (kind === 'regression') return say.theModelLearnsToAnswer;
  if (kind === 'multi-label') return say.namesInOneCell;
  const names = labels.classNames;
  if (kind === 'asked') return say.differentNumbersStand(labels.differentNumbers.toLocaleString('en-US'));
  if (names === null) return say.moreDifferentValuesThanClasses;
  const shown = names.slice(0, MAX_SHOWN_CLASSES);
  const more = names.length - shown.length;
  return `${countText(names.length, say.classWord, say.classes)}: ${listText(more > 0 ? [...shown, `${more} more`] : shown)}.`;
}

const MAX_SHOWN_CLASSES = 8;
const MAX_CLASS_NAME = 60;
const MAX_TITLE = 120;

export type OwnField = 'ownTitle' | 'ownTrain' | 'ownDev' | 'ownText' | 'ownPair' | 'ownLabel' | 'ownKind';

export type CheckedTable =
  | { readonly ok: true; readonly own: OwnTaskRequest }
  | { readonly ok: false; readonly problems: Readonly<Partial<Record<OwnField, string>>> };

/** The task that the choices make, or one sentence for each that is wrong. */
export function checkTable(table: OwnTable): CheckedTable {
  const problems: Partial<Record<OwnField, string>> = {};
  const train = readFile(table.train);
  if (typeof train === 'string') return { ok: false, problems: { ownTrain: train } };
  const { columns, report } = train.preview;
  const column = (name: string): Column | undefined => columns.find((one) => one.name === name);
  const title = table.title.trim();
  if (title === '') problems.ownTitle = say.sayInAFewWords;
  else if (title.length > MAX_TITLE) problems.ownTitle = say.atMostCharactersThese(MAX_TITLE, title.length);
  if (columns.length < 2) problems.ownTrain = say.aTableNeedsAtLeast;
  else if (report.used < 2) problems.ownTrain = say.atLeastTwoRows;
  if (column(table.text) === undefined) problems.ownText = say.chooseTheColumnThatHolds;
  const label = column(table.label);
  const several = labelColumns(report.columns, table.label);
  if (several !== null) {
    if (several.some((name) => name === table.text || name === table.pair))
      problems.ownLabel = say.theLabelsMustBeOther;
    else if (table.kind !== 'multi-label') problems.ownKind = say.severalColumnsAreAny;
  } else if (label === undefined) problems.ownLabel = say.chooseTheColumnThatHoldsTheLabel;
  else if (table.label === table.text) problems.ownLabel = say.theLabelMustBeAnother;
  else {
    const wrong = labelProblem(label, table.kind);
    if (wrong !== undefined) problems.ownLabel = wrong;
    else if (table.kind === 'asked') problems.ownKind = say.sayWhetherTheNumbers(label.name);
  }
  if (table.pair !== '' && (table.pair === table.text || table.pair === table.label))
    problems.ownPair = say.theSecondTextMust;
  const needed = [table.text, table.pair, ...(several ?? [table.label])].filter((name) => name !== '');
  const dev = table.dev.kind === 'none' ? null : readFile(table.dev);
  if (typeof dev === 'string') problems.ownDev = dev;
  else if (dev !== null) {
    const missing = needed.filter((name) => dev.preview.columns.every((one) => one.name !== name));
    if (missing.length > 0) problems.ownDev = say.thisFileHasNoColumn(listText(missing.map((name) => `“${name}”`)));
  }
  if (Object.keys(problems).length > 0 || table.kind === 'asked') return { ok: false, problems };
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
      return say.chooseATableCsv;
    case 'reading':
      return say.isStillBeingReadTry(file.name);
    case 'unreadable':
      return file.sentence;
    case 'read':
      return file;
  }
}

function labelProblem({ name, labels }: Column, kind: OwnTable['kind']): string | undefined {
  const { classNames, numbers } = labels;
  if (kind === 'asked' || kind === 'multi-label') return undefined;
  if (kind === 'regression') {
    if (numbers > 0) return undefined;
    return labels.kind === 'asked'
      ? say.holdsNumbersThatCannot(name, classNames?.[0] ?? '')
      : say.holdsWordsChooseClasses(name);
  }
  if (classNames === null) return say.hasMoreDifferentValuesThan(name);
  if (classNames.length < 2) return say.hasOneValueOnlyThere(name);
  const long = classNames.find((one) => one.length > MAX_CLASS_NAME);
  return long === undefined ? undefined : say.holdsALabelOfCharacters(name, long.length, MAX_CLASS_NAME);
}
