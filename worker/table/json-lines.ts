import { quoted } from '../../signaling/protocol/text/visible.ts';
import type { DecodedText } from './bytes/encoding.ts';
import { columnNames, MAX_COLUMNS } from './column-names.ts';
import type { Fault, Row, Table } from './table.ts';

export const NO_OBJECT = 'not a JSON object';
export const TOO_DEEP = 'a value of lists and objects in each other, more than a hundred deep';
const MAX_DEPTH = 100;
const TOO_MANY_KEYS = 'more keys than a table has columns';

const OPEN_BRACE = 0x7b;
/** Lines that tell whether a file is JSON lines. */
const JUDGED_LINES = 20;

/** Whether most of the first lines are JSON objects. */
export function isJsonLines(utf8: Uint8Array): boolean {
  let judged = 0;
  let objects = 0;
  for (const { start, end } of linesOf(utf8)) {
    judged += 1;
    if (utf8[start] === OPEN_BRACE && objectOf(decode(utf8, start, end)) !== null) objects += 1;
    if (judged === JUDGED_LINES) break;
  }
  return objects > 0 && 2 * objects >= judged;
}

/** JSON that is not one object a line, in words; null for what is none. */
export function otherJson(utf8: Uint8Array): string | null {
  const head = new TextDecoder().decode(utf8.subarray(0, 4096)).trimStart();
  if (/^\[\s*([{["]|\])/.test(head)) return 'one JSON array';
  return /^\{\s*("[^"]*"\s*:|\})/.test(head) ? 'one JSON object' : null;
}

/** One JSON object a line; its keys are the columns, in the order in which they first appear. */
export function jsonLinesTable(name: string, { utf8, ...text }: DecodedText): Table {
  const keys = new Map<string, number>();
  for (const { start, end } of linesOf(utf8)) {
    const object = objectOf(decode(utf8, start, end));
    if (object === null) continue;
    for (const key of Object.keys(object)) if (!keys.has(key) && keys.size < MAX_COLUMNS) keys.set(key, keys.size);
  }
  const all = [...keys.keys()];
  const { columns, renamed } = columnNames(all);
  function* rows(): Generator<Row> {
    for (const { start, end, line } of linesOf(utf8)) {
      const source = decode(utf8, start, end);
      const object = objectOf(source);
      if (object === null) yield { line, fault: { reason: NO_OBJECT, example: source.slice(0, 40) }, cell: () => '' };
      else yield { line, fault: faultOf(object, keys), cell: (column) => cellText(object[all[column] ?? '']) };
    }
  }
  return {
    name,
    format: 'json-lines',
    columns,
    renamedColumns: renamed,
    text: { ...text, delimiter: null, quoting: null },
    rows,
  };
}

function faultOf(object: Readonly<Record<string, unknown>>, keys: ReadonlyMap<string, number>): Fault | null {
  if (Object.values(object).some(isTooDeep)) return { reason: TOO_DEEP, example: null };
  const unknown = keys.size < MAX_COLUMNS ? undefined : Object.keys(object).find((key) => !keys.has(key));
  return unknown === undefined ? null : { reason: TOO_MANY_KEYS, example: quoted(unknown) };
}

/** A cell writes its value as JSON again, which takes the stack as deep as the value is. */
function isTooDeep(value: unknown): boolean {
  let level = [value].filter(isNested);
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return true;
    level = level.flatMap((one) => Object.values(one)).filter(isNested);
  }
  return false;
}

const isNested = (value: unknown): value is object => typeof value === 'object' && value !== null;

function objectOf(source: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(source);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.assign(Object.create(null), value)
      : null;
  } catch {
    return null;
  }
}

/** A value as a cell: a text as it is, nothing for null, anything else as JSON writes it. */
export function cellText(value: unknown): string {
  if (typeof value === 'string') return wellFormed(value);
  if (value === undefined || value === null) return '';
  if (typeof value === 'object') return wellFormed(JSON.stringify(value) ?? '');
  return String(value);
}

/** "\ud800" in JSON is half a character. */
const wellFormed = (text: string): string =>
  text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd');

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const decode = (utf8: Uint8Array, start: number, end: number): string => decoder.decode(utf8.subarray(start, end));

/** Lines that are not blank. JSON's own strings hold no line breaks. */
function* linesOf(
  utf8: Uint8Array,
): Generator<{ readonly start: number; readonly end: number; readonly line: number }> {
  let line = 1;
  for (let at = 0; at < utf8.length; line++) {
    let start = at;
    while (at < utf8.length && utf8[at] !== 0x0a && utf8[at] !== 0x0d) at += 1;
    while (start < at && (utf8[start] === 0x20 || utf8[start] === 0x09)) start += 1;
    if (start < at) yield { start, end: at, line };
    at += utf8[at] === 0x0d && utf8[at + 1] === 0x0a ? 2 : 1;
  }
}
