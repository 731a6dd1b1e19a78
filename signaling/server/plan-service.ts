import type { Worker } from 'node:worker_threads';
import { startThread } from '../node/start-thread.ts';
import type { RoomPlanAnswer, RoomProblem } from '../planner/room-plan.ts';
import type { PlanQuestion } from './planner-thread.ts';

/** A plan that takes longer than this is given up; the room keeps going with the plan it has. */
const TIMEOUT_MS = 15_000;

interface Question {
  readonly problem: RoomProblem;
  readonly resolve: (answer: RoomPlanAnswer) => void;
}

export interface RoomPlanner {
  /** Never rejects: a failure is an answer. */
  plan(problem: RoomProblem): Promise<RoomPlanAnswer>;
  close(): Promise<void>;
}

/**
 * Plans on one worker thread, started at once, so that it is warm when somebody joins, and again if it dies. One question at a time is on
 * the thread; the others wait here, in order, as many as there are rooms, and their time is not running.
 */
export class PlanService implements RoomPlanner {
  #worker: Worker | null = null;
  #nextId = 1;
  readonly #waiting: Question[] = [];
  #asked: (Question & { readonly id: number; readonly timer: NodeJS.Timeout }) | null = null;

  constructor() {
    this.#running();
  }

  plan(problem: RoomProblem): Promise<RoomPlanAnswer> {
    if (problem.devices.length === 0) return Promise.resolve({ feasible: false, reason: 'No device is ready yet.' });
    return new Promise((resolve) => {
      this.#waiting.push({ problem, resolve });
      this.#ask();
    });
  }

  async close(): Promise<void> {
    const reason = 'The server is closing.';
    for (const { resolve } of this.#waiting.splice(0)) resolve({ feasible: false, reason });
    const worker = this.#worker;
    this.#worker = null;
    this.#answer({ feasible: false, reason });
    await worker?.terminate();
  }

  #ask(): void {
    if (this.#asked !== null) return;
    const question = this.#waiting.shift();
    if (question === undefined) return;
    const id = this.#nextId++;
    const timer = setTimeout(() => {
      const worker = this.#worker;
      this.#worker = null;
      void worker?.terminate();
      this.#answer({ feasible: false, reason: 'The planner took too long.' });
    }, TIMEOUT_MS);
    this.#asked = { ...question, id, timer };
    this.#running().postMessage({ id, problem: question.problem } satisfies PlanQuestion);
  }

  #answer(answer: RoomPlanAnswer): void {
    const asked = this.#asked;
    if (asked === null) return;
    this.#asked = null;
    clearTimeout(asked.timer);
    asked.resolve(answer);
    this.#ask();
  }

  #running(): Worker {
    if (this.#worker !== null) return this.#worker;
    const worker = startThread(new URL('./planner-thread.ts', import.meta.url));
    worker.unref();
    worker.on('message', ({ id, answer }: { id: number; answer: RoomPlanAnswer }) => {
      if (this.#asked?.id === id) this.#answer(answer);
    });
    const died = (why: string): void => {
      if (this.#worker !== worker) return;
      this.#worker = null;
      this.#answer({ feasible: false, reason: `The planner stopped unexpectedly${why}.` });
    };
    worker.on('error', (error) => died(`: ${error.message}`));
    worker.on('exit', () => died(''));
    this.#worker = worker;
    return worker;
  }
}
