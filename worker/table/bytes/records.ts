import type { Quoting } from '../../api/tables.ts';

/** How a text file's rows are cut into cells. */
export interface Dialect {
  /** One byte: all delimiters are ASCII. */
  readonly delimiter: number;
  readonly quoting: Quoting;
  /** Whether a quoted cell may hold line breaks. */
  readonly spanning: boolean;
}

export const UNCLOSED = 'a quote that is never closed';
export const AFTER_QUOTE = 'text after a closing quote';
export type RecordFault = typeof UNCLOSED | typeof AFTER_QUOTE;

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const TAB = 0x09;

/** Cells of a row beyond that are counted, not kept. */
export const MAX_CELLS = 4096;
/** A record of so many lines, each of which would be a row by itself, is no record: its first quote is a stray one. */
const SWALLOWED_LINES = 8;

const PLAIN = 0;
const QUOTED = 1;
const ESCAPED = 2;

/**
 * Walks over the records of a UTF-8 text, one after the other, in time and memory that do not depend on what is in them: offsets of the
 * cells in arrays that are used again, cells decoded only when asked for.
 *
 * A record that cannot be read ends with its first line, so that a quote that is never closed takes no row after it along. The lines
 * after it are then read a second time; that this adds up to one more walk over the file, not to one for each line, is what `#doomed` is
 * for. Inside an opened quote the walk no longer depends on where the record began, so every record that opens a quote where a failed one
 * did fails like it, without being walked to its end.
 */
export class RecordReader {
  readonly #bytes: Uint8Array;
  readonly #dialect: Dialect;
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  #at: number;
  #nextLine: number;
  #starts = new Uint32Array(64);
  #ends = new Uint32Array(64);
  #kinds = new Uint8Array(64);
  /** Where the present record opened quotes, to be remembered if it fails. */
  readonly #opened: number[] = [];
  /** One bit for each byte of the text: a quote opened there is known to lead nowhere. Made when first needed. */
  #doomed: Uint8Array | null = null;

  /** The line on which the record begins, from 1. */
  line = 0;
  /** Its last line. */
  lastLine = 0;
  fault: RecordFault | null = null;
  /** Also of a record that cannot be read: then those of its first line with its quotes as characters. */
  cellCount = 0;
  /** Where the record begins, and where it ends without its line break. */
  start = 0;
  end = 0;
  /** Cells in quotes, and others that hold a quote. */
  quotedCells = 0;
  strayQuotes = 0;
  /** Whether the reading met the end of the text inside quotes. */
  ranOut = false;
  /** Cells of the header up to its last name, and all of them; 0 until `expectLikeThis`. */
  named = 0;
  #headerCells = 0;

  constructor(bytes: Uint8Array, dialect: Dialect, at = 0, line = 1) {
    this.#bytes = bytes;
    this.#dialect = dialect;
    this.#at = at;
    this.#nextLine = line;
  }

  /** False at the end of the text. Lines of nothing but space are no records. */
  next(): boolean {
    const { quoting, delimiter } = this.#dialect;
    const bytes = this.#bytes;
    for (;;) {
      if (this.#at >= bytes.length) return false;
      let at = this.#at;
      while (bytes[at] === SPACE || (bytes[at] === TAB && delimiter !== TAB)) at += 1;
      if (at < bytes.length && bytes[at] !== LF && bytes[at] !== CR) break;
      this.#at = afterBreak(bytes, at);
      this.#nextLine += 1;
    }
    this.start = this.#at;
    this.line = this.#nextLine;
    this.lastLine = this.line;
    this.fault = null;
    this.ranOut = false;
    this.#reset();
    if (quoting === 'none') this.#readLine();
    else if (!this.#readRecord()) this.#readLine();
    else if (this.lastLine > this.line && this.#swallows()) this.#readLine();
    this.#at = afterBreak(bytes, this.end);
    this.#nextLine = this.lastLine + 1;
    return true;
  }

  #reset(): void {
    this.cellCount = 0;
    this.quotedCells = 0;
    this.strayQuotes = 0;
  }

  /** The text of a cell of the present record; empty beyond its last. */
  cell(index: number): string {
    if (index >= this.cellCount || index >= MAX_CELLS) return '';
    const kind = this.#kinds[index]!;
    const text = this.#decoder.decode(this.#bytes.subarray(this.#starts[index]!, this.#ends[index]!));
    if ((kind & ESCAPED) === 0) return text;
    return this.#dialect.quoting === 'backslash' ? unescaped(text) : text.replaceAll('""', '"');
  }

  /** Takes the present record for the header: all others should have as many cells. */
  expectLikeThis(): void {
    this.#headerCells = Math.min(this.cellCount, MAX_CELLS);
    this.named = this.#headerCells;
    while (this.named > 0 && this.#isEmpty(this.named - 1)) this.named -= 1;
  }

  /** The same for a text without a header. */
  expect(named: number, cells: number): void {
    this.named = named;
    this.#headerCells = cells;
  }

  /** Whether the record has a cell for each name, and nothing in those beyond the header's: a delimiter at a line's end does no harm. */
  fits(): boolean {
    if (this.cellCount < this.named || this.cellCount > MAX_CELLS) return false;
    for (let index = this.#headerCells; index < this.cellCount; index++) if (!this.#isEmpty(index)) return false;
    return true;
  }

  #isEmpty(index: number): boolean {
    return this.#starts[index] === this.#ends[index];
  }

  #push(start: number, end: number, kind: number): void {
    const index = this.cellCount;
    this.cellCount += 1;
    if (index >= MAX_CELLS) return;
    if (index >= this.#starts.length) this.#grow();
    this.#starts[index] = start;
    this.#ends[index] = end;
    this.#kinds[index] = kind;
  }

  #grow(): void {
    const size = 2 * this.#starts.length;
    const larger = <T extends Uint32Array | Uint8Array>(old: T, made: T): T => {
      made.set(old);
      return made;
    };
    this.#starts = larger(this.#starts, new Uint32Array(size));
    this.#ends = larger(this.#ends, new Uint32Array(size));
    this.#kinds = larger(this.#kinds, new Uint8Array(size));
  }

  /** The first line alone, a quote being a character. */
  #readLine(): void {
    this.#reset();
    const bytes = this.#bytes;
    const { delimiter } = this.#dialect;
    let at = this.start;
    let from = at;
    for (; at < bytes.length; at++) {
      const byte = bytes[at]!;
      if (byte === delimiter) {
        this.#push(from, at, PLAIN);
        from = at + 1;
      } else if (byte === LF || byte === CR) break;
    }
    this.#push(from, at, PLAIN);
    this.end = at;
    this.lastLine = this.line;
  }

  /** False with `fault` where the record cannot be read. */
  #readRecord(): boolean {
    const bytes = this.#bytes;
    const { delimiter, quoting, spanning } = this.#dialect;
    const backslash = quoting === 'backslash';
    const opened = this.#opened;
    opened.length = 0;
    let line = this.line;
    let at = this.start;
    for (;;) {
      let open = at;
      if (delimiter !== TAB) while (bytes[open] === SPACE) open += 1;
      if (bytes[open] === QUOTE) {
        if (this.#isDoomed(open)) return this.#fail(UNCLOSED, opened);
        if (spanning) opened.push(open);
        let kind = QUOTED;
        let close = open + 1;
        for (; close < bytes.length; close++) {
          const byte = bytes[close]!;
          if (byte === QUOTE) {
            if (bytes[close + 1] !== QUOTE) break;
            kind = QUOTED | ESCAPED;
            close += 1;
          } else if (byte === BACKSLASH && backslash) {
            kind = QUOTED | ESCAPED;
            // What is escaped is passed over, but a line break has to be counted.
            if (bytes[close + 1] !== LF && bytes[close + 1] !== CR) close += 1;
          } else if (byte === LF || byte === CR) {
            if (!spanning) return this.#fail(UNCLOSED, opened);
            if (byte === LF || bytes[close + 1] !== LF) line += 1;
          }
        }
        if (close >= bytes.length) {
          this.ranOut = true;
          return this.#fail(UNCLOSED, opened);
        }
        this.#push(open + 1, close, kind);
        this.quotedCells += 1;
        at = close + 1;
        while (bytes[at] === SPACE) at += 1;
        const next = bytes[at];
        if (at < bytes.length && next !== delimiter && next !== LF && next !== CR)
          return this.#fail(line === this.line ? AFTER_QUOTE : UNCLOSED, opened);
      } else {
        const from = at;
        let kind = PLAIN;
        let stray = false;
        for (; at < bytes.length; at++) {
          const byte = bytes[at]!;
          if (byte === delimiter || byte === LF || byte === CR) break;
          if (byte === QUOTE) stray = true;
          else if (byte === BACKSLASH && backslash && at + 1 < bytes.length) {
            kind = ESCAPED;
            at += 1;
            // A line break of two bytes is escaped as one.
            if (bytes[at] === CR && bytes[at + 1] === LF) at += 1;
            if (bytes[at] === LF || bytes[at] === CR) line += 1;
          }
        }
        if (stray) this.strayQuotes += 1;
        this.#push(from, at, kind);
      }
      if (bytes[at] !== delimiter || at >= bytes.length) break;
      at += 1;
    }
    this.end = at;
    this.lastLine = line;
    return true;
  }

  #fail(fault: RecordFault, opened: readonly number[]): false {
    this.fault = fault;
    if (opened.length > 0) {
      this.#doomed ??= new Uint8Array((this.#bytes.length >> 3) + 1);
      for (const at of opened) this.#doomed[at >> 3]! |= 1 << (at & 7);
    }
    return false;
  }

  #isDoomed(at: number): boolean {
    return this.#doomed !== null && (this.#doomed[at >> 3]! & (1 << (at & 7))) !== 0;
  }

  /**
   * Whether the quotes of a record over several lines took in rows that have nothing to do with it: all its lines are rows by
   * themselves, and many; or it does not fit the header, where some line of it would.
   */
  #swallows(): boolean {
    if (this.named === 0) return false;
    const lines = this.lastLine - this.line + 1;
    const swallows = this.fits()
      ? lines >= SWALLOWED_LINES && this.linesLikeRows() === lines
      : this.linesLikeRows() > 0;
    if (swallows) this.#fail(UNCLOSED, this.#opened);
    return swallows;
  }

  /** How many lines of the present record, with quotes as characters, have the header's number of cells. */
  linesLikeRows(): number {
    const bytes = this.#bytes;
    const { delimiter } = this.#dialect;
    const isRow = (cells: number): boolean => cells > 1 && cells >= this.named && cells <= this.#headerCells;
    let cells = 1;
    let count = 0;
    for (let at = this.start; at < this.end; at++) {
      const byte = bytes[at]!;
      if (byte === delimiter) cells += 1;
      else if (byte === LF || byte === CR) {
        if (byte === CR && bytes[at + 1] === LF) at += 1;
        if (isRow(cells)) count += 1;
        cells = 1;
      }
    }
    return count + (isRow(cells) ? 1 : 0);
  }
}

/** Behind the line break at `at`: "\n", "\r\n" or "\r". */
function afterBreak(bytes: Uint8Array, at: number): number {
  return bytes[at] === CR && bytes[at + 1] === LF ? at + 2 : at + 1;
}

/** A backslash before a quote, a backslash, a delimiter or a line break is not part of the text; any other one is: C:\new. */
function unescaped(text: string): string {
  return text.replace(
    /\\(["'\\,;|\t]|\r\n|\r|\n)|""/g,
    (all, character: string | undefined) => character ?? all.slice(1),
  );
}
