import { parseArgs } from 'node:util';

export const USAGE =
  'Name the sources to change, as in: npm run test:mutants -- worker/learn [more paths] [--count 40] [--seed 1] [--line N].';

export interface Arguments {
  readonly paths: readonly string[];
  readonly count: number;
  readonly seed: number;
  /** Only changes on this line; null for all. */
  readonly line: number | null;
}

/** Null where it is none of what `USAGE` says: an option that is not known, a number that is none, no path. */
export function readArguments(argv: readonly string[]): Arguments | null {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        count: { type: 'string', default: '40' },
        seed: { type: 'string', default: '1' },
        line: { type: 'string' },
      },
    });
    const numbers = [values.count, values.seed, ...(values.line === undefined ? [] : [values.line])];
    if (positionals.length === 0 || !numbers.every((text) => /^\d{1,9}$/.test(text))) return null;
    const [count = 0, seed = 0, line = null] = numbers.map(Number);
    return { paths: positionals, count, seed, line };
  } catch {
    return null;
  }
}
