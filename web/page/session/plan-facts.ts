import type { RoomView } from '../../../signaling/protocol/room-view.ts';
import { POLICY_WORDS } from '../../../signaling/protocol/words/policies.ts';
import { secondsText } from '../../../signaling/protocol/words/quantities.ts';
import type { Fact } from '../parts/facts.tsx';

/** What the planner did, line by line; empty without a plan. */
export function planFacts(room: Pick<RoomView, 'plan' | 'settings'>): readonly Fact[] {
  const { plan } = room;
  if (plan === null) return [];
  const asked = room.settings.policy;
  const made = POLICY_WORDS[plan.policy].label;
  return [
    { what: 'Policy', value: asked === plan.policy ? made : `${POLICY_WORDS[asked].label}, which chose ${made}` },
    { what: 'Solver', value: plan.solver },
    {
      what: 'Solved in',
      value:
        plan.solveMs < 0.1
          ? 'under 0.1 ms'
          : `${plan.solveMs < 10 ? plan.solveMs.toFixed(1) : Math.round(plan.solveMs)} ms`,
    },
    { what: 'Predicted round', value: secondsText(plan.latencySeconds) },
    { what: 'No plan can be under', value: secondsText(plan.lowerBoundSeconds) },
    { what: 'Gap', value: gapText(plan.latencySeconds, plan.lowerBoundSeconds) },
    { what: 'Plan number', value: String(plan.version) },
  ];
}

/** How far the plan may be from the best possible one. */
export function gapText(latencySeconds: number, lowerBoundSeconds: number): string {
  if (lowerBoundSeconds <= 0) return 'unknown';
  const gap = latencySeconds / lowerBoundSeconds - 1;
  if (gap < 0.0005) return 'none: this plan is the best possible';
  return `${(100 * gap).toFixed(gap < 0.1 ? 1 : 0)} % at most`;
}
