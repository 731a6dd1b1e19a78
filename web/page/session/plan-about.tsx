import type { RoomView } from '../../../signaling/protocol/room-view.ts';
import { POLICIES, type Policy } from '../../../signaling/protocol/settings.ts';
import { POLICY_WORDS } from '../../../signaling/protocol/words/policies.ts';
import * as say from '../../words/watch/session.ts';
import { isPolicy, POLICY_HINTS } from '../parts/choices.ts';
import { Facts } from '../parts/facts.tsx';
import { SelectField } from '../parts/field.tsx';
import { planFacts } from './plan-facts.ts';

/** The plan in figures; the host can try another policy while the session runs. */
export function AboutPlan({ room, onPolicy }: { room: RoomView; onPolicy: ((policy: Policy) => void) | null }) {
  const { policy } = room.settings;
  return (
    <details class="fold" data-fold="plan">
      <summary>
        {say.aboutThePlan}
        <span class="summary-note">{POLICY_WORDS[room.plan?.policy ?? policy].label}</span>
      </summary>
      {room.plan === null && <p>{room.planNote ?? say.thereIsNoPlanYet}</p>}
      <Facts facts={planFacts(room)} />
      {onPolicy !== null && room.phase !== 'finished' && (
        <SelectField
          name="live-policy"
          label={say.policyFromTheNextRound}
          value={policy}
          hint={POLICY_HINTS[policy]}
          options={POLICIES.map((value) => ({ value, label: POLICY_WORDS[value].label }))}
          onValue={(value) => isPolicy(value) && onPolicy(value)}
        />
      )}
    </details>
  );
}
