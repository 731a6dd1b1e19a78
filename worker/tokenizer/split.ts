import { SplitPreTokenizer } from '@huggingface/tokenizers';
import { inexact, TokenizerError } from './tokenizer-error.ts';

/** What becomes of the parts that a pattern matches: the words of Hugging Face's SplitDelimiterBehavior. */
export const BEHAVIOURS = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

/** A run of a text that a pattern matches, or that lies between two of those. */
interface Run {
  readonly text: string;
  readonly start: number;
  readonly matches: boolean;
}

export interface Piece {
  readonly text: string;
  /** Whether it begins where the whole text does. */
  readonly atStart: boolean;
}

export function splitPiece({ text, atStart }: Piece, pattern: RegExp, behaviour: Behaviour, invert = false): Piece[] {
  const runs: Run[] = [];
  let at = 0;
  const put = (end: number, matches: boolean) => {
    if (end > at) runs.push({ text: text.slice(at, end), start: at, matches: matches !== invert });
    at = end;
  };
  for (const match of text.matchAll(pattern)) {
    put(match.index, false);
    put(match.index + match[0].length, true);
  }
  put(text.length, false);
  return joined(runs, behaviour).map(({ text: part, start }) => ({ text: part, atStart: atStart && start === 0 }));
}

function joined(runs: readonly Run[], behaviour: Behaviour): readonly Run[] {
  switch (behaviour) {
    case 'Removed':
      return runs.filter(({ matches }) => !matches);
    case 'Isolated':
      return runs;
    case 'Contiguous':
      return merged(runs, (last, run) => last.matches === run.matches);
    case 'MergedWithPrevious':
      return merged(runs, (last, run) => run.matches && !last.matches);
    case 'MergedWithNext':
      // As with the previous, read from the end.
      return runs.reduceRight<Run[]>((out, run, i) => {
        const next = out[0];
        if (run.matches && next !== undefined && !runs[i + 1]!.matches)
          out[0] = { ...next, text: run.text + next.text, start: run.start };
        else out.unshift(run);
        return out;
      }, []);
  }
}

/** `joins` is asked of neighbouring runs of the text, not of what became of them. */
function merged(runs: readonly Run[], joins: (last: Run, run: Run) => boolean): readonly Run[] {
  const out: Run[] = [];
  for (const [i, run] of runs.entries()) {
    const last = out.at(-1);
    if (last !== undefined && joins(runs[i - 1]!, run)) out[out.length - 1] = { ...last, text: last.text + run.text };
    else out.push(run);
  }
  return out;
}

/** `{"String": …}` or `{"Regex": …}`, of Oniguruma's syntax, as a pattern that finds all matches. */
export function patternOf(pattern: unknown, where: string): RegExp {
  if (typeof pattern === 'object' && pattern !== null) {
    if ('String' in pattern && typeof pattern.String === 'string' && pattern.String !== '')
      return new RegExp(pattern.String.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&').replaceAll('\\-', '-'), 'gu');
    if ('Regex' in pattern && typeof pattern.Regex === 'string') {
      try {
        // The library translates Oniguruma's classes, anchors and groups.
        const made = new SplitPreTokenizer({
          type: 'Split',
          pattern: { Regex: pattern.Regex },
          behavior: 'Isolated',
          invert: false,
        }).pattern;
        if (made !== null) return made;
      } catch {
        throw inexact(where, `has the regular expression ${JSON.stringify(pattern.Regex.slice(0, 80))}`);
      }
    }
  }
  throw new TokenizerError(`tokenizer.json: ${where} has no pattern.`);
}
