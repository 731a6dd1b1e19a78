import { expect, it } from 'vitest';
import { NO_PLANNING, roomProblem } from '../../signaling/room/planning.ts';
import { PlanService } from '../../signaling/server/plan-service.ts';
import { profile, SETTINGS } from '../protocol/samples.ts';

it('one whose many rooms ask for plans makes others wait for one of them, not for all', async () => {
  const device = { id: 'device00', name: 'Device', profile: profile(), holds: null };
  const settings = { ...SETTINGS, policy: 'crunch' as const };
  const problem = roomProblem(settings, device.id, [device], NO_PLANNING.fits);
  const planner = new PlanService();
  try {
    const answered: string[] = [];
    const ask = async (name: string, whose: string): Promise<void> => {
      const answer = await planner.plan(problem, whose);
      expect(answer.feasible).toBe(true);
      answered.push(name);
    };
    const many = Array.from({ length: 5 }, (_, i) => ask(`many ${i}`, '192.0.2.1'));
    await Promise.all([...many, ask('other', '192.0.2.2'), ask('other again', '192.0.2.2')]);
    expect(answered.slice(0, 2)).toEqual(['many 0', 'other']);
    expect(answered.filter((name) => name.startsWith('many'))).toEqual(many.map((_, i) => `many ${i}`));
    expect(answered).toHaveLength(7);
  } finally {
    await planner.close();
  }
});
