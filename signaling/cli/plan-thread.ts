import { parentPort } from 'node:worker_threads';
import type { PlanAnswer } from '../planner/problem/answer.ts';
import { parseProblem } from '../planner/problem/parse.ts';
import { solve } from '../planner/solve.ts';
import type { Policy } from '../protocol/settings.ts';
import { parseProblemText } from './problem-file.ts';

/** The planner of `tabloom plan` on a thread of its own, so that the command can end whatever it is busy with. */
export interface PlanFileRequest {
  /** Of the problem file. */
  readonly bytes: Uint8Array;
  readonly policy: Policy;
  readonly seed: number;
}

export type PlanReply = { readonly answer: PlanAnswer } | { readonly sentence: string };

parentPort?.once('message', ({ bytes, policy, seed }: PlanFileRequest) => {
  parentPort?.postMessage(reply());

  function reply(): PlanReply {
    let problem: ReturnType<typeof parseProblem>;
    try {
      problem = parseProblem(parseProblemText(bytes));
    } catch (error) {
      return { sentence: error instanceof Error ? error.message : String(error) };
    }
    return { answer: solve(problem, policy, { seed, now: () => performance.now() }) };
  }
});
