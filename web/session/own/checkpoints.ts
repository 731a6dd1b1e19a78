import * as say from '../../words/session/own.ts';
import { messageOf } from '../world/with-progress.ts';

const EVERY_ROUNDS = 10;
const EVERY_MS = 20_000;
/** Quick rounds are not kept more often than this. */
const AT_LEAST_MS = 2000;
/** Keeping may take one part in so many of the time. */
const SHARE = 20;

export interface CheckpointsContext {
  /** Keeps the present state; resolves with the round it is of. */
  readonly keep: () => Promise<number>;
  readonly onKept: (round: number) => void;
  /** Told once for each reason. */
  readonly onProblem: (sentence: string) => void;
}

/**
 * When a session is kept: after 10 rounds or 20 seconds, whichever comes first, but no more often than every 2 seconds and never for more
 * than a twentieth of the time; and at once when it pauses or ends. What cannot be kept is told, and holds nothing up.
 */
export class Checkpoints {
  readonly #context: CheckpointsContext;
  #keptRound = -1;
  #keptMs = Number.NEGATIVE_INFINITY;
  #tookMs = 0;
  #problem = '';
  #running: Promise<void> | null = null;

  constructor(context: CheckpointsContext) {
    this.#context = context;
  }

  /** Called between two rounds. */
  roundDone(round: number): void {
    const sinceMs = performance.now() - this.#keptMs;
    const due = round - this.#keptRound >= EVERY_ROUNDS || sinceMs >= EVERY_MS;
    if (due && sinceMs >= Math.max(AT_LEAST_MS, SHARE * this.#tookMs) && this.#running === null) void this.now();
  }

  /** Keeps the present state, after the keeping that is under way. Settles when it is kept or cannot be. */
  now(): Promise<void> {
    const running = this.#keepAfter(this.#running);
    this.#running = running;
    return running.then(() => {
      if (this.#running === running) this.#running = null;
    });
  }

  async #keepAfter(before: Promise<void> | null): Promise<void> {
    await before;
    const startMs = performance.now();
    try {
      const round = await this.#context.keep();
      this.#keptRound = round;
      this.#context.onKept(round);
    } catch (error) {
      const sentence = messageOf(error);
      if (sentence !== this.#problem) this.#context.onProblem(say.trainingGoes(sentence));
      this.#problem = sentence;
    }
    this.#keptMs = performance.now();
    this.#tookMs = this.#keptMs - startMs;
  }
}
