import type { RoomView } from '../../../signaling/protocol/room-view.ts';
import { countText } from '../../../signaling/protocol/words/lists.ts';
import { bytesText, percentText, secondsText } from '../../../signaling/protocol/words/quantities.ts';
import { runText } from '../../../signaling/protocol/words/units.ts';
import type { SessionView } from '../../session/view/view.ts';
import type { ScreenLock } from '../../tab/phone/phone-step.ts';
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

const TRY_AGAIN = 'It tries again by itself.';

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
  const hostName = room.devices.find(({ id }) => id === room.host)?.name ?? 'The host';
  if (status.kind === 'failed')
    return { title: 'This device cannot train', detail: `${status.sentence} The others go on without it.` };
  if (status.kind === 'loading')
    return {
      title: 'Getting ready',
      detail: `This device is loading the model${status.transfer === undefined ? '' : `: ${transferText(status.transfer)}`}.`,
    };
  if (status.kind === 'profiling') return { title: 'Getting ready', detail: 'This device is measuring its speed.' };
  if (status.kind === 'measured') {
    const stage = room.plan?.assignments.find(({ device }) => device === view.self)?.stage;
    const what =
      stage === undefined
        ? 'waits to be told which part of the model to hold'
        : `is to hold ${runText(stage, room.settings.shape.layers)}`;
    return { title: 'Measured', detail: `This device ${what}.` };
  }
  if (status.kind === 'joining') return { title: 'Joining', detail: 'This device is on its way into the session.' };
  if (status.kind === 'paused' && restReason !== null)
    return { title: 'Your device rests', detail: `${restReason} The others do its part.` };
  if (status.kind === 'paused')
    return { title: 'Your device is paused', detail: 'The others do its part. Go on whenever you like.' };
  if (isUnlinked(view)) {
    const why = view.linkTrouble === null ? 'This device waits for its link to the host.' : view.linkTrouble;
    return { title: 'Ready, but not linked', detail: `${why} ${TRY_AGAIN}` };
  }
  const work = ownWork(view, room);
  if (room.phase === 'gathering')
    return {
      title: 'Ready',
      detail:
        work === null ? `${hostName} starts the training.` : `It will train ${work}. ${hostName} starts the training.`,
    };
  if (room.phase === 'paused') return { title: 'Paused', detail: 'Nothing is lost; the host can go on at any time.' };
  if (work === null)
    return {
      title: 'Standing by',
      detail:
        'This plan is quicker without your device. It measures itself again now and then, and steps in when another one leaves.',
    };
  if (late)
    return {
      title: 'The others wait for your device',
      detail: 'This round takes more than twice its time. Keep this tab in front; if nothing comes, others take over.',
    };
  if (isDone(view)) return { title: 'Done with its part', detail: `It waits for the others. ${timeLeft}`.trim() };
  return { title: `Training ${work}`, detail: timeLeft };
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
    return { share, whole, centre: percentText(share), below: 'loaded', said: `${percentText(share)} is loaded` };
  }
  if (room.phase === 'gathering' || done === 0)
    return {
      share: roundShare(view),
      whole,
      centre: String(total),
      below: total === 1 ? 'round' : 'rounds',
      said: `${countText(total, 'round', 'rounds')} to come`,
    };
  return {
    share: room.phase === 'training' ? roundShare(view) : null,
    whole,
    centre: String(done),
    below: `of ${total}`,
    said: `${done} of ${countText(total, 'round is', 'rounds are')} done`,
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
    { what: tally.untold === 0 ? 'Of all the work' : 'Of the work since you came', value: percentText(share) },
    { what: 'Samples', value: given.samples.toLocaleString('en-US') },
    { what: 'Computing', value: secondsText(given.seconds) },
    { what: 'Sent', value: bytesText(given.uploadBits / 8) },
  ];
}

/** "1,088 samples in 34 rounds, a third of all the work." */
export function thanksSentence(tally: Tally, device: string): string {
  const given: Given | undefined = tally.devices.get(device);
  const share = shareOf(tally, device);
  if (given === undefined || share === null)
    return 'Your device was there for the others, even if no round needed it yet.';
  const samples = `${given.samples.toLocaleString('en-US')} ${given.samples === 1 ? 'sample' : 'samples'}`;
  return `Your device worked on ${samples} in ${countText(given.rounds, 'round', 'rounds')}: ${percentText(share)} of all the work, ${secondsText(given.seconds)} of computing.`;
}

/** What a battery at this charge or below cannot do for long. */
const LOW_BATTERY = 0.2;

export function batteryText({ level, charging }: Battery): string {
  const text = `Battery ${Math.round(100 * level)} %${charging ? ', charging' : ''}`;
  return level <= LOW_BATTERY && !charging ? `${text}: plug it in, or pause it` : text;
}

export const slowText = (times: number): string =>
  `Your device has become ${times.toFixed(1)} times slower since it began; it may be hot. Give it air, or pause it for a while.`;

export const SCREEN_TEXT: Readonly<Record<ScreenLock, string>> = {
  on: 'The screen stays on by itself.',
  none: '',
  asking: '',
  refused: 'This browser did not keep the screen on (a low battery does that): touch it now and then, or plug it in.',
  absent:
    'This browser cannot keep the screen on: set it to stay on in the device’s settings. A locked device stops training.',
};
