import type { DeviceView, RoomView } from '../../../signaling/protocol/room-view.ts';
import { forecast, forecastSentence, totalSeconds } from '../../../signaling/protocol/words/forecast.ts';
import { capitalised, countText, listText } from '../../../signaling/protocol/words/lists.ts';
import { OPENING_STEPS } from '../../../signaling/protocol/words/opening.ts';
import { percentText, timeLeftText } from '../../../signaling/protocol/words/quantities.ts';
import type { SessionView } from '../../session/view/view.ts';
import * as say from '../../words/watch/session.ts';
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
        title: say.preparingTheSession,
        detail: openingSteps(opening).find(({ state }) => state === 'now')?.text ?? '',
      };
    if (view.atDoor !== null && view.server !== 'reconnecting')
      return { title: say.waitingForToLetYou(hostName ?? say.theHost), detail: view.atDoor };
    return view.server === 'reconnecting'
      ? { title: say.lookingForTheServer, detail: say.itDoesNotAnswerTrying }
      : {
          title: say.connecting,
          detail: view.role === 'host' ? say.askingTheServer : say.askingForTheRoom,
        };
  }
  const away = view.ended === null ? hostAway(view) : null;
  if (away !== null) return away;
  const { done, total, secondsLeft } = roundsProgress(view, room);
  const evaluating = evaluation === null ? null : say.evaluatingOfDevExamples(evaluation.done, evaluation.total);
  switch (room.phase) {
    case 'gathering':
      return {
        title: room.plan === null ? say.gatheringDevices : say.readyToStart,
        detail: [gatheringText(room), forecastSentence(room)].filter((text) => text !== '').join(' '),
      };
    case 'training': {
      const left = secondsLeft === null ? '' : `${capitalised(timeLeftText(secondsLeft))} left.`;
      const title = done === 0 ? say.firstOf(countText(total, say.round, say.rounds)) : say.roundOf(done, total);
      if (done === total && evaluating !== null) return { title, detail: evaluating };
      const beside = evaluation === null ? '' : say.scoredBesideTheRounds(evaluation.done, evaluation.total);
      return { title, detail: `${left === '' ? betweenText(done) : left}${beside}` };
    }
    case 'paused':
      return {
        title: say.pausedAfter(countText(done, say.round, say.rounds)),
        detail: evaluating ?? say.nothingIsLostTheHost,
      };
    case 'finished': {
      const judged = (view.scores.at(-1)?.round ?? -1) >= done;
      const detail = view.ended ?? evaluating ?? (judged ? READY[view.role] : say.theLastScore);
      return { title: say.finishedAfter(countText(done, say.round, say.rounds)), detail };
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
  if (ended?.includes('took this device out') === true) return say.thisDeviceWasRemoved;
  if (room !== null) return say.thisSessionIsOver;
  return role === 'host' ? say.theSessionCouldNotBegin : say.thisDeviceIsNot;
}

/** Training without a pace to judge by: before the first round, or after the last. */
const betweenText = (done: number): string => (done > 0 ? say.theLastScore : say.theFirstGradients);

const READY: Readonly<Record<SessionView['role'], string>> = {
  host: say.theAdapterIsReady,
  device: say.theHostHasTheAdapter,
  watcher: say.theHostHasTheAdapter,
};

function gatheringText(room: RoomView): string {
  const trainers = room.devices.filter((device) => device.status.kind !== 'watching');
  const ready = trainers.filter((device) => device.status.kind === 'ready').length;
  if (trainers.length === ready) return `${countText(ready, say.deviceIs, say.devicesAre)} ready.`;
  return say.ofReady(ready, countText(trainers.length, say.device, say.devices));
}

/** Why the host cannot start yet, or null when it can. */
export function startObstacle(room: RoomView): string | null {
  if (room.plan !== null) return null;
  const waiting = room.devices.filter((device) => device.status.kind !== 'watching');
  if (waiting.some((device) => device.status.kind === 'ready'))
    return room.planNote === null ? say.thePlannerIsMaking : say.thereIsNoPlan;
  const doing = waiting.filter((device) => device.status.kind !== 'failed').map(preparation);
  if (doing.length === 0) return say.noDeviceHereCanTrain;
  return say.noDeviceIsReadyYet(doing.length > 3 ? say.areGettingReady(doing.length) : listText(doing));
}

function preparation({ name, status }: DeviceView): string {
  if (status.kind === 'profiling') return say.isMeasuringItsSpeed(name);
  if (status.kind === 'loading')
    return say.isLoadingTheModel(name, status.total > 0 ? ` (${percentText(status.done / status.total)})` : '');
  return say.isJoining(name);
}

/** What becomes of a session when its host's tab is closed. */
function withoutHost({ heirs, kept }: SessionView): string {
  if (heirs.length > 0) return say.ifItIsClosedAnother;
  return kept === null ? say.closingItEndsTheSession : say.everyoneWaitsWhile;
}

/** What this very tab does for the session, and what its person should do about it. */
export function roleSentence(view: SessionView): string {
  const { room, role } = view;
  if (view.atDoor !== null && view.ended === null) return say.keepThisTabOpenNothing;
  if (room === null || view.ended !== null) return '';
  if (role === 'watcher') return say.youAreWatchingThisTab;
  const work = ownWork(view, room);
  if (room.phase === 'finished') return role === 'host' ? say.keepThisTabOpenUntil : say.yourDeviceIsDoneYou;
  if (role === 'host') {
    const also = work === null ? '' : say.and(room.phase === 'training' ? 'trains' : say.willTrain, work);
    const holds = view.followed ? say.theHostWentAwayThisTabHolds : say.thisTabHoldsTheSession;
    return say.keepItOpenAndVisible(holds, also, withoutHost(view));
  }
  if (view.status.kind === 'failed') return '';
  if (view.status.kind !== 'ready') return say.yourDeviceIsGettingReady;
  const linked = room.devices.find((device) => device.id === view.self)?.linked ?? true;
  if (!linked) return say.yourDeviceIsReady;
  if (room.plan === null) return say.yourDeviceIsReadyKeep;
  if (work === null) return say.yourDeviceStands;
  const verb = room.phase === 'training' ? say.youAreTrainingTitle : say.youWillTrain;
  return say.keepThisTabOpen(verb, work);
}
