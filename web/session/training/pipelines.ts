import type { RoomPlan } from '../../../signaling/protocol/plan.ts';
import type { Policy, SessionSettings } from '../../../signaling/protocol/settings.ts';
import type { TokenBatch } from '../../../worker/api/batch.ts';
import * as say from '../../words/session/training.ts';
import type { DeviceLinks, ParameterState } from '../rounds/device-links.ts';
import { isSplit } from '../rounds/split/layout.ts';
import { runPipeline } from '../rounds/split/run-pipeline.ts';
import type { Turns } from './turns.ts';

export interface PipelinesContext {
  readonly term: number;
  readonly settings: SessionSettings;
  readonly deviceLinks: DeviceLinks;
  readonly policy: () => Policy;
  /** The room's plan; null where there is none, or where its stages do not all hold their runs. */
  readonly plan: () => RoomPlan | null;
  readonly laidOut: () => RoomPlan | null;
  readonly until: (condition: () => boolean) => Promise<void>;
  /** Shared with the rounds: a stage does one thing at a time. */
  readonly turns: Turns;
  readonly nextEvaluation: () => number;
  readonly nameOf: (device: string) => string;
}

/** What a split room is asked for between its rounds: logits of examples, which flow through all stages. */
export class Pipelines {
  readonly #context: PipelinesContext;

  constructor(context: PipelinesContext) {
    this.#context = context;
  }

  /** Whether the room is split now, or will be when it has a plan. */
  get areUsed(): boolean {
    const plan = this.#context.plan();
    return plan === null ? this.#context.policy() === 'split' : isSplit(plan);
  }

  /** (examples, labels). Waits for the stages, again where one is lost meanwhile; null where the room is not split, or no longer. */
  async logits(
    count: number,
    chunk: (start: number, count: number) => Promise<TokenBatch>,
    parameters: ParameterState,
    onProgress: (done: number, total: number) => void,
    signal: AbortSignal,
  ): Promise<Float32Array | null> {
    const { laidOut, turns, until, nextEvaluation, ...context } = this.#context;
    const { labelCount } = context.settings.task;
    while (this.areUsed) {
      await until(() => !this.areUsed || laidOut() !== null);
      if (signal.aborted) throw new Error(say.theEvaluationWasEnded);
      const found = await turns.take(async () => {
        // While others had their turn the room may have changed.
        const plan = laidOut();
        if (plan === null || !isSplit(plan) || signal.aborted) return null;
        const evaluation = nextEvaluation();
        const isLaidOut = (): boolean => laidOut()?.version === plan.version;
        const asked = { plan, isLaidOut, evaluation, labelCount, count, chunk, parameters, onProgress, signal };
        return runPipeline({ ...context, ...asked });
      });
      if (found !== null) return found;
    }
    return null;
  }
}
