import type { Said } from '../said.ts';

// own-data.tsx
export const yourExamplesCsvTsvJson = 'Your examples: CSV, TSV, JSON lines or Parquet';
export const theFirstRow =
  'The first row, or the keys, name the columns. The file stays on this device; the devices that train get its rows as token ids, which anybody can turn back into text.';
export const examplesToScore = 'Examples to score with, if you keep them apart';
export const theSameColumnsWithout =
  'The same columns. Without this file a tenth of the rows is set aside, at most 1,000.';
export const doWithoutThisFile = 'Do without this file';
export const hasATabReads = (name: Said, size: Said, maxTableBytes: Said): string =>
  `${name} has ${size}; a tab reads ${maxTableBytes} at most.`;
export const theBrowserGaveNoReason = 'the browser gave no reason';
export const couldNotBeRead = (name: Said, why: Said): string => `${name} could not be read: ${why}`;
export const reading = (name: Said): string => `Reading ${name}…`;
export const chooseAColumn = 'Choose a column';
export const columnsOf0And1 = (flags: Said): string => `Columns of 0 and 1: ${flags}`;
export const text = 'Text';
export const secondText = 'Second text';
export const none = 'None';
export const label = 'Label';
export const theLabel = 'The label is';
export const chooseAClass = 'Choose: a class or a score';
export const aClass = 'A class';
export const aScore = 'A score';
export const anyOfSeveralLabels = 'Any of several labels';
export const whatTheTaskIsAbout = 'What the task is about';
export const everyoneInTheSessionSees = 'Everyone in the session sees it, and the names of the classes.';
export const secondTextWithin = 'second text';
export const theFirstRows = 'The first rows of your file';

// own-table.ts
export const myOwnTask = 'My own task';
export const column = 'column';
export const columns = 'columns';
export const and = (rows: Said, columns: Said, report: Said, bytes: Said): string =>
  `${rows} and ${columns}; ${report}; ${bytes}.`;
export const theModelLearnsToAnswer = 'The model learns to answer with this number.';
export const namesInOneCell =
  'Names in one cell are separated by a bar, a semicolon or a comma; an empty cell has none of them.';
export const differentNumbersStand = (differentNumbers: Said): string =>
  `${differentNumbers} different numbers stand in this column.`;
export const moreDifferentValuesThanClasses = 'More different values than classes can have.';
export const classWord = 'class';
export const classes = 'classes';
export const sayInAFewWords = 'Say in a few words what the task is about.';
export const atMostCharactersThese = (maxTitle: Said, title: Said): string =>
  `At most ${maxTitle} characters; these are ${title}.`;
export const aTableNeedsAtLeast =
  'A table needs at least two columns, a text and a label, and a first row that names them.';
export const atLeastTwoRows = 'At least two rows that can be read are needed, to train and to evaluate.';
export const chooseTheColumnThatHolds = 'Choose the column that holds the text.';
export const theLabelsMustBeOther = 'The labels must be other columns than the texts.';
export const severalColumnsAreAny = 'Several columns are any of several labels.';
export const chooseTheColumnThatHoldsTheLabel = 'Choose the column that holds the label.';
export const theLabelMustBeAnother = 'The label must be another column than the text.';
export const sayWhetherTheNumbers = (name: Said): string =>
  `Say whether the numbers of “${name}” are classes or a score.`;
export const theSecondTextMust = 'The second text must be a column of its own.';
export const thisFileHasNoColumn = (missing: Said): string =>
  `This file has no column ${missing}; it needs the same columns as the training file.`;
export const chooseATableCsv = 'Choose a table: CSV or TSV whose first row names the columns, JSON lines, or Parquet.';
export const isStillBeingReadTry = (name: Said): string => `${name} is still being read; try again in a moment.`;
export const holdsNumbersThatCannot = (name: Said, classNames: Said): string =>
  `“${name}” holds numbers that cannot be read, such as “${classNames}”; write 1.5.`;
export const holdsWordsChooseClasses = (name: Said): string =>
  `“${name}” holds words; choose classes, or another column.`;
export const hasMoreDifferentValuesThan = (name: Said): string =>
  `“${name}” has more different values than classes can have; choose a score, or another column.`;
export const hasOneValueOnlyThere = (name: Said): string =>
  `“${name}” has one value only; there must be two classes at least.`;
export const holdsALabelOfCharacters = (name: Said, long: Said, maxClassName: Said): string =>
  `“${name}” holds a label of ${long} characters; a class name has ${maxClassName} at most.`;
