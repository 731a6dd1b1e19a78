import { planRoom } from '../../planner/room-plan.ts';
import type { DeviceView, RoomView } from '../../protocol/room-view.ts';
import type { Policy } from '../../protocol/settings.ts';
import {
  anotherSentence,
  forecastSentence,
  soonSentence,
  wholeText,
  withAnother,
} from '../../protocol/words/forecast.ts';
import { POLICY_WORDS } from '../../protocol/words/policies.ts';
import { secondsText } from '../../protocol/words/quantities.ts';
import { roomProblem, type Trainer } from '../../room/planning.ts';

/** Policies that a person would choose between, the planner's own first. */
const COMPARED: readonly Policy[] = ['teams', 'exact', 'crunch', 'data-parallel', 'offload'];

/** What the session will take on these devices, before its first round. */
export function forecastLines(room: RoomView): readonly string[] {
  const sentences = [forecastSentence(room), policiesSentence(room), soonSentence(room), another(room)];
  return sentences.flatMap((sentence) => (sentence === null || sentence === '' ? [] : [`  ${sentence}`]));
}

/** "By policy: teams 0.36 s a round, about 4 min in all; …": by each that has a plan for these devices. */
function policiesSentence(room: RoomView): string | null {
  const told = COMPARED.flatMap((policy) => {
    const seconds = plannedSeconds(room, room.devices, policy);
    if (seconds === null) return [];
    return [`${POLICY_WORDS[policy].label} ${secondsText(seconds)} a round, ${wholeText(room, seconds)}`];
  });
  return told.length < 2 ? null : `By policy: ${told.join('; ')}.`;
}

function another(room: RoomView): string | null {
  const other = withAnother(room);
  const [now, then] = [room.devices, other?.devices ?? []].map((devices) => plannedSeconds(room, devices));
  return other === null || now == null || then == null ? null : anotherSentence(other.like.name, now, then);
}

/** Seconds of a round that the planner predicts for such a room; null where it has no plan. */
function plannedSeconds(
  { settings, host }: RoomView,
  devices: readonly DeviceView[],
  policy: Policy = settings.policy,
): number | null {
  const problem = roomProblem(settings, host, devices.flatMap(asTrainer), new Map());
  const answer = planRoom({ ...problem, policy });
  return answer.feasible ? answer.plan.latencySeconds : null;
}

const asTrainer = ({ id, name, status, profile }: DeviceView): readonly Trainer[] =>
  status.kind === 'ready' && profile !== null ? [{ id, name, profile }] : [];
