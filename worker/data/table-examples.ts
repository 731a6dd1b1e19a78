import { listed, quoted, visible } from '../../signaling/protocol/text/visible.ts';
import type { ColumnChoice, TableReport } from '../api/tables.ts';
import { type LabelReading, readLabel } from '../table/columns/labels.ts';
import { type FlagsReading, readFlags, readSeveral, type SeveralReading } from '../table/columns/several-labels.ts';
import type { Fault, Table } from '../table/table.ts';
import { RowCount } from '../table/table-report.ts';
import { DataError } from './data-error.ts';
import type { Example } from './example.ts';

export type AnyReading = LabelReading | SeveralReading | FlagsReading;

export interface TableExamples {
  readonly examples: readonly Example[];
  /** Rows used and rows left out. */
  readonly report: TableReport;
}

const EMPTY_TEXT = { reason: 'an empty text', example: null } as const;

/**
 * The examples of a table. Rows without a text or with a label that cannot be read are left out and counted.
 * @throws DataError when a column is missing or no row is left.
 */
export function tableExamples(table: Table, columns: ColumnChoice, labels: AnyReading): TableExamples {
  const examples: Example[] = [];
  const report = readExamples(table, columns, labels, (example) => examples.push(example));
  if (examples.length === 0)
    throw new DataError(`${visible(table.name)} has no row that can be used${firstReason(report)}.`);
  return { examples, report };
}

/**
 * The same for whoever keeps no examples.
 * @throws DataError when a column is missing.
 */
export function readExamples(
  table: Table,
  columns: ColumnChoice,
  labels: AnyReading,
  take: (example: Example, line: number) => void,
): TableReport {
  const text = columnIndex(table, columns.text);
  const pair = columns.pair === null ? null : columnIndex(table, columns.pair);
  const ofLabel = labels.kind === 'flags' ? labels.names : [columns.label];
  const label = ofLabel.map((name) => columnIndex(table, name));
  const count = new RowCount();
  const ofClass = labels.kind === 'number' ? [] : labels.names.map(() => 0);
  for (const row of table.rows()) {
    if (row.fault !== null) {
      count.leaveOut(row.line, row.fault);
      continue;
    }
    const texts = pair === null ? [row.cell(text)] : [row.cell(text), row.cell(pair)];
    const read = texts.some((value) => value.trim() === '')
      ? EMPTY_TEXT
      : labelOf(
          label.map((column) => row.cell(column)),
          labels,
        );
    if (typeof read === 'object' && 'reason' in read) {
      count.leaveOut(row.line, read);
      continue;
    }
    count.use();
    if (typeof read !== 'number') for (const [name, has] of read.entries()) ofClass[name]! += has;
    else if (labels.kind === 'classes') ofClass[read]! += 1;
    take({ text: texts[0]!, pair: texts[1] ?? null, label: read }, row.line);
  }
  const classes = ofClass.map((rows, index) => ({
    name: labels.kind === 'number' ? '' : labels.names[index]!,
    count: rows,
  }));
  return count.report(table, classes);
}

function labelOf(cells: readonly string[], labels: AnyReading): Example['label'] | Fault {
  if (labels.kind === 'flags') return readFlags(cells, labels);
  const [cell = ''] = cells;
  return labels.kind === 'several' ? readSeveral(cell, labels) : readLabel(cell, labels);
}

function firstReason({ leftOut, format }: TableReport): string {
  const [first] = leftOut;
  if (first === undefined) return '';
  const example = first.example === null ? '' : ` (${quoted(first.example)})`;
  return `; ${format === 'parquet' ? 'row' : 'line'} ${first.lines[0]}: ${first.reason}${example}`;
}

/** @throws DataError that names the columns there are. */
export function columnIndex(table: Pick<Table, 'name' | 'columns'>, column: string): number {
  const at = table.columns.indexOf(column);
  if (at < 0)
    throw new DataError(`${visible(table.name)} has no column ${quoted(column)}; it has ${listed(table.columns)}.`);
  return at;
}
