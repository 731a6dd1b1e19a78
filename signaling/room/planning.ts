import type { RoomPlanAnswer, RoomProblem } from '../planner/room-plan.ts';
import { headParameterCount, layerParameterCount } from '../protocol/adapters.ts';
import { believable, unproven } from '../protocol/cost-model.ts';
import { uploadBytes } from '../protocol/exchange/upload-codec.ts';
import type { Measured } from '../protocol/messages.ts';
import type { RelayedPair, SplitModel } from '../protocol/pipeline/split-problem.ts';
import { splitModelOf } from '../protocol/pipeline/split-room.ts';
import type { RoomPlan } from '../protocol/plan.ts';
import type { Profile } from '../protocol/profile.ts';
import type { RoundReport } from '../protocol/room-view.ts';
import type { Policy, SessionSettings } from '../protocol/settings.ts';
import type { UnitRun } from '../protocol/split.ts';
import { correctedProfile, type FitState, isMeasured, observeRound, observeStage, startFit } from './fit.ts';
import { decideReplan, repredictSeconds } from './hysteresis.ts';
import { decideLayout, isSplitPlan, loadSeconds, splitSeconds, stageSeconds } from './re-layout.ts';
import { besideSeconds, leastBesideSeconds, renewed, withBeside } from './renewed.ts';

/** A device that a plan may use, as it measured itself when it joined. */
export interface Trainer {
  readonly id: string;
  readonly name: string;
  readonly profile: Profile;
  /** What of the model it has in memory. */
  readonly holds?: UnitRun | null | undefined;
}

/** What the room knows for planning beyond what everyone sees. */
export interface PlanningState {
  readonly fits: ReadonlyMap<string, FitState>;
  /** Drift comparisons in a row that promised enough; below 0 while the room rests after a change. */
  readonly confirmed: number;
  /** Who cannot meet, by the host's word. */
  readonly relayed: readonly RelayedPair[];
}

export const NO_PLANNING: PlanningState = { fits: new Map(), confirmed: 0, relayed: [] };

/** Of the pairs those of the room's devices, once each and in one order; everybody meets the host. The same object where nothing changes. */
export function withPairs(
  planning: PlanningState,
  pairs: readonly RelayedPair[],
  { devices, host }: { readonly devices: readonly { readonly id: string }[]; readonly host: string },
): PlanningState {
  const members = new Set(devices.map(({ id }) => id));
  const kept = new Map<string, RelayedPair>();
  for (const [a, b] of pairs) {
    const pair: RelayedPair = a < b ? [a, b] : [b, a];
    if (a !== b && pair.every((id) => id !== host && members.has(id))) kept.set(pair.join(' '), pair);
  }
  const relayed = [...kept].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, pair]) => pair);
  return JSON.stringify(relayed) === JSON.stringify(planning.relayed) ? planning : { ...planning, relayed };
}

/** The fits after a round's report; devices that are no trainers any more are forgotten. */
export function observeReport(
  fits: PlanningState['fits'],
  trainers: readonly Trainer[],
  plan: RoomPlan | null,
  report: RoundReport,
  layers: number,
  split?: { readonly model: SplitModel; readonly host: string },
): PlanningState['fits'] {
  const assignments = new Map(plan?.assignments.map((assignment) => [assignment.device, assignment]));
  const isSplit = plan !== null && isSplitPlan(plan);
  const observed = new Map(
    trainers.map(({ id, profile }) => {
      const known = fits.get(id);
      return [id, known?.calibrated === profile ? known : startFit(profile, layers)];
    }),
  );
  const profiles = new Map(trainers.map(({ id, profile }) => [id, profile]));
  for (const seen of report.devices) {
    const [fit, profile] = [observed.get(seen.device), profiles.get(seen.device)];
    if (fit === undefined || profile === undefined) continue;
    const own = assignments.get(seen.device);
    if (!isSplit) observed.set(seen.device, observeRound(fit, { ...seen, share: own?.share ?? 1 }));
    // Who took a stage over did another one than the plan's.
    else if (own && split && report.reassigned === 0) {
      const calibratedSeconds = stageSeconds(own, profile, split.model, split.host) ?? 0;
      observed.set(seen.device, observeStage(fit, seen.computeSeconds, calibratedSeconds));
    }
  }
  return observed;
}

/** The fits after a device did a piece of work that was no part of a round. */
export function observeTrial(
  fits: PlanningState['fits'],
  { id, profile }: Pick<Trainer, 'id' | 'profile'>,
  measured: Measured,
  layers: number,
): PlanningState['fits'] {
  const known = fits.get(id);
  const fit = known?.calibrated === profile ? known : startFit(profile, layers);
  const seen = { ...measured, uploadBits: 0, uploadSeconds: 0, share: 1 };
  return new Map(fits).set(id, observeRound(fit, seen));
}

/** Whether anything but the device's own word is known of its speed; a host takes its own. */
function isProven(fits: PlanningState['fits'], { id, profile }: Trainer, host: string): boolean {
  const fit = fits.get(id);
  return id === host || (fit?.calibrated === profile && isMeasured(fit));
}

/** A device as it measured itself, or as its rounds measured it since. */
export function measuredProfile(
  fits: PlanningState['fits'],
  { id, profile }: Pick<Trainer, 'id' | 'profile'>,
): Profile {
  const fit = fits.get(id);
  return fit?.calibrated === profile ? correctedProfile(fit) : profile;
}

/** Trainers with what is believed of them: what their rounds took; before, their own word, as far as it claims no large share. */
export function believedTrainers(
  trainers: readonly Trainer[],
  fits: PlanningState['fits'],
  host: string,
  layers: number,
): readonly Trainer[] {
  const known = trainers.map((trainer) => {
    const profile = believable(measuredProfile(fits, trainer));
    return { trainer, proven: isProven(fits, trainer, host), profile };
  });
  const proven = known.flatMap((one) => (one.proven ? [one.profile] : []));
  return known.map(({ trainer, profile, ...one }) => ({
    ...trainer,
    profile: one.proven ? profile : unproven(profile, layers, proven),
  }));
}

/** Whether a report proved a device that the plan had given less than its word: with it known, the plan is stale. */
export function provesOne(
  trainers: readonly Trainer[],
  before: PlanningState['fits'],
  after: PlanningState['fits'],
  host: string,
  layers: number,
): boolean {
  const isNew = trainers.map((trainer) => !isProven(before, trainer, host) && isProven(after, trainer, host));
  // As after most reports.
  if (!isNew.includes(true)) return false;
  const held = believedTrainers(trainers, before, host, layers);
  return trainers.some((trainer, i) => isNew[i] && held[i]?.profile !== trainer.profile);
}

/** `fits`: what rounds taught of the trainers; `as they are` where that is in their profiles. */
export function roomProblem(
  settings: SessionSettings,
  host: string,
  trainers: readonly Trainer[],
  fits: PlanningState['fits'] | 'as they are',
  roundsDone = 0,
  relayed: readonly RelayedPair[] = [],
): RoomProblem {
  const { shape, lora, task, training } = settings;
  return {
    layers: shape.layers,
    samples: training.samplesPerRound,
    layerUploadBits: Array.from({ length: shape.layers }, (_, i) => {
      const values = layerParameterCount(shape, lora, shape.layers - 1 - i);
      return values === 0 ? null : 8 * uploadBytes(values, training.uploads);
    }),
    headUploadBits: 8 * uploadBytes(headParameterCount(shape, task.labelCount), training.uploads),
    devices: (fits === 'as they are' ? trainers : believedTrainers(trainers, fits, host, shape.layers)).map(
      ({ id, name, profile, holds }) => ({
        id,
        name,
        profile,
        ...(holds !== undefined && { holds }),
      }),
    ),
    hostId: host,
    ...(relayed.length > 0 && { relayed }),
    policy: settings.policy,
    seed: training.seed,
    split: { model: splitModelOf(settings), roundsLeft: Math.max(0, training.rounds - roundsDone) },
  };
}

export interface PlanChange {
  readonly plan: RoomPlan | null;
  readonly note: string | null;
  readonly confirmed: number;
}

/**
 * Which plan a room has after the planner answered. `asked` is what it was asked for: a change of trainers, profiles or policy takes the
 * new plan at once, or where devices would have to load other parts of the model when that pays; a look for drift only takes one that gains
 * enough, twice in a row.
 */
export function choosePlan(
  current: { readonly plan: RoomPlan | null; readonly note: string | null; readonly confirmed: number },
  asked: 'change' | 'drift',
  answer: RoomPlanAnswer,
  context: {
    readonly trainers: readonly Trainer[];
    readonly fits: PlanningState['fits'];
    readonly relayed: PlanningState['relayed'];
    readonly host: string;
    readonly layers: number;
    readonly nextVersion: number;
    readonly policy: Policy;
    readonly split: NonNullable<RoomProblem['split']>;
    /** The latest, which say what rounds take beside their devices' work. */
    readonly rounds: readonly RoundReport[];
  },
): PlanChange {
  const beside = besideSeconds(context.rounds);
  const least = leastBesideSeconds(context.rounds);
  const isWhole = answer.feasible && !isSplitPlan(answer.plan);
  const fresh = isWhole ? withBeside(answer.plan, beside, least) : answer.feasible ? answer.plan : null;
  if (current.plan !== null && answer.feasible && fresh !== null) {
    const { trainers, fits, host, layers, policy, split, nextVersion } = context;
    const believed = believedTrainers(trainers, fits, host, layers);
    const profiles = new Map(believed.map(({ id, profile }) => [id, profile]));
    const isLayout = isSplitPlan(current.plan) || !isWhole;
    const currentSeconds = isSplitPlan(current.plan)
      ? splitSeconds(current.plan, believed, split.model, host, context.relayed)
      : repredictSeconds(current.plan.assignments, profiles, layers, host) + (isLayout ? 0 : beside);
    const loadingSeconds = isLayout ? loadSeconds(answer.plan, believed, split.model) : 0;
    const candidateSeconds = isLayout ? answer.plan.latencySeconds : fresh.latencySeconds;
    const taken = (sentence: string, confirmed: number): PlanChange => {
      const explanation = `${fresh.explanation} ${sentence}`.slice(0, 400);
      return { plan: { ...fresh, explanation, version: nextVersion }, note: null, confirmed };
    };
    if (asked === 'drift') {
      const spread = loadingSeconds / Math.max(1, split.roundsLeft);
      const decision = decideReplan(current.confirmed, {
        cause: 'drift',
        currentSeconds,
        candidateSeconds: candidateSeconds + spread,
      });
      if (decision.change) return taken(decision.sentence, decision.confirmed);
      const plan = isLayout
        ? current.plan
        : renewed(current.plan, answer.plan, {
            ...context,
            profiles,
            besideSeconds: beside,
            leastBesideSeconds: least,
          });
      return { plan, note: current.note, confirmed: decision.confirmed };
    }
    // Whoever chooses another policy gets it.
    if (isLayout && (policy === 'auto' || current.plan.policy === policy)) {
      const decision = decideLayout({ currentSeconds, candidateSeconds, loadingSeconds, roundsLeft: split.roundsLeft });
      return decision.change ? taken(decision.sentence, 0) : { plan: current.plan, note: current.note, confirmed: 0 };
    }
  }
  if (asked === 'drift' && current.plan !== null) {
    const decision = decideReplan(current.confirmed, {
      cause: 'drift',
      currentSeconds: current.plan.latencySeconds,
      candidateSeconds: null,
    });
    return { plan: current.plan, note: current.note, confirmed: decision.confirmed };
  }
  if (fresh !== null) return { plan: { ...fresh, version: context.nextVersion }, note: null, confirmed: 0 };
  return { plan: null, note: answer.feasible ? null : answer.reason.slice(0, 400), confirmed: 0 };
}
