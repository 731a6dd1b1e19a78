import type { DeviceView } from '../../../signaling/protocol/room-view.ts';
import { constantText, metricName, scoreText } from '../../../signaling/protocol/words/metrics.ts';
import type { SessionView } from '../../session/view/view.ts';
import * as say from '../../words/watch/session.ts';
import { ownWork } from '../cloth/own-work.ts';
import { headline } from './headline.ts';

/**
 * What a screen reader hears when the view changes: phases, who came and went, scores, and every tenth of the rounds, never each
 * one. Null when the change is not worth a word.
 */
export function announcement(before: SessionView, after: SessionView): string | null {
  if (after.ended !== null) return before.ended === null ? after.ended : null;
  const said = [
    hostChange(before, after),
    phaseChange(before, after),
    ...atTheDoor(before, after),
    ownWorkChange(before, after),
    ...comings(before, after),
    milestone(before, after),
    score(before, after),
  ];
  const sentences = said.filter((sentence) => sentence !== null);
  return sentences.length === 0 ? null : sentences.join(' ');
}

function phaseChange(before: SessionView, after: SessionView): string | null {
  if (after.room === null || before.room?.phase === after.room.phase) return null;
  if (after.room.phase === 'training') return say.trainingHasStarted;
  return `${headline(after).title}.`;
}

function hostChange(before: SessionView, after: SessionView): string | null {
  if (before.room === null || after.room === null || before.room.host === after.room.host) return null;
  const { host, devices } = after.room;
  if (host === after.self) return say.theHostWentAway;
  return say.leadsTheSessionNow(devices.find(({ id }) => id === host)?.name ?? say.anotherDevice);
}

/** Each device once, when it comes; and, to one that waits itself, that it does. */
function atTheDoor(before: SessionView, after: SessionView): readonly string[] {
  const known = new Set(before.waiting.map(({ id }) => id));
  const came = after.waiting.filter(({ id }) => !known.has(id)).map(({ name }) => say.waitsAtYourDoor(name));
  return after.atDoor !== null && before.atDoor === null ? [`${after.atDoor}`, ...came] : came;
}

function ownWorkChange(before: SessionView, after: SessionView): string | null {
  if (after.room === null || after.room.phase !== 'training') return null;
  const now = ownWork(after, after.room);
  if (before.room?.phase === 'training' && ownWork(before, before.room) === now) return null;
  return now === null ? null : say.youAreTraining(now);
}

function comings(before: SessionView, after: SessionView): readonly (string | null)[] {
  if (before.room === null || after.room === null) return [];
  const was = before.room.devices;
  const is = after.room.devices;
  const known = (devices: readonly DeviceView[], id: string) => devices.some((device) => device.id === id);
  const failed = (device: DeviceView | undefined) => device?.status.kind === 'failed';
  return [
    ...is.filter((device) => device.id !== after.self && !known(was, device.id)).map(({ name }) => `${name} joined.`),
    ...was.filter((device) => !known(is, device.id)).map(({ name }) => `${name} left.`),
    ...is
      .filter((device) => failed(device) && !failed(was.find((one) => one.id === device.id)))
      .map(({ name }) => say.cannotGo(name)),
  ];
}

function milestone(before: SessionView, after: SessionView): string | null {
  const last = after.rounds.at(-1);
  if (after.room === null || last === undefined) return null;
  const total = after.room.settings.training.rounds;
  const tenth = (round: number) => Math.floor((10 * round) / total);
  if (tenth(last.round) === tenth(before.rounds.at(-1)?.round ?? 0)) return null;
  return say.roundOfLoss(last.round, total, last.loss.toFixed(2));
}

function score(before: SessionView, after: SessionView): string | null {
  const last = after.scores.at(-1);
  if (last === undefined || before.scores.at(-1)?.round === last.round) return null;
  const constant = constantText(last.metric, last.constant);
  return say.dev(metricName(last.metric), scoreText(last.metric, last.value), constant === null ? '' : `; ${constant}`);
}
