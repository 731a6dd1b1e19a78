import { crc32 } from '../../signaling/protocol/checksum.ts';

/** A file for the archive; names are ASCII paths with forward slashes. */
export interface ArchiveFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const LOCAL_HEADER_BYTES = 30;
const CENTRAL_HEADER_BYTES = 46;
const END_BYTES = 22;
/** 1980-01-01, the earliest date that the format knows: the same files always give the same archive. */
const DOS_DATE = 0x0021;

/** A ZIP archive with its files stored as they are (APPNOTE 6.3.10, method 0): weights would not get smaller by deflating. */
export function zip(files: readonly ArchiveFile[]): Uint8Array<ArrayBuffer> {
  const entries = files.map((file) => ({
    name: new TextEncoder().encode(file.name),
    bytes: file.bytes,
    crc: crc32(file.bytes),
  }));
  const bodyBytes = entries.reduce((sum, e) => sum + LOCAL_HEADER_BYTES + e.name.length + e.bytes.length, 0);
  const centralBytes = entries.reduce((sum, e) => sum + CENTRAL_HEADER_BYTES + e.name.length, 0);
  const out = new Uint8Array(bodyBytes + centralBytes + END_BYTES);
  const view = new DataView(out.buffer);
  let at = 0;
  let central = bodyBytes;
  for (const { name, bytes, crc } of entries) {
    view.setUint32(at, 0x04034b50, true);
    describe(at + 4, name.length, bytes.length, crc);
    out.set(name, at + LOCAL_HEADER_BYTES);
    out.set(bytes, at + LOCAL_HEADER_BYTES + name.length);
    view.setUint32(central, 0x02014b50, true);
    view.setUint16(central + 4, 20, true);
    describe(central + 6, name.length, bytes.length, crc);
    view.setUint32(central + 42, at, true);
    out.set(name, central + CENTRAL_HEADER_BYTES);
    at += LOCAL_HEADER_BYTES + name.length + bytes.length;
    central += CENTRAL_HEADER_BYTES + name.length;
  }
  view.setUint32(central, 0x06054b50, true);
  view.setUint16(central + 8, entries.length, true);
  view.setUint16(central + 10, entries.length, true);
  view.setUint32(central + 12, centralBytes, true);
  view.setUint32(central + 16, bodyBytes, true);
  return out;

  /** The fields that both headers share: version needed, flags, method, time, date, CRC, sizes, name length. */
  function describe(offset: number, nameBytes: number, sizeBytes: number, crc: number): void {
    view.setUint16(offset, 20, true);
    view.setUint16(offset + 8, DOS_DATE, true);
    view.setUint32(offset + 10, crc, true);
    view.setUint32(offset + 14, sizeBytes, true);
    view.setUint32(offset + 18, sizeBytes, true);
    view.setUint16(offset + 22, nameBytes, true);
  }
}
