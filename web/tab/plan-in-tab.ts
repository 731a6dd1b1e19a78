import * as Comlink from 'comlink';
import type { AskPlanner } from '../session/view/what-if.ts';
import type { PlanWorkerApi } from './plan-worker.ts';
import { startPlanWorker } from './workers.ts';

/** A planner for this tab; its thread is started with the first question and stays. */
export function plannerInTab(): AskPlanner {
  let api: Comlink.Remote<PlanWorkerApi> | null = null;
  return async (question) => {
    api ??= Comlink.wrap<PlanWorkerApi>(startPlanWorker());
    return api.plan(question);
  };
}
