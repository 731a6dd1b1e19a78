import { parentPort } from 'node:worker_threads';
import { planRoom, type RoomProblem } from './planner/room-plan.ts';

/** The planner on a thread of its own, so that a large room never holds up the server's sockets. */
export interface PlanQuestion {
  readonly id: number;
  readonly problem: RoomProblem;
}

parentPort?.on('message', ({ id, problem }: PlanQuestion) => {
  try {
    parentPort?.postMessage({ id, answer: planRoom(problem, { now: () => performance.now() }) });
  } catch (error) {
    const reason = `The planner failed: ${error instanceof Error ? error.message : String(error)}`;
    parentPort?.postMessage({ id, answer: { feasible: false, reason } });
  }
});
