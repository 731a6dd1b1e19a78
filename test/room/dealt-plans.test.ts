import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { RoomPlanSchema } from '../../signaling/protocol/plan.ts';
import { NO_PLANNING, roomProblem } from '../../signaling/room/planning.ts';
import { DEALT } from '../process/dealt-plans.ts';
import { profile, SETTINGS } from '../protocol/samples.ts';

/** What tests put in the planner's place is told to real devices, which close their ears to a room that they cannot read. */
describe.each(['crunch', 'data-parallel', 'teams', 'split'] as const)('plans dealt under %s', (policy) => {
  it.each([0, 1, 2, 3, 5])('to %d devices can be read, and there is none without devices', async (count) => {
    const devices = Array.from({ length: count }, (_, i) => ({ id: `device${i}`, name: `${i}`, profile: profile() }));
    const answer = await DEALT.plan(roomProblem({ ...SETTINGS, policy }, 'device0', devices, NO_PLANNING.fits));
    const isThere = count >= (policy === 'split' ? 3 : 1);
    expect(answer.feasible).toBe(isThere);
    if (answer.feasible) expect(v.parse(RoomPlanSchema, { ...answer.plan, version: 1 }).assignments).not.toEqual([]);
  });
});
