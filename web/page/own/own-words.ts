import type { RoomView } from '../../../signaling/protocol/room-view.ts';
import { countText } from '../../../signaling/protocol/words/lists.ts';
import { bytesText, percentText, secondsText } from '../../../signaling/protocol/words/quantities.ts';
import { runText } from '../../../signaling/protocol/words/units.ts';
import type { SessionView } from '../../session/view/view.ts';
import type { ScreenLock } from '../../tab/phone/phone-step.ts';
import * as say from '../../words/watch/own.ts';
import { tooQuickToShow } from '../cloth/cloth.ts';
import { hostAway } from '../cloth/host-away.ts';
import { ownWork } from '../cloth/own-work.ts';
import { transferText } from '../devices/device-lines.ts';
import type { Given, Tally } from './given.ts';
import { shareOf } from './given.ts';
import type { Battery } from './phone.ts';

/** What a device says of itself to its person. */
export interface OwnState {
  readonly title: string;
  readonly detail: string;
}

const TRY_AGAIN = say.itTriesAgainByItself;

/** A device's state in a line: the first rule that applies. Null where the session as a whole says it better: before it and after it. */
export function ownState(
  view: SessionView,
  timeLeft: string,
  late = false,
  restReason: string | null = null,
): OwnState | null {
  const { room, status } = view;
  if (room === null || view.ended !== null || room.phase === 'finished') return null;
  const away = hostAway(view);
  if (away !== null) return away;
  const hostName = room.devices.find(({ id }) => id === room.host)?.name ?? say.theHost;
  if (status.kind === 'failed')
    return { title: say.thisDeviceCannotTrain, detail: say.theOthersGoOnWithout(status.sentence) };
  if (status.kind === 'loading')
    return {
      title: say.gettingReady,
      detail: say.thisDeviceIsLoading(status.transfer === undefined ? '' : `: ${transferText(status.transfer)}`),
    };
  if (status.kind === 'profiling') return { title: say.gettingReady, detail: say.thisDeviceIsMeasuring };
  if (status.kind === 'measured') {
    const stage = room.plan?.assignments.find(({ device }) => device === view.self)?.stage;
    const what = stage === undefined ? say.waitsToBeTold : say.isToHold(runText(stage, room.settings.shape.layers));
    return { title: say.measured, detail: say.thisDevice(what) };
  }
  if (status.kind === 'joining') return { title: say.joining, detail: say.thisDeviceIsOnItsWayInto };
  if (status.kind === 'paused' && restReason !== null)
    return { title: say.yourDeviceRests, detail: say.theOthersDoItsPart(restReason) };
  if (status.kind === 'paused') return { title: say.yourDeviceIsPaused, detail: say.theOthersDoItsPartGo };
  if (isUnlinked(view)) {
    const why = view.linkTrouble === null ? say.thisDeviceWaits : view.linkTrouble;
    return { title: say.readyButNotLinked, detail: `${why} ${TRY_AGAIN}` };
  }
  const work = ownWork(view, room);
  if (room.phase === 'gathering')
    return {
      title: say.ready,
      detail: work === null ? say.startsTheTraining(hostName) : say.itWillTrainStarts(work, hostName),
    };
  if (room.phase === 'paused') return { title: say.paused, detail: say.nothingIsLostTheHost };
  if (work === null)
    return {
      title: say.standingBy,
      detail: say.thisPlanIsQuickerWithout,
    };
  if (late)
    return {
      title: say.theOthersWait,
      detail: say.thisRoundTakesMoreThan,
    };
  if (isDone(view)) return { title: say.doneWithItsPart, detail: say.itWaitsForTheOthers(timeLeft).trim() };
  return { title: say.training(work), detail: timeLeft };
}

export function isUnlinked({ room, self }: Pick<SessionView, 'room' | 'self'>): boolean {
  return room?.devices.find(({ id }) => id === self)?.linked === false;
}

/** Everything that was asked of this device in this round is with the host, and the round is slow enough for that to be worth a word. */
function isDone(view: SessionView): boolean {
  if (tooQuickToShow(view.rounds)) return false;
  const entry = view.activity?.devices.find(({ device }) => device === view.self);
  return entry !== undefined && entry.expected > 0 && entry.received >= entry.expected;
}

/** What is drawn as a ring; shares are 0 to 1. */
export interface Ring {
  /** Of this round what this device has handed in, or of its download; null where nothing of the kind goes on. */
  readonly share: number | null;
  /** Of all rounds. */
  readonly whole: number;
  readonly centre: string;
  readonly below: string;
  /** The same in words. */
  readonly said: string;
}

export function ringOf(view: SessionView, room: RoomView): Ring {
  const { status } = view;
  const total = room.settings.training.rounds;
  const done = Math.min(total, view.rounds.at(-1)?.round ?? 0);
  const whole = done / total;
  if (status.kind === 'loading') {
    const share = loadedShare(status);
    return { share, whole, centre: percentText(share), below: 'loaded', said: say.isLoaded(percentText(share)) };
  }
  if (room.phase === 'gathering' || done === 0)
    return {
      share: roundShare(view),
      whole,
      centre: String(total),
      below: total === 1 ? 'round' : 'rounds',
      said: say.toCome(countText(total, say.round, say.rounds)),
    };
  return {
    share: room.phase === 'training' ? roundShare(view) : null,
    whole,
    centre: String(done),
    below: say.ofWord(total),
    said: say.ofDone(done, countText(total, say.roundIs, say.roundsAre)),
  };
}

function loadedShare(status: Extract<SessionView['status'], { kind: 'loading' }>): number {
  const { bytes, totalBytes } = status.transfer ?? { bytes: status.done, totalBytes: status.total };
  return totalBytes > 0 ? Math.min(1, bytes / totalBytes) : 0;
}

/** Null where rounds are too quick to be followed. */
function roundShare(view: SessionView): number | null {
  if (tooQuickToShow(view.rounds)) return null;
  const entry = view.activity?.devices.find(({ device }) => device === view.self);
  return entry === undefined || entry.expected === 0 ? 0 : Math.min(1, entry.received / entry.expected);
}

export interface GivenLine {
  readonly what: string;
  readonly value: string;
}

/** What this device has given so far; empty before it has given anything. */
export function givenLines(tally: Tally, device: string): readonly GivenLine[] {
  const given = tally.devices.get(device);
  const share = shareOf(tally, device);
  if (given === undefined || share === null) return [];
  return [
    { what: tally.untold === 0 ? say.ofAllTheWork : say.ofTheWorkSinceYou, value: percentText(share) },
    { what: say.samples, value: given.samples.toLocaleString('en-US') },
    { what: say.computing, value: secondsText(given.seconds) },
    { what: say.sent, value: bytesText(given.uploadBits / 8) },
  ];
}

/** "1,088 samples in 34 rounds, a third of all the work." */
export function thanksSentence(tally: Tally, device: string): string {
  const given: Given | undefined = tally.devices.get(device);
  const share = shareOf(tally, device);
  if (given === undefined || share === null) return say.yourDeviceWasThere;
  const samples = `${given.samples.toLocaleString('en-US')} ${given.samples === 1 ? 'sample' : 'samples'}`;
  return say.yourDeviceWorked(
    samples,
    countText(given.rounds, say.round, say.rounds),
    percentText(share),
    secondsText(given.seconds),
  );
}

/** What a battery at this charge or below cannot do for long. */
const LOW_BATTERY = 0.2;

export function batteryText({ level, charging }: Battery): string {
  const text = say.batteryPercent(Math.round(100 * level), charging ? say.charging : '');
  return level <= LOW_BATTERY && !charging ? say.plugItInOrPause(text) : text;
}

export const slowText = (times: number): string => say.yourDeviceHasBecomeTimes(times.toFixed(1));

export const SCREEN_TEXT: Readonly<Record<ScreenLock, string>> = {
  on: say.theScreenStays,
  none: '',
  asking: '',
  refused: say.thisBrowserDidNotKeep,
  absent: say.thisBrowserCannotKeep,
};
