import { computeSeconds } from '../protocol/cost-model.ts';
import { median } from '../protocol/median.ts';
import type { RoomPlan } from '../protocol/plan.ts';
import { LOCAL_LINK_BITS_PER_SECOND, type Profile } from '../protocol/profile.ts';
import type { RoundReport } from '../protocol/room-view.ts';
import { repredictSeconds } from './hysteresis.ts';

/** Latest rounds that say what a round takes beside its devices' work. */
const LOOK_BACK = 8;
/** A prediction that is off by less stays: everybody is told each plan. */
const WORTH_TELLING = 0.04;

/**
 * Seconds of a round in which the device that was done last neither computed nor sent: drawing, messages, merging, the step. Whatever the plan,
 * they are there; 0 before the first round.
 */
export function besideSeconds(rounds: readonly RoundReport[]): number {
  const beside = besideOf(rounds);
  return beside.length === 0 ? 0 : median(beside);
}

/** The least of it, which is all that a bound may count: some of the rest was waiting, which other plans need not have. */
export function leastBesideSeconds(rounds: readonly RoundReport[]): number {
  const beside = besideOf(rounds);
  return beside.length === 0 ? 0 : Math.min(...beside);
}

function besideOf(rounds: readonly RoundReport[]): readonly number[] {
  return rounds.slice(-LOOK_BACK).flatMap(({ elapsedSeconds, devices }) => {
    const finishes = devices.map((one) => one.computeSeconds + one.uploadSeconds);
    return finishes.length === 0 ? [] : [Math.max(0, elapsedSeconds - Math.max(...finishes))];
  });
}

/** A plan as the planner made it, whose seconds are those of its devices' work, with what every plan takes beside. */
export function withBeside<Plan extends Omit<RoomPlan, 'version'>>(plan: Plan, seconds: number, least: number): Plan {
  if (seconds === 0) return plan;
  return {
    ...plan,
    latencySeconds: plan.latencySeconds + seconds,
    lowerBoundSeconds: plan.lowerBoundSeconds + least,
    ...(plan.alternatives && {
      alternatives: plan.alternatives.map((one) =>
        'seconds' in one ? { ...one, seconds: one.seconds + seconds } : one,
      ),
    }),
  };
}

/**
 * The plan that stays, with what it is predicted to take by now: devices that are all slower than they stated change no plan, and every
 * prediction. `fresh` is what the planner would do instead; its bound and its comparison are of today. The same plan where nothing is
 * worth telling.
 */
export function renewed(
  plan: RoomPlan,
  fresh: Omit<RoomPlan, 'version'>,
  context: {
    readonly profiles: ReadonlyMap<string, Profile>;
    readonly layers: number;
    readonly host: string;
    readonly besideSeconds: number;
    readonly leastBesideSeconds: number;
    readonly nextVersion: number;
  },
): RoomPlan {
  const { profiles, layers, host, besideSeconds: beside, leastBesideSeconds: least, nextVersion } = context;
  const seconds = repredictSeconds(plan.assignments, profiles, layers, host);
  if (
    !Number.isFinite(seconds) ||
    Math.abs(seconds + beside - plan.latencySeconds) <= WORTH_TELLING * plan.latencySeconds
  )
    return plan;
  const { alternatives } = fresh;
  const today: RoomPlan = {
    ...plan,
    version: nextVersion,
    latencySeconds: seconds,
    lowerBoundSeconds: Math.min(seconds, fresh.lowerBoundSeconds),
    assignments: plan.assignments.map((one) => {
      const profile = profiles.get(one.device);
      if (profile === undefined) return one;
      const depth = one.layers.length === 0 ? 0 : layers - Math.min(...one.layers);
      const rate = one.device === host ? LOCAL_LINK_BITS_PER_SECOND : one.share * profile.linkBitsPerSecond;
      return {
        ...one,
        computeSeconds: computeSeconds(profile, layers, one.samples.count, depth),
        uploadSeconds: one.uploadBits > 0 ? one.uploadBits / rate : 0,
      };
    }),
    ...(alternatives && { alternatives }),
  };
  return withBeside(today, beside, least);
}
