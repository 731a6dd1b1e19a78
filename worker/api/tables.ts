/** A row that was left out of a task's data. */
export interface BadRow {
  /** Line of the file on which the row begins, from 1. */
  readonly line: number;
  readonly reason: string;
}

export interface NamedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A person's own task: tables as CSV or TSV, whose first row names the columns. */
export interface OwnTaskRequest {
  readonly title: string;
  readonly train: NamedFile;
  /** Null sets a tenth of the training rows aside. */
  readonly dev: NamedFile | null;
  readonly columns: { readonly text: string; readonly pair: string | null; readonly label: string };
  readonly kind: 'classification' | 'regression';
}

/** What a page shows of a table, to let a person choose its columns. */
export interface TablePreview {
  readonly delimiter: string;
  readonly rowCount: number;
  readonly badRowCount: number;
  /** The first of them. */
  readonly badRows: readonly BadRow[];
  readonly columns: readonly {
    readonly name: string;
    readonly firstValues: readonly string[];
    /** The different values, if there are few enough to be classes. */
    readonly classNames: readonly string[] | null;
    /** Whether the column could be a regression's target. */
    readonly numeric: boolean;
  }[];
}
