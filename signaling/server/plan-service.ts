import type { Worker } from 'node:worker_threads';
import { startThread } from '../node/start-thread.ts';
import type { RoomPlanAnswer, RoomProblem } from '../planner/room-plan.ts';
import type { PlanQuestion } from './planner-thread.ts';

/** A plan that takes longer than this is given up; the room keeps going with the plan it has. */
const TIMEOUT_MS = 15_000;
/** Of so many it is kept in mind what they took. */
const MAX_KNOWN = 1000;

interface Question {
  readonly problem: RoomProblem;
  readonly whose: string;
  readonly resolve: (answer: RoomPlanAnswer) => void;
}

export interface RoomPlanner {
  /** Never rejects: a failure is an answer. `whose`: of those who ask at the same time each gets as much of the planner's time. */
  plan(problem: RoomProblem, whose?: string): Promise<RoomPlanAnswer>;
  close(): Promise<void>;
}

/**
 * Plans on one worker thread, started at once, so that it is warm when somebody joins, and again if it dies. One question at a time is on
 * the thread; the others wait here, as many as there are rooms, and their time is not running. Next is who had least of the planner since it last
 * had nothing to do, so that nobody's many rooms make others wait for longer than for one of them.
 */
export class PlanService implements RoomPlanner {
  #worker: Worker | null = null;
  #nextId = 1;
  readonly #waiting: Question[] = [];
  /** By whose questions took it; forgotten when nobody asks. */
  readonly #takenMs = new Map<string, number>();
  #asked: (Question & { readonly id: number; readonly timer: NodeJS.Timeout; readonly sinceMs: number }) | null = null;

  constructor() {
    this.#running();
  }

  plan(problem: RoomProblem, whose = ''): Promise<RoomPlanAnswer> {
    if (problem.devices.length === 0) return Promise.resolve({ feasible: false, reason: 'No device is ready yet.' });
    return new Promise((resolve) => {
      this.#waiting.push({ problem, whose, resolve });
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
    const question = this.#next();
    if (question === undefined) {
      this.#takenMs.clear();
      return;
    }
    const id = this.#nextId++;
    const timer = setTimeout(() => {
      const worker = this.#worker;
      this.#worker = null;
      void worker?.terminate();
      this.#answer({ feasible: false, reason: 'The planner took too long.' });
    }, TIMEOUT_MS);
    this.#asked = { ...question, id, timer, sinceMs: performance.now() };
    this.#running().postMessage({ id, problem: question.problem } satisfies PlanQuestion);
  }

  /** Takes out whose turn it is; of one's own questions, and among those who had as little, the first. */
  #next(): Question | undefined {
    let at = 0;
    for (const [i, { whose }] of this.#waiting.entries())
      if (this.#taken(whose) < this.#taken(this.#waiting[at].whose)) at = i;
    return this.#waiting.splice(at, 1)[0];
  }

  #taken(whose: string): number {
    return this.#takenMs.get(whose) ?? 0;
  }

  #answer(answer: RoomPlanAnswer): void {
    const asked = this.#asked;
    if (asked === null) return;
    this.#asked = null;
    clearTimeout(asked.timer);
    if (this.#takenMs.size >= MAX_KNOWN) this.#takenMs.clear();
    this.#takenMs.set(asked.whose, this.#taken(asked.whose) + performance.now() - asked.sinceMs);
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
