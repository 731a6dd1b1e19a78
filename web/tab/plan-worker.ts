import * as Comlink from 'comlink';
import { planRoom } from '../../signaling/planner/room-plan.ts';
import { roomProblem } from '../../signaling/room/planning.ts';
import type { PlanAnswer, PlanQuestion } from '../session/view/what-if.ts';

/** The planner, on a thread of the page: the same code as beside the server. */
export interface PlanWorkerApi {
  plan(question: PlanQuestion): PlanAnswer;
}

/** Plans that only might be have no number. */
const NO_VERSION = 1;

const api: PlanWorkerApi = {
  plan({ settings, host, devices, roundsDone }) {
    const trainers = devices.flatMap(({ profile, ...one }) => (profile === null ? [] : [{ ...one, profile }]));
    if (trainers.length === 0) return { feasible: false, reason: 'No device is ready.' };
    const answer = planRoom(roomProblem(settings, host, trainers, new Map(), roundsDone), {
      now: () => performance.now(),
    });
    return answer.feasible ? { feasible: true, plan: { ...answer.plan, version: NO_VERSION } } : answer;
  },
};

Comlink.expose(api);
