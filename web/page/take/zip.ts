import { crc32 } from '../../../signaling/protocol/exchange/checksum.ts';
import * as say from '../../words/take/take.ts';

/** A file for the archive; names are ASCII paths with forward slashes. */
export interface ArchiveFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const LOCAL_HEADER_BYTES = 30;
const CENTRAL_HEADER_BYTES = 46;
const END_BYTES = 22;
const MAX_BYTES = 2 ** 32 - 1;
/** 1980-01-01, the earliest date that the format knows: the same files always give the same archive. */
const DOS_DATE = 0x0021;

/**
 * A ZIP archive with its files stored as they are (APPNOTE 6.3.10, method 0): weights would not get smaller by deflating. In parts, to be
 * written one after the other, so that a large model is not held twice.
 * @throws Error above 4 GB, which the format's plain form cannot say.
 */
export function zip(files: readonly ArchiveFile[]): readonly Uint8Array[] {
  const entries = files.map(({ name, bytes }) => ({ name: new TextEncoder().encode(name), bytes }));
  const bodyBytes = entries.reduce((sum, e) => sum + LOCAL_HEADER_BYTES + e.name.length + e.bytes.length, 0);
  const centralBytes = entries.reduce((sum, e) => sum + CENTRAL_HEADER_BYTES + e.name.length, 0);
  if (bodyBytes + centralBytes > MAX_BYTES) throw new Error(say.theArchiveWouldHaveMore);
  const parts: Uint8Array[] = [];
  const directory = new Uint8Array(centralBytes + END_BYTES);
  const end = new DataView(directory.buffer);
  let at = 0;
  let central = 0;
  for (const { name, bytes } of entries) {
    const crc = crc32(bytes);
    const local = new Uint8Array(LOCAL_HEADER_BYTES + name.length);
    const header = new DataView(local.buffer);
    header.setUint32(0, 0x04034b50, true);
    describe(header, 4, name.length, bytes.length, crc);
    local.set(name, LOCAL_HEADER_BYTES);
    parts.push(local, bytes);
    end.setUint32(central, 0x02014b50, true);
    end.setUint16(central + 4, 20, true);
    describe(end, central + 6, name.length, bytes.length, crc);
    end.setUint32(central + 42, at, true);
    directory.set(name, central + CENTRAL_HEADER_BYTES);
    at += local.length + bytes.length;
    central += CENTRAL_HEADER_BYTES + name.length;
  }
  end.setUint32(central, 0x06054b50, true);
  end.setUint16(central + 8, entries.length, true);
  end.setUint16(central + 10, entries.length, true);
  end.setUint32(central + 12, centralBytes, true);
  end.setUint32(central + 16, bodyBytes, true);
  return [...parts, directory];
}

/** The fields that both headers share: version needed, flags, method, time, date, CRC, sizes, name length. */
function describe(view: DataView, offset: number, nameBytes: number, sizeBytes: number, crc: number): void {
  view.setUint16(offset, 20, true);
  view.setUint16(offset + 8, DOS_DATE, true);
  view.setUint32(offset + 10, crc, true);
  view.setUint32(offset + 14, sizeBytes, true);
  view.setUint32(offset + 18, sizeBytes, true);
  view.setUint16(offset + 22, nameBytes, true);
}
