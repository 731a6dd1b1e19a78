import type { HostWorkerApi } from '../../../worker/api/host-api.ts';
import * as say from '../../words/session/training.ts';
import { tensorSizes } from '../links/tensor-sizes.ts';
import { Audits, type AuditsContext } from '../rounds/audits/audits.ts';
import type { ViewStore } from '../view/view-store.ts';

export interface CheckingContext extends Omit<AuditsContext, 'blockLength' | 'onNews'> {
  readonly worker: Pick<HostWorkerApi, 'undo'>;
  readonly store: ViewStore;
}

/** The audits of a training, and the way back to before a liar's parts. */
export class Checking {
  readonly audits: Audits;
  readonly #context: CheckingContext;
  /** The latest round that there was before some were undone. */
  #repeatTo = 0;

  constructor(context: CheckingContext) {
    this.#context = context;
    this.audits = new Audits({
      ...context,
      blockLength: tensorSizes(context.settings).blockLength,
      onNews: (kind, sentence) => context.store.notice(kind, sentence),
    });
  }

  /** Whether training has to go back before the next round. */
  get isDue(): boolean {
    return this.audits.hasUndo;
  }

  /** Whether `round` is no longer among those that are there again. */
  isRepeated(round: number): boolean {
    return round >= this.#repeatTo;
  }

  /** Resolves when no audit is under way, or training has to go back. */
  settled(): Promise<void> {
    return this.audits.settled();
  }

  /** From round `from` to the round that it answers; null where there is no need. */
  async goBack(from: number): Promise<number | null> {
    const to = this.audits.takeUndo();
    if (to === null || to >= from) return null;
    const { worker, store } = this.#context;
    const round = await worker.undo(to);
    this.#repeatTo = Math.max(this.#repeatTo, from);
    this.audits.undone(round);
    store.notice('problem', undoneSentence(to, round, from));
    return round;
  }

  close(): void {
    this.audits.close();
  }
}

/** What people are told when training goes back from round `from`; `to` was asked for, `round` is what there was to go back to. */
function undoneSentence(to: number, round: number, from: number): string {
  const rounds = from === round + 1 ? say.roundIs(from) : say.roundsTo(round + 1, from);
  const kept = round > to ? say.roundsToTookParts(to + 1, round) : '';
  return say.undoneAndRepeatedBecauseNobody(rounds, kept);
}
