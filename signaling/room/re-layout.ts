import { schedules } from '../protocol/pipeline/schedule.ts';
import type { RelayedPair, SplitModel } from '../protocol/pipeline/split-problem.ts';
import { splitDevicesOf } from '../protocol/pipeline/split-room.ts';
import { layersIn, relaysOf, timesOf } from '../protocol/pipeline/stages.ts';
import type { RoomAssignment, RoomPlan } from '../protocol/plan.ts';
import type { Profile } from '../protocol/profile.ts';
import { type Stage, type UnitRun, unitCount, wholeRun } from '../protocol/split.ts';
import { secondsText } from '../protocol/words/quantities.ts';
import { MIN_GAIN } from './hysteresis.ts';

/** A device as far as a layout is concerned. */
export interface Holder {
  readonly id: string;
  readonly profile: Profile;
  readonly holds?: UnitRun | null | undefined;
}

/** What is taken of a download where nobody measured it. */
const UNKNOWN_DOWNLOAD_BITS_PER_SECOND = 2e7;

type Staged = RoomAssignment & { readonly stage: Stage };
const isStaged = (assignment: RoomAssignment): assignment is Staged => assignment.stage !== undefined;

export const isSplitPlan = ({ assignments }: Pick<RoomPlan, 'assignments'>): boolean => assignments.some(isStaged);

/** Seconds of a round of a split plan under the profiles as they are now; Infinity where a stage's device is gone, or says nothing of units. */
export function splitSeconds(
  { assignments }: Pick<RoomPlan, 'assignments'>,
  holders: readonly Holder[],
  model: SplitModel,
  host: string,
  relayed: readonly RelayedPair[] = [],
): number {
  const devices = splitDevicesOf(holders, model.layers);
  const staged = assignments.filter(isStaged);
  const pipelines = [...new Set(staged.map(({ stage }) => stage.pipeline))];
  const times = pipelines.map((pipeline) => {
    const own = staged.filter(({ stage }) => stage.pipeline === pipeline).sort((a, b) => a.stage.index - b.stage.index);
    const placed = own.map(({ device }) => devices.find(({ id }) => id === device));
    return own.map(({ stage, samples }, s) => {
      const device = placed[s];
      if (device === undefined) return undefined;
      const relays = relaysOf({ relayed, devices, host }, placed[s - 1], device, placed[s + 1]);
      const ofPipeline = { ...model, samples: samples.count };
      return timesOf(ofPipeline, { device, run: stage }, stage.microBatches, stage.window, host, relays);
    });
  });
  const known = times.map((stages) => stages.flatMap((one) => (one === undefined ? [] : [one])));
  if (known.flat().length < staged.length) return Number.POSITIVE_INFINITY;
  return Math.max(0, ...schedules(known).map(({ seconds }) => seconds));
}

/** Seconds that a stage's passes take together, waiting left out. */
export function stageSeconds(
  assignment: RoomAssignment,
  profile: Profile,
  model: SplitModel,
  host: string,
): number | null {
  if (!isStaged(assignment)) return null;
  const { stage, samples } = assignment;
  const [device] = splitDevicesOf([{ id: assignment.device, profile }], model.layers);
  if (device === undefined) return null;
  const place = { device, run: stage };
  const times = timesOf({ ...model, samples: samples.count }, place, stage.microBatches, stage.window, host);
  return [...times.forwardSeconds, ...times.backwardSeconds].reduce((sum, seconds) => sum + seconds, 0);
}

/** Frozen bytes of the units of `run` that are not in `held`. */
function missingBytes(model: SplitModel, { parts, memory }: Profile, run: UnitRun, held: UnitRun | null): number {
  const has = (unit: number): boolean => held !== null && held.from <= unit && unit < held.to;
  if (parts === undefined) return held === null ? memory.weightsBytes : 0;
  const last = unitCount(model.layers) - 1;
  const layers = layersIn(model, run.from, run.to);
  const kept = held === null ? 0 : layersIn(model, Math.max(run.from, held.from), Math.min(run.to, held.to));
  return (
    (run.from === 0 && !has(0) ? parts.embeddingBytes : 0) +
    Math.max(0, layers - Math.max(0, kept)) * parts.layerBytes +
    (run.to > last && !has(last) ? parts.headBytes : 0)
  );
}

/** Seconds until every device of a plan holds what it needs there: the slowest of them. */
export function loadSeconds(
  { assignments }: Pick<RoomPlan, 'assignments'>,
  holders: readonly Holder[],
  model: SplitModel,
): number {
  const each = assignments.map(({ device, stage }) => {
    const holder = holders.find(({ id }) => id === device);
    // Devices that do not say what they hold have loaded the whole model before they measured themselves.
    if (holder === undefined || (holder.holds === undefined && stage === undefined)) return 0;
    const bytes = missingBytes(model, holder.profile, stage ?? wholeRun(model.layers), holder.holds ?? null);
    return (8 * bytes) / (holder.profile.downloadBitsPerSecond ?? UNKNOWN_DOWNLOAD_BITS_PER_SECOND);
  });
  return Math.max(0, ...each);
}

export interface ReLayout {
  readonly change: boolean;
  /** For people: what was decided, and why. */
  readonly sentence: string;
}

/** Whether another layout pays: what it saves in the rounds that are left is more than its loading takes, and more than times scatter. */
export function decideLayout({
  currentSeconds,
  candidateSeconds,
  loadingSeconds,
  roundsLeft,
}: {
  readonly currentSeconds: number;
  readonly candidateSeconds: number;
  readonly loadingSeconds: number;
  readonly roundsLeft: number;
}): ReLayout {
  if (!Number.isFinite(currentSeconds))
    return { change: true, sentence: 'The layout changes at once: the old one cannot run any more.' };
  const gain = currentSeconds - candidateSeconds;
  const saved = gain * roundsLeft;
  const times = `${secondsText(candidateSeconds)} a round instead of ${secondsText(currentSeconds)}`;
  if (gain <= MIN_GAIN * currentSeconds)
    return { change: false, sentence: 'The layout stays: another one would save too little.' };
  if (saved <= loadingSeconds)
    return {
      change: false,
      sentence: `The layout stays: another one would save ${secondsText(saved)} in the rounds left, and take ${secondsText(loadingSeconds)} to load.`,
    };
  return { change: true, sentence: `The layout changes: ${times}; loading takes ${secondsText(loadingSeconds)}.` };
}
