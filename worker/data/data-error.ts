/** Data that cannot be used; the message is one sentence for the person who chose it. */
export class DataError extends Error {
  override readonly name = 'DataError';
}

/** A row that was left out of a task's data. */
export interface BadRow {
  /** Line of the file on which the row begins, from 1. */
  readonly line: number;
  readonly reason: string;
}
