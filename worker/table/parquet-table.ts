import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { TableError } from './bytes/table-error.ts';
import { columnNames } from './column-names.ts';
import { cellText } from './json-lines.ts';
import type { Row, Table } from './table.ts';

const MAGIC = [0x50, 0x41, 0x52, 0x31] as const;
/** A file may be small and hold much. */
const MAX_UNPACKED_BYTES = 2e9;
const MAX_ROWS = 2e7;

/** `whole` where the file begins and ends as Parquet does, `broken` where only its beginning is Parquet's and no text follows. */
export function parquetForm(bytes: Uint8Array): 'whole' | 'broken' | null {
  if (!MAGIC.every((byte, i) => bytes[i] === byte)) return null;
  if (bytes.length >= 12 && MAGIC.every((byte, i) => bytes[bytes.length - 4 + i] === byte)) return 'whole';
  const next = bytes[4];
  return next === undefined || next < 0x20 || next >= 0x80 ? 'broken' : null;
}

/** A Parquet file of a person's own. Its "lines" are numbers of rows, from 1. */
export async function parquetTable(name: string, bytes: Uint8Array): Promise<Table> {
  const file: AsyncBuffer = {
    byteLength: bytes.length,
    // A copy: what hyparquet is given has to begin at its buffer's start.
    slice: async (start, end = bytes.length) => Uint8Array.from(bytes.subarray(start, end)).buffer,
  };
  let objects: readonly Record<string, unknown>[];
  let metadata: FileMetaData;
  try {
    metadata = await parquetMetadataAsync(file);
    const unpacked = metadata.row_groups.reduce((sum, group) => sum + Number(group.total_byte_size), 0);
    const rows = Number(metadata.num_rows);
    if (unpacked > MAX_UNPACKED_BYTES || rows > MAX_ROWS)
      throw new RangeError(`it unpacks to ${rows} rows of ${Math.round(unpacked / 1e6)} MB in all`);
    objects = await parquetReadObjects({ file, metadata, compressors });
    if (objects.length !== rows) throw new RangeError(`it says that it has ${rows} rows, and has ${objects.length}`);
  } catch (error) {
    throw new TableError(`It is a Parquet file that cannot be read (${reasonOf(error)}).`);
  }
  const names = topColumns(metadata);
  const { columns, renamed } = columnNames(names);
  function* rows(): Generator<Row> {
    for (const [index, object] of objects.entries())
      yield { line: index + 1, fault: null, cell: (column) => valueText(object[names[column] ?? '']) };
  }
  const none = {
    encoding: null,
    wideCharacters: 0,
    unreadableBytes: 0,
    unreadableLines: [],
    delimiter: null,
    quoting: null,
  };
  return { name, format: 'parquet', columns, renamedColumns: renamed, text: none, rows };
}

/** What the library did not expect fails in its own code, in words that are about that. */
function reasonOf(error: unknown): string {
  if (error instanceof TypeError || error instanceof SyntaxError || !(error instanceof Error)) return 'it is damaged';
  return error.message;
}

/** The children of the schema's root. */
function topColumns({ schema }: FileMetaData): readonly string[] {
  const names: string[] = [];
  let at = 1;
  for (let child = 0; child < (schema[0]?.num_children ?? 0) && at < schema.length; child++) {
    names.push(schema[at]?.name ?? '');
    for (let open = 1; open > 0 && at < schema.length; at++) open += (schema[at]?.num_children ?? 0) - 1;
  }
  return names;
}

function valueText(value: unknown): string {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? '' : value.toISOString();
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  if (typeof value === 'object' && value !== null)
    return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? Number(inner) : inner)) ?? '';
  return cellText(value);
}
