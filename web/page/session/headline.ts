import type { DeviceView, RoomView } from '../../../signaling/protocol/room-view.ts';
import { forecast, forecastSentence, totalSeconds } from '../../../signaling/protocol/words/forecast.ts';
import { capitalised, countText, listText } from '../../../signaling/protocol/words/lists.ts';
import { OPENING_STEPS } from '../../../signaling/protocol/words/opening.ts';
import { percentText, timeLeftText } from '../../../signaling/protocol/words/quantities.ts';
import type { SessionView } from '../../session/view/view.ts';
import { hostAway } from '../cloth/host-away.ts';
import { ownWork } from '../cloth/own-work.ts';

export interface RoundsProgress {
  readonly done: number;
  readonly total: number;
  /** 0 to 1. */
  readonly share: number;
  /** With the last score; null before the first round and when nothing more is to come. */
  readonly secondsLeft: number | null;
}

export function roundsProgress(
  view: Pick<SessionView, 'rounds'>,
  room: Pick<RoomView, 'settings' | 'phase' | 'plan' | 'devices'>,
): RoundsProgress {
  const total = room.settings.training.rounds;
  const done = Math.min(total, view.rounds.at(-1)?.round ?? 0);
  const over = room.phase === 'finished' || done === total || done === 0;
  const seen = over ? null : forecast(room, view.rounds);
  return { done, total, share: done / total, secondsLeft: seen && totalSeconds(seen) };
}

export interface Headline {
  readonly title: string;
  readonly detail: string;
}

/** What is going on, said once at the top of the page; `hostName` is whom somebody waits for who is not in yet. */
export function headline(view: SessionView, hostName: string | null = null): Headline {
  const { room, opening, evaluation } = view;
  if (view.ended !== null && room?.phase !== 'finished') return { title: endedTitle(view), detail: view.ended };
  if (room === null) {
    if (opening !== null)
      return {
        title: 'Preparing the session',
        detail: openingSteps(opening).find(({ state }) => state === 'now')?.text ?? '',
      };
    if (view.atDoor !== null && view.server !== 'reconnecting')
      return { title: `Waiting for ${hostName ?? 'the host'} to let you in`, detail: view.atDoor };
    return view.server === 'reconnecting'
      ? { title: 'Looking for the server', detail: 'It does not answer; trying again.' }
      : {
          title: 'Connecting',
          detail: view.role === 'host' ? 'Asking the server for a room.' : 'Asking for the room.',
        };
  }
  const away = view.ended === null ? hostAway(view) : null;
  if (away !== null) return away;
  const { done, total, secondsLeft } = roundsProgress(view, room);
  const evaluating = evaluation === null ? null : `Evaluating: ${evaluation.done} of ${evaluation.total} dev examples.`;
  switch (room.phase) {
    case 'gathering':
      return {
        title: room.plan === null ? 'Gathering devices' : 'Ready to start',
        detail: [gatheringText(room), forecastSentence(room)].filter((text) => text !== '').join(' '),
      };
    case 'training': {
      const left = secondsLeft === null ? '' : `${capitalised(timeLeftText(secondsLeft))} left.`;
      const title = done === 0 ? `First of ${countText(total, 'round', 'rounds')}` : `Round ${done} of ${total}`;
      if (done === total && evaluating !== null) return { title, detail: evaluating };
      const beside =
        evaluation === null ? '' : ` Scored beside the rounds: ${evaluation.done} of ${evaluation.total} examples.`;
      return { title, detail: `${left === '' ? betweenText(done) : left}${beside}` };
    }
    case 'paused':
      return {
        title: `Paused after ${countText(done, 'round', 'rounds')}`,
        detail: evaluating ?? 'Nothing is lost; the host can go on at any time.',
      };
    case 'finished': {
      const judged = (view.scores.at(-1)?.round ?? -1) >= done;
      const detail = view.ended ?? evaluating ?? (judged ? READY[view.role] : 'The last score is on its way.');
      return { title: `Finished after ${countText(done, 'round', 'rounds')}`, detail };
    }
  }
}

/** The steps of the host's preparation, in their order, and how far each is. */
export function openingSteps({ stage: now }: NonNullable<SessionView['opening']>) {
  const at = OPENING_STEPS.findIndex(({ stage }) => stage === now);
  return OPENING_STEPS.map(({ stage, text }, i) => ({
    stage,
    text,
    state: i < at ? ('done' as const) : i === at ? ('now' as const) : ('later' as const),
  }));
}

function endedTitle({ room, role, ended }: SessionView): string {
  // The session goes on without it.
  if (ended?.includes('took this device out') === true) return 'This device was removed';
  if (room !== null) return 'This session is over';
  return role === 'host' ? 'The session could not begin' : 'This device is not in the session';
}

/** Training without a pace to judge by: before the first round, or after the last. */
const betweenText = (done: number): string =>
  done > 0 ? 'The last score is on its way.' : 'The first gradients are on their way.';

const READY: Readonly<Record<SessionView['role'], string>> = {
  host: 'The adapter is ready.',
  device: 'The host has the adapter.',
  watcher: 'The host has the adapter.',
};

function gatheringText(room: RoomView): string {
  const trainers = room.devices.filter((device) => device.status.kind !== 'watching');
  const ready = trainers.filter((device) => device.status.kind === 'ready').length;
  if (trainers.length === ready) return `${countText(ready, 'device is', 'devices are')} ready.`;
  return `${ready} of ${countText(trainers.length, 'device', 'devices')} ready.`;
}

/** Why the host cannot start yet, or null when it can. */
export function startObstacle(room: RoomView): string | null {
  if (room.plan !== null) return null;
  const waiting = room.devices.filter((device) => device.status.kind !== 'watching');
  if (waiting.some((device) => device.status.kind === 'ready'))
    return room.planNote === null ? 'The planner is making the first plan.' : 'There is no plan for these devices yet.';
  const doing = waiting.filter((device) => device.status.kind !== 'failed').map(preparation);
  if (doing.length === 0) return 'No device here can train. Open the link on another one.';
  return `No device is ready yet: ${doing.length > 3 ? `${doing.length} are getting ready` : listText(doing)}.`;
}

function preparation({ name, status }: DeviceView): string {
  if (status.kind === 'profiling') return `${name} is measuring its speed`;
  if (status.kind === 'loading')
    return `${name} is loading the model${status.total > 0 ? ` (${percentText(status.done / status.total)})` : ''}`;
  return `${name} is joining`;
}

/** What becomes of a session when its host's tab is closed. */
function withoutHost({ heirs, kept }: SessionView): string {
  if (heirs.length > 0) return 'if it is closed, another device goes on in its place after a few seconds';
  return kept === null ? 'closing it ends the session for everyone' : 'everyone waits while it is closed';
}

/** What this very tab does for the session, and what its person should do about it. */
export function roleSentence(view: SessionView): string {
  const { room, role } = view;
  if (view.atDoor !== null && view.ended === null)
    return 'Keep this tab open. Nothing is downloaded or measured before you are in.';
  if (room === null || view.ended !== null) return '';
  if (role === 'watcher') return 'You are watching; this tab does no work and can be closed at any time.';
  const work = ownWork(view, room);
  if (room.phase === 'finished')
    return role === 'host'
      ? 'Keep this tab open until you have taken what you want.'
      : 'Your device is done; you can close this tab.';
  if (role === 'host') {
    const also = work === null ? '' : `, and ${room.phase === 'training' ? 'trains' : 'will train'} ${work}`;
    const holds = view.followed ? 'The host went away: this tab holds the session now' : 'This tab holds the session';
    return `${holds}${also}. Keep it open and visible; ${withoutHost(view)}.`;
  }
  if (view.status.kind === 'failed') return '';
  if (view.status.kind !== 'ready') return 'Your device is getting ready. Keep this tab open and visible.';
  const linked = room.devices.find((device) => device.id === view.self)?.linked ?? true;
  if (!linked) return 'Your device is ready and waits for its link to the host. Keep this tab open and visible.';
  if (room.plan === null) return 'Your device is ready. Keep this tab open and visible.';
  if (work === null)
    return 'Your device stands by: this plan is quicker without it. It steps in when another one leaves.';
  const verb = room.phase === 'training' ? 'You are training' : 'You will train';
  return `${verb} ${work}. Keep this tab open and visible.`;
}
