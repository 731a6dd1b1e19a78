import type { BadRow } from '../api/tables.ts';
/** Tables as text: CSV by RFC 4180, TSV with or without quotes, and what spreadsheets make of them. */

export const DELIMITERS = [',', '\t', ';', '|'] as const;

export interface TableDialect {
  readonly delimiter: (typeof DELIMITERS)[number];
  /** Whether a field may stand in double quotes, "" meaning one. GLUE's own files have none: there a quote is a character like others. */
  readonly quoted: boolean;
}

export interface TableRow {
  readonly line: number;
  readonly fields: readonly string[];
}

export interface Table {
  readonly dialect: TableDialect;
  /** The first row. */
  readonly header: readonly string[];
  /** Rows with as many fields as the header. */
  readonly rows: readonly TableRow[];
  /** All others, with the reason. Blank lines are no rows. */
  readonly bad: readonly BadRow[];
}

/** Text of a file: UTF-8 or UTF-16 by its byte-order mark, UTF-8 without one, and what is not UTF-8 as Windows-1252. */
export function decodeText(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

/**
 * Reads a table whose first row names its columns, or one without such a row whose columns `names` gives. Never throws: what cannot be
 * read is in `bad`.
 */
export function parseTable(
  text: string,
  dialect: TableDialect = detectDialect(text),
  names?: readonly string[],
): Table {
  const { records, bad } = readRecords(text, dialect);
  const [first, ...rest] = records;
  const header = names ?? first?.fields.map((name) => name.trim()) ?? [];
  const rows: TableRow[] = [];
  for (const row of names ? records : rest) {
    if (row.fields.length === header.length) rows.push(row);
    else bad.push({ line: row.line, reason: `${fieldCount(row.fields.length)} instead of ${header.length}` });
  }
  return { dialect, header, rows, bad: bad.sort((a, b) => a.line - b.line) };
}

const fieldCount = (count: number) => `${count} ${count === 1 ? 'field' : 'fields'}`;

/** Enough to tell a dialect by. */
const SAMPLE_CHARACTERS = 64 * 1024;

/**
 * The dialect in which most of the table's beginning has the header's number of fields, at least two; with the fewest bad rows, then
 * the most columns. Quotes are read as such where they can be.
 */
export function detectDialect(text: string): TableDialect {
  const cut = text.length > SAMPLE_CHARACTERS;
  const sample = cut ? text.slice(0, text.lastIndexOf('\n', SAMPLE_CHARACTERS) + 1) : text;
  let best: { dialect: TableDialect; share: number; columns: number } | undefined;
  for (const quoted of sample.includes('"') ? [true, false] : [true]) {
    for (const delimiter of DELIMITERS) {
      const dialect = { delimiter, quoted };
      const { header, rows, bad } = parseTable(sample, dialect);
      // A field cut in two by the sample's end is not the file's fault.
      const unread = cut && bad.at(-1)?.reason === UNCLOSED ? bad.length - 1 : bad.length;
      const share = header.length < 2 ? 0 : (rows.length + 1) / (rows.length + 1 + unread);
      const better = !best || share > best.share || (share === best.share && share > 0 && header.length > best.columns);
      if (better) best = { dialect, share, columns: header.length };
    }
  }
  return best && best.share > 0 ? best.dialect : { delimiter: ',', quoted: true };
}

const UNCLOSED = 'a quote that is never closed';

/** One pass over the characters. A broken row ends at its line's end, so that one bad quote does not swallow the rows after it. */
function readRecords(text: string, { delimiter, quoted }: TableDialect): { records: TableRow[]; bad: BadRow[] } {
  const records: TableRow[] = [];
  const bad: BadRow[] = [];
  let at = text.startsWith('\ufeff') ? 1 : 0;
  let line = 1;
  while (at < text.length) {
    const start = at;
    const startLine = line;
    const lineEnd = endOfLine(text, start);
    if (text.slice(start, lineEnd).trim() === '') {
      at = afterLine(text, lineEnd);
      line += 1;
      continue;
    }
    const read = quoted ? readQuotedRecord(text, start, delimiter) : null;
    if (read?.kind === 'bad') {
      bad.push({ line: startLine, reason: read.reason });
      at = afterLine(text, lineEnd);
      line += 1;
      continue;
    }
    const fields = read ? read.fields : text.slice(start, lineEnd).split(delimiter);
    records.push({ line: startLine, fields });
    const end = read ? read.end : lineEnd;
    line += 1 + lineBreaks(text, start, end);
    at = afterLine(text, end);
  }
  return { records, bad };
}

type QuotedRecord = { kind: 'row'; fields: string[]; end: number } | { kind: 'bad'; reason: string };

function readQuotedRecord(text: string, start: number, delimiter: string): QuotedRecord {
  const fields: string[] = [];
  let at = start;
  for (;;) {
    if (text[at] === '"') {
      let value = '';
      for (;;) {
        const close = text.indexOf('"', at + 1);
        if (close < 0) return { kind: 'bad', reason: UNCLOSED };
        value += text.slice(at + 1, close);
        at = close + 1;
        if (text[at] !== '"') break;
        value += '"';
      }
      fields.push(value);
      if (at < text.length && text[at] !== delimiter && text[at] !== '\n' && text[at] !== '\r')
        return { kind: 'bad', reason: 'text after a closing quote' };
    } else {
      const end = endOfField(text, at, delimiter);
      fields.push(text.slice(at, end));
      at = end;
    }
    if (text[at] !== delimiter) return { kind: 'row', fields, end: at };
    at += 1;
  }
}

function endOfLine(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== '\n' && text[at] !== '\r') at += 1;
  return at;
}

function endOfField(text: string, from: number, delimiter: string): number {
  let at = from;
  while (at < text.length && text[at] !== '\n' && text[at] !== '\r' && text[at] !== delimiter) at += 1;
  return at;
}

/** Behind the line break at `end`: "\n", "\r\n" or "\r". */
function afterLine(text: string, end: number): number {
  return text[end] === '\r' && text[end + 1] === '\n' ? end + 2 : end + 1;
}

function lineBreaks(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = from; at < to; at++) {
    if (text[at] === '\n' || (text[at] === '\r' && text[at + 1] !== '\n')) count += 1;
  }
  return count;
}
