import { quoted, visible } from '../../../signaling/protocol/text/visible.ts';
import { listText, rangesText } from '../../../signaling/protocol/words/lists.ts';
import type { CutTexts, DataReport, LabelPreview, LeftOut, TableReport } from '../../../worker/api/tables.ts';
import * as say from '../../words/session/view.ts';

/** What a person is told of their data: what it was read as, what is used of it, and what is not. */

const number = (count: number): string => count.toLocaleString('en-US');
const countText = (count: number, one: string, many: string): string => `${number(count)} ${count === 1 ? one : many}`;

/** "40 rows, all of them used." or "40 rows: 38 used, 2 left out." */
export function rowsText({ rows, used }: Pick<TableReport, 'rows' | 'used'>): string {
  if (rows === 0) return say.noRowsBelowTheNames;
  const all = countText(rows, say.row, say.rows);
  if (used === rows) return rows === 1 ? say.n1RowUsed : say.allOfThemUsed(all);
  return say.usedLeftOut(all, number(used), number(rows - used));
}

const SHOWN_LINES = 12;

/** "2 rows: fewer cells than columns (1 instead of 3); lines 4, 9." */
export function leftOutText({ reason, count, lines, example }: LeftOut, format: TableReport['format']): string {
  const what = example === null ? reason : `${reason} (${visible(example)})`;
  return `${countText(count, say.row, say.rows)}: ${what}; ${linesText(lines, count, format)}.`;
}

/** "line 4", "lines 4-9, 12 and 380 more"; of Parquet, rows. */
function linesText(lines: readonly number[], count: number, format: TableReport['format']): string {
  const shown = lines.slice(0, SHOWN_LINES);
  const more = count - shown.length;
  const unit = format === 'parquet' ? 'row' : 'line';
  return `${unit}${count === 1 ? '' : 's'} ${rangesText(shown)}${more > 0 ? say.andMore(number(more)) : ''}`;
}

const DELIMITER_WORDS: Readonly<Record<string, string>> = {
  ',': 'commas',
  '\t': 'tabs',
  ';': 'semicolons',
  '|': say.verticalBars,
};

const QUOTING_WORDS: Readonly<Record<string, string>> = {
  doubled: say.cellsMayStandInQuotes,
  backslash: say.quotesAreEscaped,
  none: say.aQuoteIsACharacter,
};

/** "separated by tabs, a quote is a character"; "JSON lines"; "Parquet". */
export function dialectText({ format, delimiter, quoting }: TableReport): string {
  if (format === 'json-lines') return say.jsonLines;
  if (format === 'parquet' || delimiter === null || quoting === null) return say.parquet;
  return say.separatedBy(DELIMITER_WORDS[delimiter] ?? quoted(delimiter), QUOTING_WORDS[quoting]);
}

const UTF16 = { 'utf-16le': say.utf16LowByteFirst, 'utf-16be': say.utf16HighByteFirst } as const;

/** How bytes were taken for characters, with the counts that decided it; null where there was nothing to decide. */
export function encodingText({ encoding, wideCharacters, unreadableBytes }: TableReport): string | null {
  if (encoding === null || (wideCharacters === 0 && unreadableBytes === 0 && encoding === 'utf-8')) return null;
  if (encoding === 'windows-1252') return say.windows1252BeyondAscii(countText(wideCharacters, say.byte, say.bytes));
  if (encoding === 'utf-8') return say.utf8OfSeveralBytes(countText(wideCharacters, say.character, say.characters));
  return UTF16[encoding];
}

/** "1 byte belongs to no character and shows as � in its cell; line 40."; null where there is none. */
export function unreadableText({ unreadableBytes, unreadableLines }: TableReport): string | null {
  if (unreadableBytes === 0) return null;
  const lines = unreadableLines.slice(0, SHOWN_LINES);
  const where = lines.length === 0 ? '' : `; ${lines.length === 1 ? 'line' : 'lines'} ${rangesText(lines)}`;
  const more = unreadableLines.length > lines.length ? say.andFurtherOnes : '';
  return unreadableBytes === 1
    ? say.n1ByteBelongsToNo(where)
    : say.bytesBelongToNoCharacter(number(unreadableBytes), where, more);
}

/** Columns that had no name, or one that was taken; null where all had one. */
export function renamedText({ renamedColumns }: TableReport): string | null {
  if (renamedColumns.length === 0) return null;
  const names = listText(renamedColumns.slice(0, SHOWN_LINES).map(quoted));
  return renamedColumns.length === 1 ? say.aColumnWithoutAName(names) : say.columnsWithoutAName(names);
}

/** "12 of 400 texts are longer than 64 tokens; their ends are cut off."; null where none is. */
export function cutText({ cut, counted, total, maxTokens }: CutTexts): string | null {
  if (cut === 0) return null;
  const of =
    counted === total ? countText(total, say.text, say.texts) : say.theFirst(countText(counted, say.text, say.texts));
  const longer = cut === 1 ? say.isLongerThan : say.areLongerThan;
  return say.ofTokensCutOff(number(cut), of, longer, maxTokens, cut === 1 ? say.itsEnd : say.theirEnds);
}

/** Why nobody but the person can say what a column's numbers are. */
export function askedText(column: string, { differentNumbers, classNames }: LabelPreview): string {
  const many = say.holds(quoted(column), countText(differentNumbers, say.differentNumber, say.differentNumbers));
  return classNames === null ? say.tooManyForClasses(many) : say.whichMayBeClasses(many);
}

/** What of a session's data is not used as it is, a sentence for each; empty where all of it is. */
export function dataNotices({ tables, cutTexts }: DataReport): readonly string[] {
  const lossy = tables.filter(({ rows, used }) => used < rows);
  const cut = cutText(cutTexts);
  return [...lossy.map((table) => `${visible(table.name)}, ${rowsText(table)}`), ...(cut === null ? [] : [cut])];
}
