/**
 * Plain data as a text and back: JSON, with words for maps, bytes and numbers that it has none for, and for an object in which the mark
 * is a key, so that nobody's data is taken for one of ours.
 */

const MARK = '$';

/** The data of a value that JSON has no word for; of any other, the value. */
function marked(_key: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) return { [MARK]: 'number', of: String(value) };
  if (value instanceof Map) return { [MARK]: 'map', of: [...value] };
  if (value instanceof Uint8Array) return { [MARK]: 'bytes', of: [...value] };
  const isLikeOurs = typeof value === 'object' && value !== null && MARK in value;
  return isLikeOurs ? { [MARK]: 'object', of: Object.entries(value) } : value;
}

function unmarked(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !(MARK in value) || !('of' in value)) return value;
  const { [MARK]: word, of } = value;
  if (word === 'number') return Number(of);
  if (!Array.isArray(of)) return value;
  if (word === 'bytes') return Uint8Array.from(of, Number);
  const entries = of.map((entry: unknown): [unknown, unknown] =>
    Array.isArray(entry) ? [entry[0], entry[1]] : [0, 0],
  );
  return word === 'map' ? new Map(entries) : Object.fromEntries(entries.map(([key, its]) => [String(key), its]));
}

export const textOf = (data: unknown): string => JSON.stringify(data, marked);

/** The data of a text that `textOf` made: `unknown`, as whatever is read. Throws on a text that is no JSON. */
export const dataOf = (text: string): unknown => JSON.parse(text, unmarked);
