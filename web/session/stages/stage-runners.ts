import type { OrderTag } from '../../../signaling/protocol/round.ts';
import * as say from '../../words/session/stages.ts';
import type { ModelWorker } from '../rounds/model-worker.ts';
import type { StageRound } from './stage-round.ts';
import { type RunnerContext, StageRunner } from './stage-runner.ts';

/** A device's own stage, and one that it took over beside it: each has a worker of its own. */
export class StageRunners {
  readonly own: StageRunner;
  readonly #context: RunnerContext;
  readonly #secondModel: () => ModelWorker | null;
  #second: StageRunner | null = null;

  constructor(model: ModelWorker, context: RunnerContext, secondModel: () => ModelWorker | null) {
    this.own = new StageRunner(model, context);
    this.#context = context;
    this.#secondModel = secondModel;
  }

  get hasSecond(): boolean {
    return this.#second !== null;
  }

  get rounds(): readonly StageRound[] {
    return this.#all.flatMap(({ round }) => round ?? []);
  }

  find(isIt: (round: StageRound) => boolean): StageRunner | undefined {
    return this.#all.find(({ round }) => round !== null && isIt(round));
  }

  /**
   * Whoever had this order does it again; a device that is at another stage of the round does it beside that one.
   * @throws Error, one sentence, where it cannot
   */
  for(tag: OrderTag): StageRunner {
    const runner = this.#runnerFor(tag);
    if (runner.isFull) throw new Error(say.thisDeviceHasAsMuch);
    return runner;
  }

  #runnerFor({ term, round, order }: OrderTag): StageRunner {
    const same = this.find(({ header: { tag } }) => tag.order === order);
    if (same !== undefined) return same;
    const own = this.own.round?.header.tag;
    if (own === undefined || own.term !== term || own.round !== round) return this.own;
    if (this.#second?.round) throw new Error(say.thisDeviceDoesTwoStages);
    if (this.#second === null) {
      const model = this.#secondModel();
      if (model === null) throw new Error(say.thisDeviceIsAtAnother);
      this.#second = new StageRunner(model, this.#context);
    }
    return this.#second;
  }

  /** Ends what is over. A second run is held no longer than its order. */
  endWhere(isOver: (round: StageRound) => boolean): void {
    for (const runner of this.#all) if (runner.round !== null && isOver(runner.round)) runner.end();
    if (this.#second === null || this.#second.round !== null) return;
    this.#second.model.close();
    this.#second = null;
  }

  get #all(): readonly StageRunner[] {
    return this.#second === null ? [this.own] : [this.own, this.#second];
  }
}
