/** What a zip archive is: office documents, models and programs are such archives, and their entries' names tell which. */

const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const MAX_ENTRIES = 200;

const KINDS: readonly (readonly [name: RegExp, what: string])[] = [
  [/^xl\//, 'an Excel workbook (xlsx)'],
  [/^word\//, 'a Word document (docx)'],
  [/^ppt\//, 'a PowerPoint presentation (pptx)'],
  [/^Index\/.*\.iwa$/, 'a Numbers or Pages document'],
  [/^META-INF\/MANIFEST\.MF$/, 'a Java archive (jar)'],
  [/^AndroidManifest\.xml$/, 'an Android app (apk)'],
  [/\.npy$/, 'an archive of NumPy arrays (npz)'],
  [/(^|\/)data\.pkl$/, 'a PyTorch checkpoint'],
];

const MIME_KINDS: readonly (readonly [mime: string, what: string])[] = [
  ['application/vnd.oasis.opendocument.spreadsheet', 'an OpenDocument spreadsheet (ods)'],
  ['application/vnd.oasis.opendocument.text', 'an OpenDocument text (odt)'],
  ['application/vnd.oasis.opendocument.presentation', 'an OpenDocument presentation (odp)'],
  ['application/epub+zip', 'an e-book (epub)'],
];

/** What a zip archive's entries make it, or that it is one; null for what is no zip archive. */
export function archiveKind(bytes: Uint8Array): string | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 30 || view.getUint32(0, true) !== LOCAL_HEADER)
    return isEmptyArchive(bytes) ? 'a zip archive' : null;
  // OpenDocument and EPUB put their type first, and uncompressed.
  const head = ascii(bytes.subarray(30, 160));
  if (head.startsWith('mimetype')) {
    const kind = MIME_KINDS.find(([mime]) => head.slice(8).trimStart().startsWith(mime));
    if (kind !== undefined) return kind[1];
  }
  const names = entryNames(bytes, view);
  return KINDS.find(([name]) => names.some((entry) => name.test(entry)))?.[1] ?? 'a zip archive';
}

const isEmptyArchive = (bytes: Uint8Array): boolean =>
  bytes.length >= 22 && bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 5 && bytes[3] === 6;

/** From the directory at the file's end; of a file that was cut off, from the entries' own headers. */
function entryNames(bytes: Uint8Array, view: DataView): readonly string[] {
  const names: string[] = [];
  const from = directoryStart(view);
  if (from !== null) {
    for (let at = from; at + 46 <= bytes.length && names.length < MAX_ENTRIES; ) {
      if (view.getUint32(at, true) !== CENTRAL_HEADER) break;
      const length = view.getUint16(at + 28, true);
      names.push(ascii(bytes.subarray(at + 46, at + 46 + length)));
      at += 46 + length + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    }
  }
  for (let at = 0; at + 30 <= bytes.length && names.length < MAX_ENTRIES; at++) {
    at = bytes.indexOf(0x50, at);
    if (at < 0 || at + 30 > bytes.length || at > 1 << 20) break;
    if (view.getUint32(at, true) === LOCAL_HEADER)
      names.push(ascii(bytes.subarray(at + 30, at + 30 + view.getUint16(at + 26, true))));
  }
  return names;
}

/** Where the end record says that the directory begins. */
function directoryStart(view: DataView): number | null {
  const last = view.byteLength - 22;
  for (let at = last; at >= 0 && at > last - 65_536; at--) {
    if (view.getUint32(at, true) === 0x06054b50) {
      const start = view.getUint32(at + 16, true);
      return start < view.byteLength ? start : null;
    }
  }
  return null;
}

const ascii = (bytes: Uint8Array): string => String.fromCharCode(...bytes.subarray(0, 512));
