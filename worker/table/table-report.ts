import type { ClassCount, LeftOut, TableReport } from '../api/tables.ts';
import type { Fault, Table } from './table.ts';

/** Lines that are listed for a reason; beyond that they are only counted. */
const MAX_LINES = 1000;
const MAX_EXAMPLE = 60;

/** Counts the rows of a table, so that those used and those left out add up to all. */
export class RowCount {
  readonly #leftOut = new Map<string, { count: number; lines: number[]; example: string | null }>();
  rows = 0;
  used = 0;

  use(): void {
    this.rows += 1;
    this.used += 1;
  }

  leaveOut(line: number, { reason, example }: Fault): void {
    this.rows += 1;
    const known = this.#leftOut.get(reason);
    if (known === undefined) {
      const shown = example === null || example.length <= MAX_EXAMPLE ? example : `${example.slice(0, MAX_EXAMPLE)}…`;
      this.#leftOut.set(reason, { count: 1, lines: [line], example: shown });
      return;
    }
    known.count += 1;
    if (known.lines.length < MAX_LINES) known.lines.push(line);
  }

  report({ name, format, columns, renamedColumns, text }: Table, classes: readonly ClassCount[] = []): TableReport {
    const leftOut = [...this.#leftOut].map(([reason, rest]): LeftOut => ({ reason, ...rest }));
    return { name, format, rows: this.rows, used: this.used, leftOut, ...text, columns, renamedColumns, classes };
  }
}
