import type { BadRow } from '../api/tables.ts';
import { DataError } from './data-error.ts';
import type { Table } from './delimited.ts';
import type { Example } from './example.ts';

export interface TableColumns {
  readonly text: string;
  /** Column of the second text; null in tasks of one text. */
  readonly pair: string | null;
  readonly label: string;
}

/** What the label column holds: one of some names, whose order gives the classes' indices, or a number to predict. */
export type LabelReading =
  | { readonly kind: 'classes'; readonly names: readonly string[] }
  | { readonly kind: 'number' };

export interface TableExamples {
  readonly examples: readonly Example[];
  /** Rows that could not be used, those of the table included. */
  readonly bad: readonly BadRow[];
}

/**
 * The examples of a table. Rows without a text or with a label that cannot be read are counted as bad, with their line.
 * @throws DataError when a column is missing or no row is left.
 */
export function tableExamples(table: Table, columns: TableColumns, labels: LabelReading, name: string): TableExamples {
  const index = (column: string): number => {
    const at = table.header.indexOf(column);
    if (at < 0) throw new DataError(`${name} has no column "${column}"; it has ${table.header.join(', ') || 'none'}.`);
    return at;
  };
  const text = index(columns.text);
  const pair = columns.pair === null ? null : index(columns.pair);
  const label = index(columns.label);
  const bad = [...table.bad];
  const examples: Example[] = [];
  for (const { line, fields } of table.rows) {
    const read = readLabel(fields[label]!, labels);
    const texts = pair === null ? [fields[text]!] : [fields[text]!, fields[pair]!];
    if (texts.some((value) => value.trim() === '')) bad.push({ line, reason: 'an empty text' });
    else if (typeof read === 'string') bad.push({ line, reason: read });
    else examples.push({ text: fields[text]!, pair: pair === null ? null : fields[pair]!, label: read });
  }
  if (examples.length === 0) {
    const reason = bad[0] ? `; line ${bad[0].line}: ${bad[0].reason}` : '';
    throw new DataError(`${name} has no row that can be used${reason}.`);
  }
  return { examples, bad: bad.sort((a, b) => a.line - b.line) };
}

/** The label, or why it cannot be read. */
function readLabel(field: string, labels: LabelReading): number | string {
  const value = field.trim();
  if (value === '') return 'an empty label';
  if (labels.kind === 'classes') {
    const index = labels.names.indexOf(value);
    return index < 0 ? `an unknown label "${shortened(value)}"` : index;
  }
  const number = Number(value);
  return Number.isFinite(number) ? number : `a label that is not a number, "${shortened(value)}"`;
}

const shortened = (value: string) => (value.length > 30 ? `${value.slice(0, 30)}…` : value);

/**
 * The different labels of a column, whole numbers in their order, anything else in that of its characters: the same on every machine.
 * Stops counting at `limit + 1`.
 */
export function labelNames(table: Table, column: string, limit: number): readonly string[] {
  const at = table.header.indexOf(column);
  const names = new Set<string>();
  for (const { fields } of table.rows) {
    const value = fields[at]?.trim();
    if (value) names.add(value);
    if (names.size > limit) break;
  }
  const whole = [...names].every((name) => /^-?\d{1,9}$/.test(name));
  return [...names].sort(whole ? (a, b) => Number(a) - Number(b) : (a, b) => (a < b ? -1 : 1));
}
