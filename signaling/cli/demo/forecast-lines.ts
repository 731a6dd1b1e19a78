import { planRoom } from '../../planner/room-plan.ts';
import type { DeviceView, RoomView } from '../../protocol/room-view.ts';
import type { Policy } from '../../protocol/settings.ts';
import { anotherSentence, forecastSentence, soonSentence } from '../../protocol/words/forecast.ts';
import { POLICY_WORDS } from '../../protocol/words/policies.ts';
import { secondsText } from '../../protocol/words/quantities.ts';
import { roomProblem, type Trainer } from '../../room/planning.ts';

/** Policies that a person would choose between, the planner's own first. */
const COMPARED: readonly Policy[] = ['teams', 'exact', 'crunch', 'data-parallel', 'offload'];

/** What the session will take on these devices, before its first round. */
export function forecastLines(room: RoomView, self: string): readonly string[] {
  const sentences = [forecastSentence(room), policiesSentence(room), soonSentence(room), anotherSentence(room, self)];
  return sentences.flatMap((sentence) => (sentence === null || sentence === '' ? [] : [`  ${sentence}`]));
}

/** "A round by policy: teams 0.36 s, exact 0.41 s, …": by each that has a plan for these devices. */
function policiesSentence(room: RoomView): string | null {
  const trainers = room.devices.flatMap(asTrainer);
  const problem = roomProblem(room.settings, room.host, trainers, new Map());
  const told = COMPARED.flatMap((policy) => {
    const answer = planRoom({ ...problem, policy });
    return answer.feasible ? [`${POLICY_WORDS[policy].label} ${secondsText(answer.plan.latencySeconds)}`] : [];
  });
  return told.length < 2 ? null : `Predicted for a round, by policy: ${told.join(', ')}.`;
}

const asTrainer = ({ id, name, status, profile }: DeviceView): readonly Trainer[] =>
  status.kind === 'ready' && profile !== null ? [{ id, name, profile }] : [];
