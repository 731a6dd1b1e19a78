import type { Worker } from 'node:worker_threads';
import { startThread } from '../node/start-thread.ts';
import type { RoomPlanAnswer, RoomProblem } from '../planner/room-plan.ts';
import type { PlanQuestion } from './planner-thread.ts';

/** A plan that takes longer than this is given up; the room keeps going with the plan it has. */
const TIMEOUT_MS = 15_000;

interface Pending {
  readonly resolve: (answer: RoomPlanAnswer) => void;
  readonly timer: NodeJS.Timeout;
}

export interface RoomPlanner {
  /** Never rejects: a failure is an answer. */
  plan(problem: RoomProblem): Promise<RoomPlanAnswer>;
  close(): Promise<void>;
}

/** Plans on one worker thread, started at once, so that it is warm when somebody joins, and again if it dies. */
export class PlanService implements RoomPlanner {
  #worker: Worker | null = null;
  #nextId = 1;
  readonly #pending = new Map<number, Pending>();

  constructor() {
    this.#running();
  }

  plan(problem: RoomProblem): Promise<RoomPlanAnswer> {
    if (problem.devices.length === 0) return Promise.resolve({ feasible: false, reason: 'No device is ready yet.' });
    const id = this.#nextId++;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#fail('The planner took too long.');
        void this.#worker?.terminate();
        this.#worker = null;
      }, TIMEOUT_MS);
      this.#pending.set(id, { resolve, timer });
      this.#running().postMessage({ id, problem } satisfies PlanQuestion);
    });
  }

  async close(): Promise<void> {
    this.#fail('The server is closing.');
    await this.#worker?.terminate();
    this.#worker = null;
  }

  #running(): Worker {
    if (this.#worker !== null) return this.#worker;
    const worker = startThread(new URL('./planner-thread.ts', import.meta.url));
    worker.unref();
    worker.on('message', ({ id, answer }: { id: number; answer: RoomPlanAnswer }) => {
      const pending = this.#pending.get(id);
      if (pending === undefined) return;
      clearTimeout(pending.timer);
      this.#pending.delete(id);
      pending.resolve(answer);
    });
    const died = (why: string): void => {
      if (this.#worker !== worker) return;
      this.#worker = null;
      this.#fail(`The planner stopped unexpectedly${why}.`);
    };
    worker.on('error', (error) => died(`: ${error.message}`));
    worker.on('exit', () => died(''));
    this.#worker = worker;
    return worker;
  }

  #fail(reason: string): void {
    for (const { resolve, timer } of this.#pending.values()) {
      clearTimeout(timer);
      resolve({ feasible: false, reason });
    }
    this.#pending.clear();
  }
}
