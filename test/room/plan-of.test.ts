import { expect, it } from 'vitest';
import { parseProblem } from '../../signaling/planner/problem/parse.ts';
import { solve } from '../../signaling/planner/solve.ts';
import { planOf } from '../../signaling/room/plan-of.ts';
import { profile, SETTINGS } from '../protocol/samples.ts';

const devices = [
  { id: 'host', name: 'Host', profile: profile() },
  { id: 'b', name: 'B', profile: profile(1) },
  { id: 'c', name: 'C', profile: null },
];
const asked = { settings: { ...SETTINGS, policy: 'teams' as const }, host: 'host', devices, roundsDone: 0 };

it('plans the room that might be, and gives the same question as a file that the command line plans alike', () => {
  const answer = planOf(asked);
  if (!answer.feasible) throw new Error(answer.reason);
  expect(answer.plan.assignments.map(({ device }) => device).toSorted()).toEqual(['b', 'host']);
  const read = parseProblem(JSON.parse(answer.file));
  const solved = solve(read, 'teams');
  expect(solved.feasible && solved.latencySeconds).toBeCloseTo(answer.plan.latencySeconds, 9);
});

it('says why there is none', () => {
  expect(planOf({ ...asked, devices: devices.slice(2) })).toMatchObject({
    feasible: false,
    reason: 'No device takes part.',
  });
});
