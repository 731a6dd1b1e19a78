import type { MeasuredAgain, Pretence } from '../api/device-api.ts';
import { AGAIN_BUDGET_SECONDS, type MeasuredSpeed } from './calibration.ts';
import { pretended, type Stated } from './stated.ts';

/** How seconds are measured once more; rejects where it is stopped. */
type Again = (terms: { readonly budgetSeconds: number; readonly stop: AbortSignal }) => Promise<MeasuredSpeed>;

interface Own {
  readonly honest: Stated;
  /** Null where what holds was measured by another device. */
  readonly again: Again | null;
}

/** What a device measured of itself, and how it does so again; what it states of that may be less. */
export class OwnMeasure {
  #own: Own | null = null;
  #pretence: Pretence = { slowdown: 1, share: 1, memoryLimitBytes: Number.POSITIVE_INFINITY };
  #running: { readonly stop: AbortController; readonly ended: Promise<unknown> } | null = null;

  take(honest: Stated, again: Again): void {
    this.#own = { honest, again };
  }

  /** It claims no more than this from now on, in what it measures again, too. What it states then; null before anything is known. */
  claim(limitBytes: number): Stated | null {
    if (this.#own === null) return null;
    const { honest, again } = this.#own;
    const memory = { ...honest.memory, limitBytes: Math.min(honest.memory.limitBytes, limitBytes) };
    this.#own = { honest: { ...honest, memory }, again };
    return pretended(this.#own.honest, this.#pretence);
  }

  /** From now on; null before anything is known. */
  stated(pretence: Pretence): Stated | null {
    this.#pretence = pretence;
    const { measured } = pretence;
    if (measured !== undefined) this.#own = { honest: measured, again: null };
    return this.#own && pretended(this.#own.honest, pretence);
  }

  /**
   * Seconds once more; bytes stay. Null where it was stopped, where it is under way already, and where this device would measure how others
   * get in its way on the same processor.
   */
  async again(): Promise<MeasuredAgain | null> {
    const { honest, again = null } = this.#own ?? {};
    if (honest === undefined || again === null || this.#pretence.share !== 1 || this.#running !== null) return null;
    const stop = new AbortController();
    const work = again({ budgetSeconds: AGAIN_BUDGET_SECONDS, stop: stop.signal });
    this.#running = { stop, ended: work.catch(() => undefined) };
    try {
      const { speed, wasBusy } = await work;
      const { fixedSeconds, ...own } = speed;
      const fresh = { ...honest, ...own, ...(honest.parts && { parts: { ...honest.parts, fixedSeconds } }) };
      const { memory } = this.#own?.honest ?? honest;
      if (this.#own?.again === again) this.#own = { honest: { ...fresh, memory }, again };
      return { measured: pretended({ ...fresh, memory }, this.#pretence), wasBusy };
    } catch (error) {
      if (stop.signal.aborted) return null;
      throw error;
    } finally {
      this.#running = null;
    }
  }

  /** Settles when the engine is free. */
  async stop(): Promise<void> {
    this.#running?.stop.abort(new Error('Something else comes first.'));
    await this.#running?.ended;
  }
}
