import { visible } from '../../signaling/protocol/text/visible.ts';
import { decodeText } from './bytes/encoding.ts';
import { isBinaryData, knownForm } from './bytes/no-table.ts';
import { TableError } from './bytes/table-error.ts';
import { delimitedTable } from './delimited.ts';
import { isJsonLines, jsonLinesTable, otherJson } from './json-lines.ts';
import { parquetForm, parquetTable } from './parquet-table.ts';
import type { Table } from './table.ts';

const SAVE_AS = 'save the table as CSV, TSV, JSON lines or Parquet and choose that';

/**
 * A person's own file as a table, whatever format, encoding and dialect it is in; all of that is found from the file, never from its name.
 * Texts alone are one column, with labels two.
 * @throws TableError with one sentence that says what the file is, when it is no table.
 */
export async function readTable(name: string, bytes: Uint8Array, leastColumns: 1 | 2 = 2): Promise<Table> {
  const shown = visible(name);
  try {
    const table = await tableOf(name, bytes);
    if (table.columns.length < leastColumns)
      throw new TableError(
        `It is not a table with at least two columns; use CSV, TSV, JSON lines or Parquet, with names for the columns.`,
      );
    return table;
  } catch (error) {
    if (!(error instanceof TableError)) throw error;
    // The sentences below speak of "it".
    throw new TableError(error.message.replace(/^It /, `${shown} `).replace(/^Its /, `${shown}: its `));
  }
}

async function tableOf(name: string, bytes: Uint8Array): Promise<Table> {
  if (bytes.length === 0) throw new TableError('It is empty, not a table with at least two columns.');
  const parquet = parquetForm(bytes);
  if (parquet === 'whole') return parquetTable(name, bytes);
  if (parquet === 'broken') throw new TableError('It is a Parquet file whose end is missing; fetch it again.');
  refuse(knownForm(bytes));
  const text = decodeText(bytes);
  // Pages are also written in UTF-16.
  if (text.encoding !== 'utf-8') refuse(knownForm(text.utf8));
  if (isBinaryData(text.utf8)) refuse('binary data');
  if (isJsonLines(text.utf8)) return jsonLinesTable(name, text);
  const json = otherJson(text.utf8);
  if (json !== null) throw new TableError(`It is ${json}; write one object a line (JSON lines), or save it as CSV.`);
  return delimitedTable(name, text);
}

function refuse(what: string | null): void {
  if (what === null) return;
  throw new TableError(`It is ${what}${what.includes(';') ? '' : `, not a table as text; ${SAVE_AS}`}.`);
}
