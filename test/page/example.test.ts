import { expect, it } from 'vitest';
import { planRoom } from '../../signaling/planner/room-plan.ts';
import { secondsText } from '../../signaling/protocol/words/quantities.ts';
import { roomProblem } from '../../signaling/room/planning.ts';
import { EXAMPLES } from '../../web/page/example/example-room.ts';

it.each(EXAMPLES)('$label: is planned as the planner plans it, in the figures that are told', ({ room, caption }) => {
  const trainers = room.devices.map((one) => ({ ...one, profile: one.profile! }));
  const answer = planRoom(roomProblem(room.settings, room.host, trainers, new Map()));
  if (!answer.feasible) throw new Error(answer.reason);
  const work = (of: typeof room.plan | typeof answer.plan) =>
    of.assignments
      .map(({ device, layers, head, samples }) => ({ device, layers, head, count: samples.count }))
      .toSorted((a, b) => (a.device < b.device ? -1 : 1));
  expect(work(answer.plan)).toEqual(work(room.plan));
  expect(answer.plan.policy).toBe(room.plan.policy);
  expect(room.plan.latencySeconds / answer.plan.latencySeconds).toBeCloseTo(1, 2);
  for (const shown of room.plan.assignments) {
    const planned = answer.plan.assignments.find(({ device }) => device === shown.device)!;
    const seconds = planned.computeSeconds + planned.uploadSeconds;
    expect((shown.computeSeconds + shown.uploadSeconds) / seconds).toBeCloseTo(1, 1);
  }
  expect(caption).toContain(`${secondsText(answer.plan.latencySeconds)} a round`);
  const rival = answer.plan.alternatives?.find(
    ({ policy }) => policy === (room.host === 'laptop' ? 'single' : 'data-parallel'),
  );
  expect(rival && 'seconds' in rival && caption.includes(secondsText(rival.seconds))).toBe(true);
});
