import type { RoomView } from '../../../signaling/protocol/room-view.ts';
import { POLICY_WORDS } from '../../../signaling/protocol/words/policies.ts';
import { secondsText } from '../../../signaling/protocol/words/quantities.ts';
import * as say from '../../words/watch/session.ts';
import type { Fact } from '../parts/facts.tsx';

/** What the planner did, line by line; empty without a plan. */
export function planFacts(room: Pick<RoomView, 'plan' | 'settings'>): readonly Fact[] {
  const { plan } = room;
  if (plan === null) return [];
  const asked = room.settings.policy;
  const made = POLICY_WORDS[plan.policy].label;
  return [
    { what: say.policy, value: asked === plan.policy ? made : say.whichChose(POLICY_WORDS[asked].label, made) },
    { what: say.solver, value: plan.solver },
    {
      what: say.solvedIn,
      value:
        plan.solveMs < 0.1
          ? say.under01Ms
          : `${plan.solveMs < 10 ? plan.solveMs.toFixed(1) : Math.round(plan.solveMs)} ms`,
    },
    { what: say.predictedRound, value: secondsText(plan.latencySeconds) },
    { what: say.noPlanCanBeUnder, value: secondsText(plan.lowerBoundSeconds) },
    { what: say.gap, value: gapText(plan.latencySeconds, plan.lowerBoundSeconds) },
    { what: say.planNumber, value: String(plan.version) },
  ];
}

/** How far the plan may be from the best possible one. */
export function gapText(latencySeconds: number, lowerBoundSeconds: number): string {
  if (lowerBoundSeconds <= 0) return 'unknown';
  const gap = latencySeconds / lowerBoundSeconds - 1;
  if (gap < 0.0005) return say.noneThisPlan;
  return say.percentAtMost((100 * gap).toFixed(gap < 0.1 ? 1 : 0));
}
