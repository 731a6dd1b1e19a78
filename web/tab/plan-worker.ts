import * as Comlink from 'comlink';
import { planRoom, type RoomPlanAnswer, type RoomProblem } from '../../signaling/planner/room-plan.ts';
import { planOf } from '../../signaling/room/plan-of.ts';
import type { PlanAnswer, PlanQuestion } from '../session/view/what-if.ts';

/** The planner, on a thread of the page: the same code as beside the server. */
export interface PlanWorkerApi {
  plan(question: PlanQuestion): PlanAnswer;
  /** For a room whose home is in the page. */
  planRoom(problem: RoomProblem): RoomPlanAnswer;
}

Comlink.expose({
  plan: planOf,
  planRoom: (problem) => planRoom(problem, { now: () => performance.now() }),
} satisfies PlanWorkerApi);
