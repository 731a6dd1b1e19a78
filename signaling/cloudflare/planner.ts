import { dataOf, textOf } from '../connection/kept/text.ts';
import { planRoom, type RoomProblem } from '../planner/room-plan.ts';

/**
 * The planner as a Worker of its own, which only rooms' objects can reach. What it searches is bounded in counts, never by a clock, which
 * stands still here while anything is computed; what it may take is the platform's to bound (`cpu_ms` in wrangler.planner.json).
 */
export default {
  async fetch(request: Request): Promise<Response> {
    const problem = dataOf(await request.text());
    return isProblem(problem) ? new Response(textOf(planRoom(problem))) : new Response(null, { status: 400 });
  },
};

/** Nobody else asks: what comes was made by `roomProblem` in this same deployment. */
const isProblem = (data: unknown): data is RoomProblem =>
  typeof data === 'object' && data !== null && 'devices' in data && Array.isArray(data.devices);
