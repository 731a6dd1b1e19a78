import { FAULT_WORDS, FAULTS, PHASE_WORDS, PHASES } from './cells.ts';
import type { Run, Verdict } from './verdict.ts';

const row = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;

/** What came of a run, as tables. */
export function told(run: Run, verdict: Verdict): string {
  const { problems, faults, curveDifference, repeated, table, lost } = verdict;
  return [
    `${faults} faults in ${run.rounds} rounds, ${run.seconds.toFixed(0)} s. ${repeated} rounds were done again.`,
    `The curve is the quiet run's within ${curveDifference.toExponential(1)}.`,
    '',
    row(['', ...FAULTS.map((fault) => FAULT_WORDS[fault])]),
    row(['---', ...FAULTS.map(() => '---')]),
    ...PHASES.map((phase) => row([PHASE_WORDS[phase], ...FAULTS.map((fault) => table[phase][fault])])),
    '',
    row(['fault', 'times', 'seconds lost, in all', 'each', 'at most']),
    row(['---', '---', '---', '---', '---']),
    ...FAULTS.flatMap((fault) => {
      const one = lost[fault];
      if (one === undefined) return [];
      const each = one.seconds / one.faults;
      return [row([FAULT_WORDS[fault], one.faults, one.seconds.toFixed(1), each.toFixed(1), one.most.toFixed(1)])];
    }),
    '',
    ...(problems.length === 0 ? ['All is as it has to be.'] : problems),
  ].join('\n');
}
