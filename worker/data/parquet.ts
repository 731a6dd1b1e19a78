import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import type { OpenFile } from '../files/open-file.ts';
import { DataError } from './data-error.ts';

/** Read from the end of a file in one go; a larger footer costs one more request. */
const FOOTER_GUESS_BYTES = 16 * 1024;

/** Bytes read so far of the bytes that the wanted columns take. */
export type BytesProgress = (done: number, total: number) => void;

/**
 * Some columns of a Parquet file, read by range requests: the footer, then each column's chunk, nothing else.
 * @throws SourceError when the file cannot be had; DataError when it is not Parquet or lacks a column.
 */
export async function readParquet(
  open: OpenFile,
  url: string,
  columns: readonly string[],
  progress: BytesProgress,
): Promise<readonly Record<string, unknown>[]> {
  const source = await open(url);
  let failure: unknown;
  let counted = 0;
  let total = 0;
  const file: AsyncBuffer = {
    byteLength: source.size,
    slice: async (start, end = source.size) => {
      try {
        const bytes = await source.read(start, end);
        counted += bytes.length;
        progress(Math.min(counted, total), total);
        return bytes.slice().buffer;
      } catch (error) {
        failure = error;
        throw error;
      }
    },
  };
  try {
    const metadata = await parquetMetadataAsync(file, { initialFetchSize: FOOTER_GUESS_BYTES });
    counted = 0;
    total = columnBytes(metadata, columns, url);
    return await parquetReadObjects({ file, metadata, columns: [...columns], compressors });
  } catch (error) {
    if (error === failure || error instanceof DataError) throw error;
    throw new DataError(
      `${url} is not a Parquet file that can be read (${error instanceof Error ? error.message : error}).`,
    );
  }
}

function columnBytes({ row_groups }: FileMetaData, wanted: readonly string[], url: string): number {
  const bytes = new Map<string, number>();
  for (const { meta_data } of row_groups.flatMap((group) => group.columns)) {
    const name = meta_data?.path_in_schema[0];
    if (meta_data && name) bytes.set(name, (bytes.get(name) ?? 0) + Number(meta_data.total_compressed_size));
  }
  return wanted.reduce((sum, name) => {
    const size = bytes.get(name);
    if (size === undefined)
      throw new DataError(`${url} has no column "${name}"; it has ${[...bytes.keys()].join(', ') || 'none'}.`);
    return sum + size;
  }, 0);
}
