import type { TaskKind } from '../../signaling/protocol/scores.ts';

/** What a person's own file was read as, and what of it is used. Counts add up: rows are those used and those left out. */

export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';

/** What a double quote means: RFC 4180's, in which two stand for one; escaped by a backslash; or a character like others. */
export type Quoting = 'doubled' | 'backslash' | 'none';

export type TableFormat = 'delimited' | 'json-lines' | 'parquet';

/** Rows that were left out for one reason. */
export interface LeftOut {
  readonly reason: string;
  readonly count: number;
  /** Lines of the file on which they begin, from 1 (of Parquet, numbers of rows); the first thousand. */
  readonly lines: readonly number[];
  /** What stood there in the first of them, where that says more. */
  readonly example: string | null;
}

export interface TableReport {
  readonly name: string;
  readonly format: TableFormat;
  /** Rows below the header; blank lines are none. */
  readonly rows: number;
  readonly used: number;
  readonly leftOut: readonly LeftOut[];
  /** Null for Parquet. */
  readonly encoding: Encoding | null;
  /** Characters that are more than ASCII. */
  readonly wideCharacters: number;
  /** Bytes that are no character's. They spoil the cells that they stand in. */
  readonly unreadableBytes: number;
  /** The first lines with such bytes. */
  readonly unreadableLines: readonly number[];
  /** Both null where there are none. */
  readonly delimiter: string | null;
  readonly quoting: Quoting | null;
  readonly columns: readonly string[];
  /** Columns without a name or with one that was taken, and what they are called now. */
  readonly renamedColumns: readonly string[];
  /** In the order of their indices; empty where the label is a score, or no label was asked for. */
  readonly classes: readonly ClassCount[];
}

export interface ClassCount {
  readonly name: string;
  /** Rows of it. */
  readonly count: number;
}

/** Texts that are longer than a session's samples. */
export interface CutTexts {
  readonly cut: number;
  /** Of so many that were looked at; the first ones, where there are many. */
  readonly counted: number;
  readonly total: number;
  readonly maxTokens: number;
}

/** What a session's data was read as. */
export interface DataReport {
  /** A table of one's own, and the one to evaluate on; none for data that comes with its types. */
  readonly tables: readonly TableReport[];
  readonly cutTexts: CutTexts;
  /** A sentence: how texts become tokens, and whether exactly as for the model's own makers. */
  readonly tokenizer: string;
}

export interface NamedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface TextColumns {
  readonly text: string;
  /** Column of the second text; null in tasks of one text. */
  readonly pair: string | null;
}

export interface ColumnChoice extends TextColumns {
  readonly label: string;
}

/** A person's own task: tables whose first row, or whose keys, name the columns. */
export interface OwnTaskRequest {
  readonly title: string;
  readonly train: NamedFile;
  /** Null sets a tenth of the training rows aside. */
  readonly dev: NamedFile | null;
  readonly columns: ColumnChoice;
  /** Several labels of a cell are separated by |, else by ; or commas. */
  readonly kind: TaskKind;
}

/** What a page shows of a table, to let a person choose its columns. */
export interface TablePreview {
  /** Of the table alone: no column has been chosen. */
  readonly report: TableReport;
  readonly columns: readonly ColumnPreview[];
  /** The columns that the table most likely means, for the person to put right; '' where nothing fits. */
  readonly guess: { readonly text: string; readonly pair: string; readonly label: string };
}

export interface ColumnPreview {
  readonly name: string;
  readonly firstValues: readonly string[];
  readonly labels: LabelPreview;
}

/** What a column would be as labels. */
export interface LabelPreview {
  /** The different values, one for each number; null if there are more than classes can be. */
  readonly classNames: readonly string[] | null;
  /** Rows of each of them. */
  readonly classCounts: readonly number[] | null;
  /** Values that are numbers, in rows, and what else stands there. */
  readonly numbers: number;
  readonly others: number;
  /** Different numbers, counted to some thousands. */
  readonly differentNumbers: number;
  /**
   * `asked` where nothing but the person can say whether its many numbers are classes or a score; else what they are: words are classes,
   * as are a few whole numbers.
   */
  readonly kind: 'classes' | 'asked';
}
