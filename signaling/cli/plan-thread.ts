import { parentPort } from 'node:worker_threads';
import { isSplitForm, parseSplitProblem } from '../planner/pipelines/parse.ts';
import type { PlanAnswer } from '../planner/problem/answer.ts';
import { parseProblem } from '../planner/problem/parse.ts';
import type { DetailedProblem, TabularProblem } from '../planner/problem/problem.ts';
import type { SplitAnswer } from '../planner/replicas/answer.ts';
import { solveSplit } from '../planner/replicas/solve-split.ts';
import { solve } from '../planner/solve.ts';
import type { SplitProblem } from '../protocol/pipeline/split-problem.ts';
import type { Policy } from '../protocol/settings.ts';
import { parseProblemText } from './problem-file.ts';

/** The planner of `tabloom plan` on a thread of its own, so that the command can end whatever it is busy with. */
export interface PlanFileRequest {
  /** Of the problem file. */
  readonly bytes: Uint8Array;
  readonly policy: Policy;
  readonly seed: number;
}

export type PlanReply = { readonly answer: PlanAnswer | SplitAnswer } | { readonly sentence: string };

const NOT_OF_WHOLE_MODELS =
  'The problem says what single units of the model cost; it is planned with --policy split (or auto), no other.';

parentPort?.once('message', ({ bytes, policy, seed }: PlanFileRequest) => {
  parentPort?.postMessage(reply());

  function reply(): PlanReply {
    const now = () => performance.now();
    let problem: TabularProblem | DetailedProblem | SplitProblem;
    try {
      const input = parseProblemText(bytes);
      problem = isSplitForm(input) ? parseSplitProblem(input) : parseProblem(input);
    } catch (error) {
      return { sentence: error instanceof Error ? error.message : String(error) };
    }
    if (!('split' in problem)) return { answer: solve(problem, policy, { seed, now }) };
    return policy === 'split' || policy === 'auto'
      ? { answer: solveSplit(problem, { now }) }
      : { sentence: NOT_OF_WHOLE_MODELS };
  }
});
