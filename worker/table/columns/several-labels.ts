import { flagOf } from '../../../signaling/protocol/text/label-columns.ts';
import type { Fault } from '../table.ts';
import { UNKNOWN_LABEL, UNREADABLE_LABEL } from './labels.ts';

/**
 * Several labels in one cell: names with a separator between them, "anger|fear". An empty cell has none of them. What separates is found
 * from the column: a bar where there is one anywhere, else a semicolon, else a comma.
 */
export interface SeveralReading {
  readonly kind: 'several';
  readonly names: readonly string[];
  readonly indices: ReadonlyMap<string, number>;
  readonly separator: string;
}

const SEPARATORS = ['|', ';', ','] as const;
const REPLACEMENT = '\ufffd';

/** The names in a cell, each once. */
export const labelsIn = (cell: string, separator: string): readonly string[] => [
  ...new Set(
    cell
      .split(separator)
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  ),
];

/** All names of a column in the order of their characters, the same on every machine; stops at more than `most`. */
export function severalReading(cells: () => Iterable<string>, most: number): SeveralReading {
  const found = new Set<string>();
  for (const cell of cells()) {
    for (const one of SEPARATORS) if (cell.includes(one)) found.add(one);
    if (found.has(SEPARATORS[0])) break;
  }
  const separator = SEPARATORS.find((one) => found.has(one)) ?? SEPARATORS[0];
  const all = new Set<string>();
  for (const cell of cells()) {
    if (cell.includes(REPLACEMENT)) continue;
    for (const name of labelsIn(cell, separator)) all.add(name);
    if (all.size > most) break;
  }
  const names = [...all].sort((a, b) => (a < b ? -1 : 1));
  return { kind: 'several', names, indices: new Map(names.map((name, index) => [name, index])), separator };
}

/** A zero or a one for each name, or why the cell cannot be read. */
export function readSeveral(cell: string, { names, indices, separator }: SeveralReading): readonly number[] | Fault {
  if (cell.includes(REPLACEMENT)) return { reason: UNREADABLE_LABEL, example: cell };
  const labels = new Array<number>(names.length).fill(0);
  for (const name of labelsIn(cell, separator)) {
    const index = indices.get(name);
    if (index === undefined) return { reason: UNKNOWN_LABEL, example: name };
    labels[index] = 1;
  }
  return labels;
}

/** Several labels in columns of their own, a 0 or a 1 in each. */
export interface FlagsReading {
  readonly kind: 'flags';
  /** The columns, which are the labels. */
  readonly names: readonly string[];
}

export const NO_FLAG = 'neither 0 nor 1 in a column of labels';

/** A zero or a one for each column, or why one of them cannot be read. */
export function readFlags(cells: readonly string[], { names }: FlagsReading): readonly number[] | Fault {
  const flags: number[] = [];
  for (const [i, cell] of cells.entries()) {
    const flag = flagOf(cell);
    if (flag === null) return { reason: NO_FLAG, example: `${names[i] ?? ''}: ${cell.slice(0, 40)}` };
    flags.push(flag);
  }
  return flags;
}
