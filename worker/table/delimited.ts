import { type FoundDialect, findDialect } from './bytes/dialect.ts';
import { type DecodedText, decodeText } from './bytes/encoding.ts';
import { RecordReader } from './bytes/records.ts';
import { columnNames } from './column-names.ts';
import type { Fault, Row, Table } from './table.ts';

export const FEWER_CELLS = 'fewer cells than columns';
export const MORE_CELLS = 'more cells than columns';

/** Rows in which an unnamed last column is looked for something. */
const LOOKED_AT_ROWS = 1000;

/** CSV, TSV and their like. `names` are those of the columns of a file that does not begin with them. */
export function delimitedTable(
  name: string,
  decoded: DecodedText,
  found: FoundDialect = findDialect(decoded.utf8),
  names?: readonly string[],
): Table {
  const { utf8, ...text } = decoded;
  const { dialect, start, line } = found;
  const header = names ?? headerOf(utf8, found);
  const { columns, renamed } = columnNames(header);
  function* rows(): Generator<Row> {
    const reader = new RecordReader(utf8, dialect, start, line);
    if (names !== undefined) reader.expect(names.length, names.length);
    else if (reader.next()) reader.expectLikeThis();
    while (reader.next()) yield rowOf(reader);
  }
  return {
    name,
    format: 'delimited',
    columns,
    renamedColumns: renamed,
    text: { ...text, delimiter: String.fromCharCode(dialect.delimiter), quoting: dialect.quoting },
    rows,
  };
}

/** GLUE's own files and their like, whose dialect is known. */
export function knownDelimited(
  name: string,
  bytes: Uint8Array,
  delimiter: string,
  names: readonly string[] | undefined,
): Table {
  const dialect = { delimiter: delimiter.charCodeAt(0), quoting: 'none', spanning: false } as const;
  return delimitedTable(name, decodeText(bytes), { dialect, start: 0, line: 1 }, names);
}

function rowOf(reader: RecordReader): Row {
  const { line, fault, cellCount, named } = reader;
  const cell = (column: number): string => reader.cell(column);
  if (fault !== null) return { line, fault: { reason: fault, example: null }, cell };
  if (reader.fits()) return { line, fault: null, cell };
  const few = cellCount < named;
  const wrong: Fault = { reason: few ? FEWER_CELLS : MORE_CELLS, example: `${cellCount} instead of ${named}` };
  return { line, fault: wrong, cell };
}

/** Names of the columns; without those behind the last name that hold nothing: they are a delimiter at the line's end. */
function headerOf(utf8: Uint8Array, { dialect, start, line }: FoundDialect): readonly string[] {
  const reader = new RecordReader(utf8, dialect, start, line);
  if (!reader.next()) return [];
  reader.expectLikeThis();
  const { named } = reader;
  const names = Array.from({ length: reader.cellCount }, (_, index) => reader.cell(index));
  let used = Math.max(1, named);
  for (let row = 0; row < LOOKED_AT_ROWS && used < names.length && reader.next(); row++) {
    if (!reader.fits()) continue;
    for (let index = used; index < names.length; index++) if (reader.cell(index).trim() !== '') used = index + 1;
  }
  return names.slice(0, used);
}
