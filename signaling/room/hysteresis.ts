import { computeSeconds } from '../protocol/cost-model.ts';
import type { RoomAssignment } from '../protocol/plan.ts';
import { LOCAL_LINK_BITS_PER_SECOND, type Profile } from '../protocol/profile.ts';
import { secondsText } from '../protocol/words/quantities.ts';

/** Part of a round's latency that a new plan must save before the room changes to it: measured times scatter by nearly as much. */
export const MIN_GAIN = 0.1;
/** Comparisons in a row, one per round, that must promise the gain. */
export const CONFIRMATIONS = 2;
/** Comparisons after a change for drift in which none counts: what made it change is only known roughly at first. */
export const REST = 5;

/** Why the planner was asked: `drift` is its regular look at the corrected profiles. */
export type ReplanCause = 'joined' | 'left' | 'drift';

export interface ReplanInput {
  readonly cause: ReplanCause;
  /** The plan that runs, re-predicted under the corrected profiles; Infinity when one of its devices is gone. */
  readonly currentSeconds: number;
  /** The plan that could run instead, under the same profiles; null when there is none. */
  readonly candidateSeconds: number | null;
}

export interface ReplanDecision {
  readonly change: boolean;
  /** For people: what was decided, and why. */
  readonly sentence: string;
  /** To be handed to the next decision; below 0 while the room rests after a change. */
  readonly confirmed: number;
}

/**
 * Whether a room should change its plan. Devices that come or go and plans that cannot run any more change it at once; drift only
 * if the candidate saves more than `minGain` in `confirmations` comparisons in a row, and not
 * within `REST` comparisons of the last such change, so that noise never makes a room flap.
 * `confirmed` is what the last decision returned, 0 for a new plan.
 */
export function decideReplan(
  confirmed: number,
  { cause, currentSeconds, candidateSeconds }: ReplanInput,
  { minGain = MIN_GAIN, confirmations = CONFIRMATIONS } = {},
): ReplanDecision {
  const rested = Math.min(0, confirmed + 1);
  const keep = (sentence: string, count = rested): ReplanDecision => ({ change: false, sentence, confirmed: count });
  const change = (sentence: string): ReplanDecision => ({ change: true, sentence, confirmed: 0 });
  if (candidateSeconds === null)
    return keep(
      Number.isFinite(currentSeconds)
        ? 'The plan stays: no other plan is feasible.'
        : 'The plan cannot run any more, and no other plan is feasible.',
    );
  if (!Number.isFinite(currentSeconds)) return change('The plan changes at once: the old one cannot run any more.');
  const times = `${secondsText(candidateSeconds)} a round instead of ${secondsText(currentSeconds)}`;
  if (cause === 'joined') return change(`The plan changes at once: a device joined; ${times}.`);
  if (cause === 'left') return change(`The plan changes at once: a device left; ${times}.`);
  const gain = currentSeconds > 0 ? 1 - candidateSeconds / currentSeconds : 0;
  const threshold = percent(minGain);
  if (gain <= minGain)
    return keep(`The plan stays: another one would save ${percent(Math.max(0, gain))}, less than ${threshold}.`);
  const count = confirmed + 1;
  if (count <= 0)
    return keep(`The plan stays for now: it changed a moment ago; another one would save ${percent(gain)}.`);
  if (count < confirmations)
    return keep(
      `The plan stays for now: another one would save ${percent(gain)} (${count} of ${confirmations}).`,
      count,
    );
  return {
    change: true,
    sentence: `The plan changes: it saves ${percent(gain)}, seen ${count} times in a row; ${times}.`,
    confirmed: -REST,
  };
}

/**
 * Largest compute + upload of the assignments, in seconds, under the profiles as they are now; shares stay as planned.
 * Infinity when an assignment's device has no profile any more. `layers` is the model's number of layers; the host sends nothing.
 */
export function repredictSeconds(
  assignments: readonly RoomAssignment[],
  profiles: ReadonlyMap<string, Profile>,
  layers: number,
  hostId: string,
): number {
  const finishes = assignments.map(({ device, layers: owned, samples, uploadBits, share }) => {
    const profile = profiles.get(device);
    if (profile === undefined) return Infinity;
    const depth = owned.length === 0 ? 0 : layers - Math.min(...owned);
    const rate = device === hostId ? LOCAL_LINK_BITS_PER_SECOND : share * profile.linkBitsPerSecond;
    const uploadSeconds = uploadBits > 0 ? uploadBits / rate : 0;
    return computeSeconds(profile, layers, samples.count, depth) + uploadSeconds;
  });
  return Math.max(0, ...finishes);
}

const percent = (part: number) => `${Math.round(100 * part)} %`;
