import * as Comlink from 'comlink';
import type { AskPlanner } from '../session/view/what-if.ts';
import type { PlanWorkerApi } from './plan-worker.ts';

/** A planner for this tab; its thread is started with the first question and stays. */
export function plannerInTab(): AskPlanner {
  let api: Comlink.Remote<PlanWorkerApi> | null = null;
  return async (question) => {
    api ??= Comlink.wrap<PlanWorkerApi>(new Worker(new URL('./plan-worker.ts', import.meta.url), { type: 'module' }));
    return api.plan(question);
  };
}
