import type { Quoting } from '../../api/tables.ts';
import { type Dialect, RecordReader } from './records.ts';
import { TableError } from './table-error.ts';

/**
 * Which dialect a text file is written in, found from the file itself. The delimiter shows in the file's beginning; what a quote means
 * shows only in the whole file, because the one row that tells may be the last.
 */

export const DELIMITERS = [',', '\t', ';', '|'] as const;
const BACKSLASH = 0x5c;
const QUOTE = 0x22;

export interface FoundDialect {
  readonly dialect: Dialect;
  /** Where the table begins, behind a `sep=` line, and on which line. */
  readonly start: number;
  readonly line: number;
}

/** Enough to tell a delimiter by. */
const SAMPLE_BYTES = 64 * 1024;

/** The dialect of a text. A `delimiter` that is given (a `sep=` line's, GLUE's) is taken if the file has it. */
export function findDialect(utf8: Uint8Array): FoundDialect {
  const said = separatorLine(utf8);
  const start = said?.end ?? 0;
  const line = said === null ? 1 : 2;
  const cut = utf8.length - start > SAMPLE_BYTES;
  const sample = cut ? wholeLines(utf8.subarray(start, start + SAMPLE_BYTES)) : utf8.subarray(start);
  const delimiter = (said && fits(sample, said.delimiter, cut) ? said.delimiter : null) ?? findDelimiter(sample, cut);
  return { dialect: findQuoting(utf8.subarray(start), delimiter), start, line };
}

function wholeLines(sample: Uint8Array): Uint8Array {
  const end = Math.max(sample.lastIndexOf(0x0a), sample.lastIndexOf(0x0d)) + 1;
  return end > 0 ? sample.subarray(0, end) : sample;
}

/** Excel's first line `sep=;`, which names the delimiter and is no row. */
function separatorLine(utf8: Uint8Array): { readonly delimiter: number; readonly end: number } | null {
  const head = new TextDecoder().decode(utf8.subarray(0, 32));
  const found = /^"?sep=(\\t|[^\r\n])"?[ \t]*(\r\n|\r|\n)/iu.exec(head);
  if (found === null) return null;
  const character = found[1] === '\\t' ? '\t' : (found[1] ?? '');
  const code = character.charCodeAt(0);
  if (code > 0x7e || code === QUOTE)
    throw new TableError(`Its first line names "${character}" as the separator; use a comma, a semicolon or a tab.`);
  return { delimiter: code, end: found[0].length };
}

const fits = (sample: Uint8Array, delimiter: number, cut: boolean): boolean =>
  shareOf(sample, delimiter, cut).columns > 1;

/** The delimiter by which most of the beginning has the header's number of cells, at least two; of equals, the one with more columns. */
function findDelimiter(sample: Uint8Array, cut: boolean): number {
  let best = { delimiter: DELIMITERS[0].charCodeAt(0), share: 0, columns: 0 };
  for (const character of DELIMITERS) {
    const delimiter = character.charCodeAt(0);
    const { share, columns } = shareOf(sample, delimiter, cut);
    if (columns < 2) continue;
    if (share > best.share || (share === best.share && columns > best.columns)) best = { delimiter, share, columns };
  }
  return best.delimiter;
}

function shareOf(sample: Uint8Array, delimiter: number, cut: boolean): { share: number; columns: number } {
  let best = { share: 0, columns: 0 };
  for (const quoting of quotingsOf(sample, delimiter)) {
    const { rows, misfits, columns } = survey(sample, { delimiter, quoting, spanning: true }, cut);
    const share = (rows + 1) / (rows + misfits + 1);
    if (columns > 1 && (share > best.share || (share === best.share && columns > best.columns)))
      best = { share, columns };
  }
  return best;
}

/** What a file's records are like in a dialect. */
interface Survey {
  readonly columns: number;
  /** Records that have the header's number of cells, and those that do not. */
  readonly rows: number;
  readonly misfits: number;
  /** Cells in quotes. */
  readonly quotedCells: number;
  /** Records whose quotes cannot be read, and cells that hold a quote without standing in quotes. */
  readonly stray: number;
  /** The first of these alone. */
  readonly faults: number;
  /** Records over several lines that can only be one, and those whose every line would make a row. */
  readonly spans: number;
  readonly doubtful: number;
}

/** `cut` where the text goes on behind its end: quotes that are open there say nothing. */
function survey(utf8: Uint8Array, dialect: Dialect, cut = false): Survey {
  const reader = new RecordReader(utf8, dialect);
  const found = { columns: 0, rows: 0, misfits: 0, quotedCells: 0, stray: 0, faults: 0, spans: 0, doubtful: 0 };
  while (reader.next()) {
    if (reader.fault !== null && reader.ranOut && cut) break;
    found.quotedCells += reader.quotedCells;
    found.stray += reader.strayQuotes;
    if (reader.fault !== null) {
      found.stray += 1;
      found.faults += 1;
    }
    if (found.columns === 0) {
      reader.expectLikeThis();
      found.columns = Math.max(1, reader.named);
      continue;
    }
    if (reader.fault === null && reader.fits()) found.rows += 1;
    else found.misfits += 1;
    const lines = reader.lastLine - reader.line + 1;
    if (lines > 1) found[reader.linesLikeRows() === lines ? 'doubtful' : 'spans'] += 1;
  }
  return found;
}

/** So many records over several lines, with hardly a quote that is out of place, are no coincidence. */
const BELIEVED_SPANS = 4;

/**
 * What a quote means, from three readings of the whole file.
 *
 * Two lone quotes, the first at a cell's beginning and the second at another's end, enclose whole rows. A cell in quotes may do the same,
 * but then hardly each of its lines has exactly the header's number of cells. So lines inside quotes are believed where one of the file's
 * quoted cells can only be one, or where there are several and no quote is out of place. Quotes are characters where that reads as many
 * rows, and where no more cells stand properly in quotes than quotes stand out of place.
 */
function findQuoting(utf8: Uint8Array, delimiter: number): Dialect {
  const plain: Dialect = { delimiter, quoting: 'none', spanning: false };
  const candidates = quotingsOf(utf8, delimiter).filter((quoting) => quoting !== 'none');
  if (candidates.length === 0) return plain;
  const read = candidates.map((quoting) => settleSpanning(utf8, delimiter, quoting));
  // Of equals the first: doubled quotes.
  const best = read.reduce((a, b) =>
    b.found.rows > a.found.rows || (b.found.rows === a.found.rows && b.found.stray < a.found.stray) ? b : a,
  );
  if (!utf8.includes(QUOTE)) return best.found.rows > survey(utf8, plain).rows ? best.dialect : plain;
  const { stray, faults, quotedCells, rows } = best.found;
  if (stray < Math.max(1, quotedCells)) return best.dialect;
  const plainRows = survey(utf8, plain).rows;
  return plainRows > rows || (plainRows === rows && faults === 0 && stray > quotedCells) ? plain : best.dialect;
}

function settleSpanning(utf8: Uint8Array, delimiter: number, quoting: Quoting): { dialect: Dialect; found: Survey } {
  const dialect: Dialect = { delimiter, quoting, spanning: true };
  const found = survey(utf8, dialect);
  const { spans, doubtful, stray } = found;
  if (spans + doubtful === 0 || spans > 0 || (doubtful >= BELIEVED_SPANS && 10 * stray <= doubtful))
    return { dialect, found };
  const onLines = { ...dialect, spanning: false };
  return { dialect: onLines, found: survey(utf8, onLines) };
}

/** The readings that a text gives reason to try. */
function quotingsOf(utf8: Uint8Array, delimiter: number): readonly Quoting[] {
  const quotes = utf8.includes(QUOTE);
  const escapes = hasEscapes(utf8, delimiter);
  return [...(quotes ? (['doubled'] as const) : []), ...(escapes ? (['backslash'] as const) : []), 'none'];
}

/** Whether a backslash stands before something that it could be there for. */
function hasEscapes(utf8: Uint8Array, delimiter: number): boolean {
  for (let at = utf8.indexOf(BACKSLASH); at >= 0; at = utf8.indexOf(BACKSLASH, at + 1)) {
    const next = utf8[at + 1];
    if (next === QUOTE || next === delimiter || next === 0x0a || next === 0x0d) return true;
    if (next === BACKSLASH) at += 1;
  }
  return false;
}
