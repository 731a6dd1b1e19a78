import * as v from 'valibot';
import { loadingSeconds } from '../protocol/pipeline/stages.ts';
import { type Alternative, type RoomPlan, RoomPlanSchema } from '../protocol/plan.ts';
import { LOCAL_LINK_BITS_PER_SECOND, type Profile } from '../protocol/profile.ts';
import type { Policy } from '../protocol/settings.ts';
import { type UnitRun, wholeRun } from '../protocol/split.ts';
import { POLICY_WORDS } from '../protocol/words/policies.ts';
import type { DetailedProblem } from './problem/problem.ts';
import { planSplit, type SplitRoom, type SplitRoomAnswer, shortLook, splitProblem } from './replicas/split-room.ts';
import { atStart, MAX_REASON, type SolveOptions, solve } from './solve.ts';

export interface RoomDevice {
  readonly id: string;
  /** What people call it, for explanations. */
  readonly name: string;
  readonly profile: Profile;
  /** What of the model it has in memory; absent, or null, where it does not say. */
  readonly holds?: UnitRun | null | undefined;
}

/** What the planner needs to know of a room. */
export interface RoomProblem extends SplitRoom {
  readonly devices: readonly RoomDevice[];
  readonly policy: Policy;
  readonly seed: number;
  /** Only whether plans in which every device holds the whole model have become better: what they are compared with stays as it is. */
  readonly wholeAlone?: boolean;
}

export type RoomPlanAnswer =
  | { readonly feasible: true; readonly plan: Omit<RoomPlan, 'version'> }
  | { readonly feasible: false; readonly reason: string };

/** A room as a problem over the airtime channel: W = 1, shares of one medium, each device's own measured rate. */
export function detailedProblem(room: RoomProblem): DetailedProblem {
  return {
    model: {
      layers: room.layers,
      samples: room.samples,
      head: { uploadBits: room.headUploadBits },
      layerUploadBits: room.layerUploadBits,
    },
    devices: room.devices.map(({ id, profile }) => ({
      id,
      overheadSeconds: profile.overheadSeconds,
      secondsPerSample: profile.secondsPerSample,
      memory: profile.memory,
      // The host's gradients travel through its own memory, whatever it stated.
      bitsPerSecondPerHz: id === room.hostId ? LOCAL_LINK_BITS_PER_SECOND : profile.linkBitsPerSecond,
    })),
    bandwidthHz: 1,
    channel: 'airtime',
    // A host whose own engine failed still merges what the others train.
    ...(room.devices.some(({ id }) => id === room.hostId) ? { host: room.hostId } : {}),
  };
}

/** A plan is told to everybody, who refuse one that is not valid: the room would be frozen. */
const ToldPlanSchema = v.omit(RoomPlanSchema, ['version']);
const UNTELLABLE = 'what the devices state of themselves comes to no plan; look for one that states impossible times';

/** From what the devices measured to who does what. Pure and deterministic; the order of the devices does not matter. */
export function planRoom(room: RoomProblem, options: Pick<SolveOptions, 'now'> = {}): RoomPlanAnswer {
  const hostTrains = room.devices.some((device) => device.id === room.hostId);
  if (!hostTrains && room.policy === 'offload')
    return {
      feasible: false,
      reason: 'The host does not train, and with this policy nobody else does. Choose another.',
    };
  const started = options.now?.() ?? 0;
  const timed = (answer: RoomPlanAnswer): RoomPlanAnswer => {
    if (!answer.feasible) return answer;
    const plan = { ...answer.plan, solveMs: Math.max(0, (options.now?.() ?? 0) - started) };
    return v.is(ToldPlanSchema, plan) ? { feasible: true, plan } : { feasible: false, reason: UNTELLABLE };
  };
  if (room.policy === 'split') return timed(withTime(planSplit(room)));
  const whole = planWhole(room);
  const mayBeWhole = whole.feasible && room.wholeAlone === true;
  return timed(room.policy === 'auto' && room.split !== undefined && !mayBeWhole ? orSplit(room, whole) : whole);
}

/** Plans in which every device holds the whole model. */
function planWhole(room: RoomProblem): RoomPlanAnswer {
  const names = new Map(room.devices.map((device) => [device.id, device.name]));
  const answer = solve(detailedProblem(room), room.policy, {
    seed: room.seed,
    nameOf: (id) => names.get(id) ?? id,
  });
  if (!answer.feasible) return { feasible: false, reason: answer.reason };
  const { feasible: _, assignments, alternatives, ...rest } = answer;
  return {
    feasible: true,
    plan: {
      ...rest,
      ...(alternatives ? { alternatives: [...alternatives] } : {}),
      assignments: assignments.map(({ depth: _depth, bandwidthHz: _hertz, share, ...work }) => ({
        ...work,
        layers: [...work.layers],
        share: Math.min(share, 1),
      })),
    },
  };
}

const withTime = (answer: SplitRoomAnswer): RoomPlanAnswer =>
  answer.feasible ? { feasible: true, plan: { ...answer.plan, solveMs: 0 } } : answer;

/** A split plan that a short look finds within so many times the seconds of the whole model's is looked for with all effort. */
const NEAR = 1.02;
/**
 * So much of a round a split model must save. Parts are measured apart from the whole, and the two agree no better than that; and in such a
 * room rounds and evaluations wait for each other.
 */
const CLEARLY = 0.1;

/** The whole model's best plan, or a pipeline where that is the only way, or predicted to be quicker with what it must fetch. */
function orSplit(room: RoomProblem, whole: RoomPlanAnswer): RoomPlanAnswer {
  const looked = whole.feasible ? shortLook(room) : null;
  if (
    whole.feasible &&
    looked !== null &&
    !('seconds' in looked && looked.seconds < NEAR * whole.plan.latencySeconds)
  ) {
    const outcome: Alternative =
      'seconds' in looked
        ? { policy: 'split', seconds: looked.seconds }
        : { policy: 'split', reason: looked.reason.slice(0, MAX_REASON) };
    return { feasible: true, plan: { ...whole.plan, alternatives: [...(whole.plan.alternatives ?? []), outcome] } };
  }
  const split = planSplit(room);
  if (!whole.feasible && !split.feasible) {
    // A room whose devices know nothing of single layers has one way to be planned.
    const asProblem = splitProblem(room);
    return 'reason' in asProblem ? whole : { feasible: false, reason: `${whole.reason}; split, ${split.reason}` };
  }
  const isWhole = split.feasible && holdsWhole(split.plan, room.layers);
  const outcome: Alternative = isWhole
    ? { policy: 'split', reason: 'every device would hold the whole model' }
    : split.feasible
      ? { policy: 'split', seconds: split.plan.latencySeconds }
      : { policy: 'split', reason: split.reason.slice(0, MAX_REASON) };
  if (!whole.feasible) {
    if (!split.feasible) return whole;
    const explanation = `${atStart('split')} is the only way that works here. ${split.plan.explanation}`;
    return { feasible: true, plan: { ...split.plan, solveMs: 0, explanation, alternatives: [outcome] } };
  }
  const alternatives = [...(whole.plan.alternatives ?? []), outcome];
  const rounds = Math.max(1, room.split?.roundsLeft ?? Infinity);
  const wholeSeconds = whole.plan.latencySeconds + wholeLoadingSeconds(room, whole.plan.assignments) / rounds;
  if (
    !split.feasible ||
    isWhole ||
    split.plan.latencySeconds + split.loadingSeconds / rounds >= wholeSeconds * (1 - CLEARLY)
  )
    return { feasible: true, plan: { ...whole.plan, alternatives } };
  const saved = 100 * (1 - split.plan.latencySeconds / whole.plan.latencySeconds);
  const rival = POLICY_WORDS[whole.plan.policy].inSentence;
  const why =
    saved >= 0.1
      ? `${atStart('split')} is quickest, ${saved.toFixed(saved < 10 ? 1 : 0)} % below ${rival}.`
      : `${atStart('split')} has least to fetch.`;
  return {
    feasible: true,
    plan: { ...split.plan, solveMs: 0, explanation: `${why} ${split.plan.explanation}`, alternatives },
  };
}

/** Nothing is split where every pipeline is one device: such a plan is called what it is, data-parallel. */
function holdsWhole({ assignments }: Pick<RoomPlan, 'assignments'>, layers: number): boolean {
  const { from, to } = wholeRun(layers);
  return assignments.every(({ stage }) => stage !== undefined && stage.from === from && stage.to === to);
}

/** Until every device of a plan has the whole model; devices that do not say what they hold have it. */
function wholeLoadingSeconds(room: RoomProblem, assignments: RoomPlan['assignments']): number {
  const problem = splitProblem(room);
  if ('reason' in problem) return 0;
  const used = new Set(assignments.map(({ device }) => device));
  const asked = new Set(room.devices.flatMap(({ id, holds }) => (holds === undefined ? [] : [id])));
  return problem.devices
    .filter(({ id }) => used.has(id) && asked.has(id))
    .reduce((most, device) => Math.max(most, loadingSeconds(problem.split, { device, run: wholeRun(room.layers) })), 0);
}
