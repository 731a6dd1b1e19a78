/**
 * The running fit of a device's cost coefficients from measured rounds: state and observation in, state out.
 *
 * Model of one order of n samples down to depth d (0 is the head alone), seconds:
 *
 *     y = o + n * v(d),   v(d) = c + d * g,   c = embed + layers * forward + head
 *
 * From rounds alone `embed`, `forward` and `head` cannot be told apart, so c is fitted and split as calibration found it. Depths
 * that no round used move in proportion with those that were; the overhead moves only once sample counts differ, or with the pace.
 *
 * Robust in two ways. Within `BAND` of what is known, an observation enters a window, of which medians are taken. Outside, it is a
 * suspect: forgotten as soon as the next round is back to normal (a garbage collection, a tab hidden for a moment), believed when
 * `CONFIRM` of them follow each other on the same side (throttling, a second program). A confirmed change of pace scales the
 * whole model and the window, so that what is known of the shape survives.
 */

import { isotonic, nearestLine, type WeightedPoint, weightedMedian } from '../planner/algorithms/robust.ts';
import { believable, paced } from '../protocol/cost-model.ts';
import { MAX_SAMPLES_PER_ROUND } from '../protocol/limits.ts';
import { median } from '../protocol/median.ts';
import type { Profile } from '../protocol/profile.ts';
import { LOCAL_LINK_BITS_PER_SECOND } from '../protocol/profile.ts';

/** What one device's part in one round took. */
export interface RoundObservation {
  readonly samples: number;
  /** Layers that the backward pass went through; 0 is the head only. */
  readonly deepestDepth: number;
  /** The whole order, forward and backward. */
  readonly computeSeconds: number;
  readonly uploadBits: number;
  /**
   * Seconds from the end of compute until the host held everything. Uploads start during compute, so this can only show that a link is
   * slower than believed, never that it is faster.
   */
  readonly uploadSeconds: number;
  /** Share of the airtime that the plan gave the device, 0 to 1. */
  readonly share: number;
}

interface ComputeSample {
  readonly samples: number;
  readonly depth: number;
  readonly seconds: number;
}

/** Coefficients of y = overhead + n * (base + d * perDepth), seconds; none is ever negative. */
interface Cost {
  readonly overhead: number;
  readonly base: number;
  readonly perDepth: number;
}

export interface FitState {
  readonly calibrated: Profile;
  readonly layers: number;
  readonly cost: Cost;
  /** Seconds per sample by depth, of depths with enough rounds, as when the cost was fitted. */
  readonly usual: ReadonlyMap<number, number>;
  /** Newest last. */
  readonly window: readonly ComputeSample[];
  /** Of those in the window, how many came since the cost was fitted to it. */
  readonly unfitted: number;
  /** Observations in a row, all too slow or all too fast for what is known. */
  readonly suspects: readonly ComputeSample[];
  /** Of rounds as a stage of a pipeline: seconds, in those of the calibration. Newest last. */
  readonly stagePaces: readonly number[];
  /** Newest last; bits per second of the device alone, starting as the calibrated rate. */
  readonly linkRates: readonly number[];
}

/** Ratio between measured and known from which an observation is a suspect. */
const BAND = 1.4;
/** Suspects in a row that make a change of pace. */
export const CONFIRM = 3;
const WINDOW = 64;
/** With so many observations in the window one more says little: the cost is then fitted to every eighth. */
const SETTLED = 32;
const REFIT_EVERY = 8;
/** Observations that the calibration counts as; it was a median itself. */
const PRIOR = 3;
const LINK_WINDOW = 9;
/** Weight of an observation against one a round newer. */
const FADE = 0.95;
/** How far the overhead moves towards what the window says, per round. */
const OVERHEAD_STEP = 0.25;
/** Pull of the line towards its last value at both ends, in observations. */
const INERTIA = 0.05;
/** Standard deviation of what calibration may have got wrong between forward and backward. */
const SHAPE_DOUBT = 0.1;
/** Two sample counts tell overhead and work apart from this ratio on. */
const SPREAD = 1.25;
/** A first round so many times slower than the device stated is believed at once: what it stated gave it the wrong work. */
const OVERRULE = 4;
/** Shorter than any order and any timer's resolution. */
const MIN_SECONDS = 1e-6;
const MAX_SECONDS = 1e6;
const TINY = 1e-12;

/** Rounds as a stage of a pipeline that a device's pace is the median of. */
const STAGE_WINDOW = 5;

/**
 * What a stage's passes took together, and what the calibration says that they take. Of a stage the parts are not told apart: all that the device
 * measured of itself is that many times as long.
 */
export function observeStage(state: FitState, seconds: number, calibratedSeconds: number): FitState {
  if (!(seconds >= MIN_SECONDS && seconds <= MAX_SECONDS && calibratedSeconds >= MIN_SECONDS)) return state;
  return { ...state, stagePaces: [...state.stagePaces, seconds / calibratedSeconds].slice(-STAGE_WINDOW) };
}

export function startFit(calibrated: Profile, layers: number): FitState {
  return {
    calibrated,
    layers,
    cost: calibratedCost(believable(calibrated), layers),
    usual: new Map(),
    window: [],
    unfitted: 0,
    suspects: [],
    stagePaces: [],
    linkRates: Array(LINK_WINDOW).fill(calibrated.linkBitsPerSecond),
  };
}

function calibratedCost({ overheadSeconds, secondsPerSample }: Profile, layers: number): Cost {
  const { embed, forwardPerLayer, backwardPerLayer, head } = secondsPerSample;
  return { overhead: overheadSeconds, base: embed + layers * forwardPerLayer + head, perDepth: backwardPerLayer };
}

/** Whether any of its rounds was timed. */
export const isMeasured = ({ window, suspects, stagePaces }: FitState): boolean =>
  window.length + suspects.length + stagePaces.length > 0;

/** What cannot be a measurement (no samples, a depth that the model lacks, times that are not positive numbers) changes nothing. */
export function observeRound(state: FitState, seen: RoundObservation): FitState {
  return observeLink(observeCompute(state, seen), seen);
}

const corrected = new WeakMap<FitState, Profile>();

/** The calibrated profile with compute and link coefficients as rounds corrected them. One state is asked about many times, and worked out once. */
export function correctedProfile(state: FitState): Profile {
  const known = corrected.get(state);
  if (known !== undefined) return known;
  const profile = correct(state);
  corrected.set(state, profile);
  return profile;
}

function correct(state: FitState): Profile {
  const { layers } = state;
  const { cost } = state.unfitted > 0 ? fitted(state, state.window) : state;
  const calibrated = believable(state.calibrated);
  const { embed, forwardPerLayer, head } = calibrated.secondsPerSample;
  const { base } = calibratedCost(calibrated, layers);
  const scale = base > 0 ? cost.base / base : 0;
  const bounded = (seconds: number) => Math.min(MAX_SECONDS, seconds);
  const whole = {
    ...calibrated,
    overheadSeconds: bounded(cost.overhead),
    secondsPerSample: {
      embed: bounded(embed * scale),
      forwardPerLayer: bounded(base > 0 ? forwardPerLayer * scale : cost.base / layers),
      backwardPerLayer: bounded(cost.perDepth),
      head: bounded(head * scale),
    },
    linkBitsPerSecond: median(state.linkRates),
  };
  return state.stagePaces.length === 0 ? whole : paced(whole, median(state.stagePaces));
}

function observeCompute(state: FitState, seen: RoundObservation): FitState {
  const { samples, deepestDepth: depth, computeSeconds: seconds } = seen;
  if (!(samples >= 1 && samples <= MAX_SAMPLES_PER_ROUND && depth >= 0 && depth <= state.layers)) return state;
  if (!(seconds >= MIN_SECONDS && seconds <= MAX_SECONDS)) return state;
  const sample: ComputeSample = { samples, depth, seconds };
  const deviation = Math.log(seconds / known(state, sample));
  if (Math.abs(deviation) <= Math.log(BAND)) return accept({ ...state, suspects: [] }, [sample]);
  const sameSide = state.suspects.filter((old) => Math.log(old.seconds / known(state, old)) * deviation > 0);
  const suspects = [...sameSide, sample];
  const overruled = !isMeasured(state) && deviation > Math.log(OVERRULE);
  if (suspects.length < CONFIRM && !overruled) return { ...state, suspects };
  return accept(changePace({ ...state, suspects: [] }, suspects), suspects);
}

/** Seconds that an order should take: by the device's own rounds at that depth if there are enough, else by the fitted line. */
function known({ cost, usual }: FitState, { samples, depth }: ComputeSample): number {
  return Math.max(TINY, cost.overhead + samples * (usual.get(depth) ?? lineAt(cost, depth)));
}

/** Scales line and window by the suspects' median factor, unless they are merely the first news of a depth never seen. */
function changePace(state: FitState, suspects: readonly ComputeSample[]): FitState {
  const seenDepth = suspects.some(({ depth }) => state.window.some((old) => old.depth === depth));
  if (state.window.length > 0 && !seenDepth) return state;
  const factor = median(suspects.map((sample) => sample.seconds / known(state, sample)));
  return {
    ...state,
    cost: scaled(state.cost, factor),
    usual: new Map([...state.usual].map(([depth, seconds]) => [depth, seconds * factor])),
    window: state.window.map((old) => ({ ...old, seconds: old.seconds * factor })),
  };
}

function accept(state: FitState, fresh: readonly ComputeSample[]): FitState {
  const first = fresh[0]!;
  const prior = { ...first, seconds: Math.max(MIN_SECONDS, predicted(state.cost, first)) };
  const earlier = state.window.length > 0 ? state.window : Array<ComputeSample>(PRIOR).fill(prior);
  const window = [...earlier, ...fresh].slice(-WINDOW);
  const waits = fresh.length === 1 && window.length >= SETTLED && state.unfitted + 1 < REFIT_EVERY;
  if (waits) return { ...state, window, unfitted: state.unfitted + 1 };
  return { ...state, window, unfitted: 0, ...fitted(state, window) };
}

type Fitted = Pick<FitState, 'cost' | 'usual'>;

function fitted({ cost, calibrated, layers }: FitState, window: readonly ComputeSample[]): Fitted {
  const overhead = fitOverhead(cost.overhead, window);
  return fitLine({ ...cost, overhead }, calibratedCost(believable(calibrated), layers), window);
}

/**
 * Moves the overhead towards the weighted median of the intercepts through pairs of rounds at one depth with different sample counts
 * (Theil and Sen's line). Without such pairs it stays, but never exceeds a whole round.
 */
function fitOverhead(overhead: number, window: readonly ComputeSample[]): number {
  const weights = fadingWeights(window.length);
  const shortest = window.reduce((least, { seconds }) => Math.min(least, seconds), Number.POSITIVE_INFINITY);
  const counts = window.map(({ samples }) => samples);
  // As in most rounds: no pair can tell anything.
  if (Math.max(...counts) < SPREAD * Math.min(...counts)) return Math.min(shortest, overhead);
  const intercepts: number[] = [];
  const pairWeights: number[] = [];
  window.forEach((a, i) => {
    for (let j = 0; j < i; j += 1) {
      const b = window[j]!;
      const [few, many] = a.samples < b.samples ? [a, b] : [b, a];
      if (a.depth !== b.depth || many.samples < SPREAD * few.samples) continue;
      intercepts.push((many.samples * few.seconds - few.samples * many.seconds) / (many.samples - few.samples));
      pairWeights.push(weights[i]! * weights[j]! * (1 - few.samples / many.samples));
    }
  });
  if (intercepts.length === 0) return Math.min(shortest, overhead);
  const found = Math.min(shortest, Math.max(0, weightedMedian(intercepts, pairWeights)));
  return overhead + OVERHEAD_STEP * (found - overhead);
}

/**
 * Per-depth medians, made monotone, then the line c + d * g with c, g >= 0 that is nearest in relative squares. Both ends are held by two
 * lines, scaled to what the depths say together: weakly by the last one, so that depths without rounds keep what was learned; and by the
 * calibrated one, the more the rounds scatter, so that noise at two depths does not pass for another slope.
 */
function fitLine(cost: Cost, calibrated: Cost, window: readonly ComputeSample[]): Fitted {
  const weights = fadingWeights(window.length);
  const depths = [...new Set(window.map(({ depth }) => depth))].sort((a, b) => a - b);
  const depthWeights = depths.map((depth) =>
    window.reduce((sum, sample, index) => sum + (sample.depth === depth ? weights[index]! : 0), 0),
  );
  const perSample = depths.map((depth) => perSampleSeconds(window, depth, cost.overhead));
  const scatter = weightedMedian(
    window.map(({ samples, depth, seconds }) => {
      const usual = cost.overhead + samples * perSample[depths.indexOf(depth)]!;
      return Math.abs(Math.log(seconds / Math.max(TINY, usual)));
    }),
    weights,
  );
  const points = isotonic(perSample, depthWeights).map((value, index): WeightedPoint => {
    return { depth: depths[index]!, value, weight: depthWeights[index]! };
  });
  const hold = (line: Cost, weight: number): WeightedPoint[] => {
    const factors = points.map(({ depth, value }) => value / Math.max(TINY, lineAt(line, depth)));
    const pace = weightedMedian(factors, depthWeights);
    const ends = [0, Math.max(...depths, 1)];
    return ends.map((depth) => ({ depth, value: pace * lineAt(line, depth), weight }));
  };
  // 1.4826 times the median deviation is a normal distribution's standard deviation.
  const trust = ((1.4826 * scatter) / SHAPE_DOUBT) ** 2;
  const rounds = (depth: number): number => window.filter((old) => old.depth === depth).length;
  return {
    cost: { ...cost, ...nearestLine([...points, ...hold(cost, INERTIA), ...hold(calibrated, trust)]) },
    usual: new Map(depths.flatMap((depth, i) => (rounds(depth) < CONFIRM ? [] : [[depth, perSample[i]!] as const]))),
  };
}

/**
 * The rate if the device had the channel to itself. It paces itself to share * its calibrated rate, so no faster rate can show;
 * a link that recovered shows as the calibrated rate again.
 */
function observeLink(state: FitState, { uploadBits, uploadSeconds, share }: RoundObservation): FitState {
  const calibrated = state.calibrated.linkBitsPerSecond;
  if (calibrated >= LOCAL_LINK_BITS_PER_SECOND || !(uploadBits > 0 && share > 0 && share <= 1)) return state;
  if (!(uploadSeconds >= 0 && uploadSeconds <= MAX_SECONDS && uploadBits < Infinity)) return state;
  const rate = Math.min(calibrated, uploadBits / Math.max(TINY, uploadSeconds * share));
  return { ...state, linkRates: [...state.linkRates, rate].slice(-LINK_WINDOW) };
}

const lineAt = (cost: Cost, depth: number) => cost.base + depth * cost.perDepth;

const predicted = (cost: Cost, { samples, depth }: ComputeSample) => cost.overhead + samples * lineAt(cost, depth);

const scaled = (cost: Cost, factor: number): Cost => ({
  overhead: cost.overhead * factor,
  base: cost.base * factor,
  perDepth: cost.perDepth * factor,
});

/** (window) 1 for the newest observation. */
const fadingWeights = (length: number): readonly number[] => FADING[length] ?? fading(length);

const fading = (length: number): readonly number[] =>
  Array.from({ length }, (_, index) => FADE ** (length - 1 - index));

/** By length: every observation of every device needs them several times. */
const FADING = Array.from({ length: WINDOW + CONFIRM + 1 }, (_, length) => fading(length));

/** Weighted median over the observations at one depth; never negative. */
function perSampleSeconds(window: readonly ComputeSample[], depth: number, overhead: number): number {
  const fading = fadingWeights(window.length);
  const seconds: number[] = [];
  const weights: number[] = [];
  for (let i = 0; i < window.length; i++) {
    const sample = window[i]!;
    if (sample.depth !== depth) continue;
    seconds.push(Math.max(0, sample.seconds - overhead) / sample.samples);
    weights.push(fading[i]!);
  }
  return weightedMedian(seconds, weights);
}
