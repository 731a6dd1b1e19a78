import type { RoomView } from '../../../signaling/protocol/room-view.ts';
import { capitalised } from '../../../signaling/protocol/words/lists.ts';
import { secondsText } from '../../../signaling/protocol/words/quantities.ts';
import { togetherSentence } from '../../../signaling/protocol/words/together.ts';
import type { SessionView } from '../../session/view/view.ts';
import * as say from '../../words/watch/allocation.ts';
import { totalSeconds as deviceSeconds, measuredSeconds } from '../cloth/timing.ts';

/** What only all together can hold; who limits the round, as planned and as measured, and what would help; empty without a plan. */
export function limitSentences(view: Pick<SessionView, 'rounds'>, room: RoomView): readonly string[] {
  const { plan } = room;
  if (plan === null) return [];
  const together = togetherSentence(plan, room.devices);
  const out = [together ?? '', capitalised(plan.explanation)].filter((sentence) => sentence !== '');
  const measured = plan.assignments.flatMap(({ device }) => {
    const seconds = measuredSeconds(view.rounds, plan.version, device);
    return seconds === null ? [] : [{ device, seconds: deviceSeconds(seconds) }];
  });
  const slowest = measured.toSorted((a, b) => b.seconds - a.seconds)[0];
  const name = room.devices.find((device) => device.id === slowest?.device)?.name;
  if (slowest !== undefined && name !== undefined && slowest.device !== plan.limitedBy)
    out.push(
      say.inTheLastRoundsTook(name, secondsText(slowest.seconds), secondsText(predictedOf(room, slowest.device))),
    );
  return out;
}

function predictedOf(room: RoomView, device: string): number {
  const assignment = room.plan?.assignments.find((one) => one.device === device);
  return assignment === undefined ? 0 : assignment.computeSeconds + assignment.uploadSeconds;
}
