import * as Comlink from 'comlink';
import { planOf } from '../../signaling/room/plan-of.ts';
import type { PlanAnswer, PlanQuestion } from '../session/view/what-if.ts';

/** The planner, on a thread of the page: the same code as beside the server. */
export interface PlanWorkerApi {
  plan(question: PlanQuestion): PlanAnswer;
}

Comlink.expose({ plan: planOf } satisfies PlanWorkerApi);
