import type { TablePreview } from '../../api/tables.ts';
import type { Table } from '../table.ts';
import { RowCount } from '../table-report.ts';
import { guessColumns } from './guess-columns.ts';
import { LabelTally } from './labels.ts';

const PREVIEW_ROWS = 8;
/** A cell beyond that is no label, and too long for a page to show. */
const MAX_CELL = 1000;

/** What a page needs to let a person choose the columns of a file. */
export function previewTable(table: Table): TablePreview {
  const columns = table.columns.map((name) => ({ name, firstValues: [] as string[], tally: new LabelTally() }));
  const count = new RowCount();
  for (const row of table.rows()) {
    if (row.fault !== null) {
      count.leaveOut(row.line, row.fault);
      continue;
    }
    count.use();
    for (const [index, { firstValues, tally }] of columns.entries()) {
      if (tally.isFull && firstValues.length === PREVIEW_ROWS) continue;
      const value = row.cell(index).slice(0, MAX_CELL);
      if (firstValues.length < PREVIEW_ROWS) firstValues.push(value);
      tally.add(value);
    }
  }
  const shown = columns.map(({ name, firstValues, tally }) => ({ name, firstValues, labels: tally.preview() }));
  return { report: count.report(table), columns: shown, guess: guessColumns(shown) };
}
