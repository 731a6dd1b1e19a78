import { deepestDepth } from '../adapters.ts';
import { computeSeconds, EVALUATION_SHARE, forwardSecondsPerToken } from '../cost-model.ts';
import { EVALUATION_SAMPLE } from '../limits.ts';
import { median } from '../median.ts';
import type { Profile } from '../profile.ts';
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

/** How often rounds go through the training examples. */
export const epochsOf = (rounds: number, { training, task }: Pick<SessionSettings, 'training' | 'task'>): number =>
  (rounds * training.samplesPerRound) / task.trainExamples;

/** "0.24 epochs", "1 epoch", "3.8 epochs". */
export function epochsText(epochs: number): string {
  const text = epochs >= 9.95 ? String(Math.round(epochs)) : String(Number(epochs.toPrecision(2)));
  return `${text} ${text === '1' ? 'epoch' : 'epochs'}`;
}

/**
 * What part of a round's time one more device like `like` would save where computing decides: devices share samples in proportion to their
 * speed, down to the lowest layer with adapters.
 */
export function savedByAnother({ settings, devices }: Room, like: Profile): number {
  const { layers } = settings.shape;
  const depth = deepestDepth(settings.lora, layers);
  const speed = (profile: Profile) =>
    1 / (computeSeconds(profile, layers, 1, depth) - profile.overheadSeconds || Number.MIN_VALUE);
  const together = profilesOf(devices).reduce((sum, profile) => sum + speed(profile), 0);
  return speed(like) / (together + speed(like));
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
  if (seen === null || totalSeconds(seen) < 1.2 * SOON_SECONDS) return null;
  const { secondsPerRound, lastScoreSeconds } = seen;
  const rounds = Math.floor((SOON_SECONDS - lastScoreSeconds) / (secondsPerRound * (1 + EVALUATION_SHARE)));
  if (rounds < 1) return null;
  return `In ${SOON_SECONDS / 60} minutes these devices do ${countText(rounds, 'round', 'rounds')} (${epochsText(epochsOf(rounds, room.settings))}) and a score: fewer rounds fit better, or press finish then.`;
}

/** "Another device like laptop would save about 33 % of the time."; null where it would hardly. */
export function anotherSentence(room: Room, self: string): string | null {
  const own = room.devices.find(({ id }) => id === self);
  // Without a plan nobody knows whether anything can be trained at all.
  if (room.plan === null || own?.profile == null || own.status.kind !== 'ready') return null;
  const saved = savedByAnother(room, own.profile);
  return saved < LEAST_SAVED ? null : `With another device like ${own.name}: about ${Math.round(100 * saved)} % less.`;
}
