import { deepestDepth } from '../adapters.ts';
import { computeSeconds, EVALUATION_SHARE, forwardSecondsPerToken } from '../cost-model.ts';
import { EVALUATION_SAMPLE, MAX_DEVICES_IN_ROOM, MAX_ROUNDS } from '../limits.ts';
import { median } from '../median.ts';
import { LOCAL_LINK_BITS_PER_SECOND, type Profile } from '../profile.ts';
import type { DeviceView, RoomView, RoundReport } from '../room-view.ts';
import type { SessionSettings } from '../settings.ts';
import { countText } from './lists.ts';
import { secondsText, timeLeftText } from './quantities.ts';

/** Rounds that the time left is judged by. */
const PACE_ROUNDS = 10;
/** What people wait for without planning their evening. */
const SOON_SECONDS = 15 * 60;
/** Less is not worth a sentence. */
const LEAST_SAVED = 0.05;

/** What is to come of a session, as its devices are now. */
export interface Forecast {
  /** As measured in the last rounds; as the plan predicts before the first. */
  readonly secondsPerRound: number;
  readonly roundsLeft: number;
  /** Of the rounds that are left, with the scores that are measured beside them. */
  readonly roundsSeconds: number;
  /** Of the last score, which is waited for. */
  readonly lastScoreSeconds: number;
}

type Room = Pick<RoomView, 'settings' | 'plan' | 'devices'>;

const profilesOf = (devices: readonly DeviceView[]): readonly Profile[] =>
  devices.flatMap(({ status, profile }) => (status.kind === 'ready' && profile !== null ? [profile] : []));

/** Seconds in which these devices evaluate so many examples together. */
export function evaluationSeconds(
  profiles: readonly Profile[],
  settings: Pick<SessionSettings, 'shape' | 'task'>,
  examples: number,
): number {
  const { devTokens = settings.task.roundTokens } = settings.task;
  const rate = profiles.reduce((sum, profile) => sum + 1 / forwardSecondsPerToken(profile, settings), 0);
  return (examples * devTokens) / rate;
}

/** Null where nothing can be said: no plan and no round yet. */
export function forecast({ settings, plan, devices }: Room, reports: readonly RoundReport[]): Forecast | null {
  const { rounds, evaluateEvery } = settings.training;
  const { devExamples } = settings.task;
  const recent = reports.slice(-PACE_ROUNDS).map(({ elapsedSeconds }) => elapsedSeconds);
  const profiles = profilesOf(devices);
  if (profiles.length === 0 || (plan === null && recent.length === 0)) return null;
  const roundsLeft = Math.max(0, rounds - (reports.at(-1)?.round ?? 0));
  const secondsPerRound = recent.length > 0 ? median(recent) : (plan?.latencySeconds ?? 0);
  const plain = secondsPerRound * roundsLeft;
  const scores = 1 + (evaluateEvery > 0 ? Math.floor((rounds - 1) / evaluateEvery) : 0);
  const beside = scores * evaluationSeconds(profiles, settings, Math.min(devExamples, EVALUATION_SAMPLE));
  return {
    secondsPerRound,
    roundsLeft,
    // Measured rounds have what was scored beside them in them.
    roundsSeconds: plain + (recent.length > 0 ? 0 : Math.min(EVALUATION_SHARE * plain, beside)),
    lastScoreSeconds: evaluationSeconds(profiles, settings, devExamples),
  };
}

export const totalSeconds = ({ roundsSeconds, lastScoreSeconds }: Forecast): number => roundsSeconds + lastScoreSeconds;

/** "about 4 min in all": all rounds and scores, were a round to take these seconds. */
export function wholeText(room: Room, secondsPerRound: number): string {
  const seen = room.plan && forecast({ ...room, plan: { ...room.plan, latencySeconds: secondsPerRound } }, []);
  return seen === null ? '' : `${timeLeftText(totalSeconds(seen))} in all`;
}

/** How often rounds go through the training examples. */
export const epochsOf = (rounds: number, { training, task }: Pick<SessionSettings, 'training' | 'task'>): number =>
  (rounds * training.samplesPerRound) / task.trainExamples;

/** "0.24 epochs", "1 epoch", "3.8 epochs". */
export function epochsText(epochs: number): string {
  const text = epochs >= 9.95 ? String(Math.round(epochs)) : String(Number(epochs.toPrecision(2)));
  return `${text} ${text === '1' ? 'epoch' : 'epochs'}`;
}

/** The most rounds that end, with their scores, within these seconds on these devices; null where not one does, or nothing can be said. */
export function roundsWithin(room: Room, seconds: number): number | null {
  const seen = forecast(room, []);
  if (seen === null) return null;
  const { secondsPerRound, lastScoreSeconds } = seen;
  const rounds = Math.floor((seconds - lastScoreSeconds) / (secondsPerRound * (1 + EVALUATION_SHARE)));
  return rounds < 1 ? null : Math.min(rounds, MAX_ROUNDS);
}

/** The same room with one more device: a copy of the one that computes quickest. */
export interface Another {
  readonly like: Pick<DeviceView, 'id' | 'name'>;
  readonly devices: readonly DeviceView[];
}

/** The way to the host of a device that is only supposed, where nobody in the room has one. */
const SUPPOSED_LINK_BITS_PER_SECOND = 5e7;
/** No device's id: those are longer. */
const ANOTHER = 'another0';

/** Null where nobody has measured anything, or there is no room for one more. */
export function withAnother({ settings, devices }: Pick<RoomView, 'settings' | 'devices'>): Another | null {
  const { layers } = settings.shape;
  const depth = deepestDepth(settings.lora, layers);
  const ready = devices.filter(({ status, linked }) => status.kind === 'ready' && linked);
  const timed = ready.flatMap((device) =>
    device.profile === null
      ? []
      : [{ device, profile: device.profile, seconds: computeSeconds(device.profile, layers, 1, depth) }],
  );
  const best = timed.toSorted((a, b) => a.seconds - b.seconds || a.device.id.localeCompare(b.device.id))[0];
  if (best === undefined || ready.length >= MAX_DEVICES_IN_ROOM) return null;
  const links = timed.map(({ profile }) => profile.linkBitsPerSecond).filter((b) => b < LOCAL_LINK_BITS_PER_SECOND);
  const own = best.profile.linkBitsPerSecond;
  const linkBitsPerSecond =
    own < LOCAL_LINK_BITS_PER_SECOND ? own : links.length > 0 ? Math.max(...links) : SUPPOSED_LINK_BITS_PER_SECOND;
  const { id, name } = best.device;
  const copy = {
    ...best.device,
    id: ANOTHER,
    name: `another ${name}`,
    profile: { ...best.profile, linkBitsPerSecond },
  };
  return { like: { id, name }, devices: [...ready, copy] };
}

/** Before the start: what the session takes on these devices; empty without a plan. */
export function forecastSentence(room: Room): string {
  const seen = forecast(room, []);
  if (seen === null) return '';
  const { secondsPerRound, roundsLeft, lastScoreSeconds } = seen;
  const rounds = countText(roundsLeft, 'round', 'rounds');
  const epochs = epochsText(epochsOf(roundsLeft, room.settings));
  return `${rounds} (${epochs}) of ${secondsText(secondsPerRound)} each take ${timeLeftText(totalSeconds(seen))}, ${secondsText(lastScoreSeconds)} of it for the last score.`;
}

/** How far a long session comes soon; null of a short one. */
export function soonSentence(room: Room): string | null {
  const seen = forecast(room, []);
  const rounds = roundsWithin(room, SOON_SECONDS);
  if (seen === null || rounds === null || totalSeconds(seen) < 1.2 * SOON_SECONDS) return null;
  return `In ${SOON_SECONDS / 60} minutes these devices do ${countText(rounds, 'round', 'rounds')} (${epochsText(epochsOf(rounds, room.settings))}) and a score: fewer rounds fit better, or press finish then.`;
}

/** "With another device like laptop: about 33 % less."; null where it would hardly be. Seconds of a round as planned without it and with it. */
export function anotherSentence(like: string, nowSeconds: number, thenSeconds: number): string | null {
  const saved = nowSeconds > 0 ? 1 - thenSeconds / nowSeconds : 0;
  return saved < LEAST_SAVED ? null : `With another device like ${like}: about ${Math.round(100 * saved)} % less.`;
}
