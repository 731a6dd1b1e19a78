import { quoted, visible } from '../../../signaling/protocol/text/visible.ts';
import { listText, rangesText } from '../../../signaling/protocol/words/lists.ts';
import type { CutTexts, DataReport, LabelPreview, LeftOut, TableReport } from '../../../worker/api/tables.ts';

/** What a person is told of their data: what it was read as, what is used of it, and what is not. */

const number = (count: number): string => count.toLocaleString('en-US');
const countText = (count: number, one: string, many: string): string => `${number(count)} ${count === 1 ? one : many}`;

/** "40 rows, all of them used." or "40 rows: 38 used, 2 left out." */
export function rowsText({ rows, used }: Pick<TableReport, 'rows' | 'used'>): string {
  if (rows === 0) return 'no rows below the names of its columns.';
  const all = countText(rows, 'row', 'rows');
  if (used === rows) return rows === 1 ? '1 row, used.' : `${all}, all of them used.`;
  return `${all}: ${number(used)} used, ${number(rows - used)} left out.`;
}

const SHOWN_LINES = 12;

/** "2 rows: fewer cells than columns (1 instead of 3); lines 4, 9." */
export function leftOutText({ reason, count, lines, example }: LeftOut, format: TableReport['format']): string {
  const what = example === null ? reason : `${reason} (${visible(example)})`;
  return `${countText(count, 'row', 'rows')}: ${what}; ${linesText(lines, count, format)}.`;
}

/** "line 4", "lines 4-9, 12 and 380 more"; of Parquet, rows. */
function linesText(lines: readonly number[], count: number, format: TableReport['format']): string {
  const shown = lines.slice(0, SHOWN_LINES);
  const more = count - shown.length;
  const unit = format === 'parquet' ? 'row' : 'line';
  return `${unit}${count === 1 ? '' : 's'} ${rangesText(shown)}${more > 0 ? ` and ${number(more)} more` : ''}`;
}

const DELIMITER_WORDS: Readonly<Record<string, string>> = {
  ',': 'commas',
  '\t': 'tabs',
  ';': 'semicolons',
  '|': 'vertical bars',
};

const QUOTING_WORDS: Readonly<Record<string, string>> = {
  doubled: 'cells may stand in quotes, two of which mean one',
  backslash: 'quotes are escaped by a backslash',
  none: 'a quote is a character',
};

/** "separated by tabs, a quote is a character"; "JSON lines"; "Parquet". */
export function dialectText({ format, delimiter, quoting }: TableReport): string {
  if (format === 'json-lines') return 'JSON lines';
  if (format === 'parquet' || delimiter === null || quoting === null) return 'Parquet';
  return `separated by ${DELIMITER_WORDS[delimiter] ?? quoted(delimiter)}, ${QUOTING_WORDS[quoting]}`;
}

const UTF16 = { 'utf-16le': 'UTF-16, low byte first', 'utf-16be': 'UTF-16, high byte first' } as const;

/** How bytes were taken for characters, with the counts that decided it; null where there was nothing to decide. */
export function encodingText({ encoding, wideCharacters, unreadableBytes }: TableReport): string | null {
  if (encoding === null || (wideCharacters === 0 && unreadableBytes === 0 && encoding === 'utf-8')) return null;
  if (encoding === 'windows-1252')
    return `Windows-1252: ${countText(wideCharacters, 'byte', 'bytes')} beyond ASCII, of which none makes a character of UTF-8`;
  if (encoding === 'utf-8') return `UTF-8: ${countText(wideCharacters, 'character', 'characters')} of several bytes`;
  return UTF16[encoding];
}

/** "1 byte belongs to no character and shows as � in its cell; line 40."; null where there is none. */
export function unreadableText({ unreadableBytes, unreadableLines }: TableReport): string | null {
  if (unreadableBytes === 0) return null;
  const lines = unreadableLines.slice(0, SHOWN_LINES);
  const where = lines.length === 0 ? '' : `; ${lines.length === 1 ? 'line' : 'lines'} ${rangesText(lines)}`;
  const more = unreadableLines.length > lines.length ? ' and further ones' : '';
  return unreadableBytes === 1
    ? `1 byte belongs to no character and shows as \ufffd in its cell${where}.`
    : `${number(unreadableBytes)} bytes belong to no character and show as \ufffd in their cells${where}${more}.`;
}

/** Columns that had no name, or one that was taken; null where all had one. */
export function renamedText({ renamedColumns }: TableReport): string | null {
  if (renamedColumns.length === 0) return null;
  const names = listText(renamedColumns.slice(0, SHOWN_LINES).map(quoted));
  return renamedColumns.length === 1
    ? `A column without a name of its own is called ${names}.`
    : `Columns without a name of their own are called ${names}.`;
}

/** "12 of 400 texts are longer than 64 tokens; their ends are cut off."; null where none is. */
export function cutText({ cut, counted, total, maxTokens }: CutTexts): string | null {
  if (cut === 0) return null;
  const of = counted === total ? countText(total, 'text', 'texts') : `the first ${countText(counted, 'text', 'texts')}`;
  const longer = cut === 1 ? 'is longer than' : 'are longer than';
  return `${number(cut)} of ${of} ${longer} ${maxTokens} tokens; ${cut === 1 ? 'its end is' : 'their ends are'} cut off.`;
}

/** Why nobody but the person can say what a column's numbers are. */
export function askedText(column: string, { differentNumbers, classNames }: LabelPreview): string {
  const many = `${quoted(column)} holds ${countText(differentNumbers, 'different number', 'different numbers')}`;
  return classNames === null ? `${many}, too many for classes` : `${many}, which may be classes or a score`;
}

/** What of a session's data is not used as it is, a sentence for each; empty where all of it is. */
export function dataNotices({ tables, cutTexts }: DataReport): readonly string[] {
  const lossy = tables.filter(({ rows, used }) => used < rows);
  const cut = cutText(cutTexts);
  return [...lossy.map((table) => `${visible(table.name)}, ${rowsText(table)}`), ...(cut === null ? [] : [cut])];
}
