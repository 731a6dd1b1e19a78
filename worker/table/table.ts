import type { Encoding, Quoting, TableFormat } from '../api/tables.ts';

/** A table of any format, as its readers give it. */
export interface Table {
  readonly name: string;
  readonly format: TableFormat;
  readonly columns: readonly string[];
  /** Columns whose name is not the file's: it had none, or one twice. */
  readonly renamedColumns: readonly string[];
  readonly text: {
    readonly encoding: Encoding | null;
    readonly wideCharacters: number;
    readonly unreadableBytes: number;
    readonly unreadableLines: readonly number[];
    readonly delimiter: string | null;
    readonly quoting: Quoting | null;
  };
  /** Every row of the file, once and in its order, read anew each time. A row is good until the next one is asked for. */
  rows(): Iterable<Row>;
}

export interface Row {
  /** The line on which it begins, from 1; of Parquet, its number. */
  readonly line: number;
  /** Why it cannot be read, or null. */
  readonly fault: Fault | null;
  /** The text of a column; '' where there is none. */
  cell(column: number): string;
}

/** `reason` is one of few; what was there in particular is `example`. */
export interface Fault {
  readonly reason: string;
  readonly example: string | null;
}
