import { constants, setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { generateFleet } from '../planner/problem/generator.ts';
import { planRoom, type RoomProblem } from '../planner/room-plan.ts';
import { solve } from '../planner/solve.ts';

/** The planner on a thread of its own, so that a large room never holds up the server's sockets. */
export interface PlanQuestion {
  readonly id: number;
  readonly problem: RoomProblem;
}

// Of this thread alone, as Linux has it; elsewhere it would be the whole server that gives way.
if (process.platform === 'linux') setPriority(0, constants.priority.PRIORITY_BELOW_NORMAL);

/** Until its code is compiled the planner is several times slower, and the first room would wait for that. */
solve(generateFleet(1, { devices: 16, layers: 12, samples: 32, channel: 'airtime' }), 'auto');

parentPort?.on('message', ({ id, problem }: PlanQuestion) => {
  try {
    parentPort?.postMessage({ id, answer: planRoom(problem, { now: () => performance.now() }) });
  } catch (error) {
    const reason = `The planner failed: ${error instanceof Error ? error.message : String(error)}`;
    parentPort?.postMessage({ id, answer: { feasible: false, reason } });
  }
});
