import * as Comlink from 'comlink';
import type { RoomProblem } from '../../../signaling/planner/room-plan.ts';
import { messageOf } from '../../session/world/with-progress.ts';
import * as say from '../../words/tab/home.ts';
import type { PlanWorkerApi } from '../plan-worker.ts';
import type { AskRoomPlanner } from './page-home.ts';

/** A plan that takes longer than this is given up; the room keeps going with the plan it has. */
const TIMEOUT_MS = 15_000;

/** A planner for rooms in this page, on a thread that is started at once and again when it took too long. */
export function roomPlanner(start: () => Worker): { readonly ask: AskRoomPlanner; close(): void } {
  let worker: Worker | null = start();
  const answered = async (asked: Worker, problem: RoomProblem) => Comlink.wrap<PlanWorkerApi>(asked).planRoom(problem);
  return {
    ask: async (problem) => {
      if (problem.devices.length === 0) return { feasible: false, reason: say.noDeviceIsReadyYet };
      worker ??= start();
      const asked = worker;
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => reject(new Error(say.itTookTooLong)), TIMEOUT_MS);
      });
      try {
        return await Promise.race([answered(asked, problem), late]);
      } catch (error) {
        if (worker === asked) worker = null;
        asked.terminate();
        return { feasible: false, reason: say.thePlannerFailed(messageOf(error)) };
      } finally {
        clearTimeout(timer);
      }
    },
    close: () => worker?.terminate(),
  };
}
