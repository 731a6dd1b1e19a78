import { microBatchSizes, type UnitRun, unitCount } from '../split.ts';
import type { SplitDevice, SplitModel, SplitProblem } from './split-problem.ts';

/**
 * What a stage costs: seconds of its passes, bits of its messages, bytes that it holds. Units, and L, D, M, S as in docs/planner.md; `low`
 * is the lowest trained unit. A stage trains where its run reaches above `low`; it sends gradients down where all of it lies above.
 */

/** How far a stage goes forward ahead of its backward passes: the last stage 1 micro-batch, and so many more for every stage below it. */
export const WINDOW_RULES = [1, 2, 'all'] as const;
export type WindowRule = (typeof WINDOW_RULES)[number];

export interface PlacedStage {
  readonly device: SplitDevice;
  readonly run: UnitRun;
}

/** The lowest trained unit; the head is always trained. */
export const lowestUnit = ({ layers, trainedLayers }: SplitModel): number => layers + 1 - trainedLayers;

export const trains = (model: SplitModel, run: UnitRun): boolean => run.to > lowestUnit(model);
export const sendsDown = (model: SplitModel, run: UnitRun): boolean => run.from > lowestUnit(model);

export const layersIn = ({ layers }: SplitModel, from: number, to: number): number =>
  Math.max(0, Math.min(to, layers + 1) - Math.max(from, 1));

/** Layers of the run that go backward. */
export const backwardLayers = (model: SplitModel, { from, to }: UnitRun): number =>
  layersIn(model, Math.max(from, lowestUnit(model)), to);

/** Of a micro-batch of `samples` samples. */
export function forwardSeconds(model: SplitModel, { device, run }: PlacedStage, samples: number): number {
  const { fixedSeconds: fixed, secondsPerSample: each } = device;
  const embedded = run.from === 0 ? fixed.embed + each.embed * samples : 0;
  return embedded + layersIn(model, run.from, run.to) * (fixed.forwardPerLayer + each.forwardPerLayer * samples);
}

/** Of a micro-batch of `samples` samples, the head's forward pass with it; 0 where nothing is trained. */
export function backwardSeconds(model: SplitModel, { device, run }: PlacedStage, samples: number): number {
  if (!trains(model, run)) return 0;
  const { fixedSeconds: fixed, secondsPerSample: each } = device;
  const head = run.to === unitCount(model.layers) ? fixed.head + each.head * samples : 0;
  return backwardLayers(model, run) * (fixed.backwardPerLayer + each.backwardPerLayer * samples) + head;
}

/** Bits of a message of `samples` samples over the cut below `unit`, up or down. */
export const cutBits = (model: SplitModel, unit: number, samples: number): number =>
  samples * (unit === model.layers + 1 ? model.headCutBits : model.hiddenBits) + model.messageBits;

/** Bits of all gradients of a run, sent to the host once a round. */
export function gradientBits(model: SplitModel, run: UnitRun): number {
  const { layers, layerUploadBits: bits, headUploadBits } = model;
  const head = run.to === unitCount(layers) ? headUploadBits : 0;
  if (typeof bits === 'number') return backwardLayers(model, run) * bits + head;
  const first = Math.max(run.from, lowestUnit(model), 1) - 1;
  return bits.slice(first, Math.max(first, Math.min(run.to, layers + 1) - 1)).reduce((a, b) => a + b, head);
}

/** Of the frozen weights. */
export function weightBytes(model: SplitModel, { device, run }: PlacedStage): number {
  const { embeddingBytes, layerBytes, headBytes } = device.memory;
  return (
    (run.from === 0 ? embeddingBytes : 0) +
    layersIn(model, run.from, run.to) * layerBytes +
    (run.to === unitCount(model.layers) ? headBytes : 0)
  );
}

/** Bytes of the frozen weights of a run that a device must fetch before it can begin. */
export function missingBytes(model: SplitModel, { device, run }: PlacedStage): number {
  const holds = device.loading?.holds;
  const needed = weightBytes(model, { device, run });
  if (holds === null || holds === undefined) return needed;
  const both = { from: Math.max(run.from, holds.from), to: Math.min(run.to, holds.to) };
  return both.from < both.to ? needed - weightBytes(model, { device, run: both }) : needed;
}

/** Seconds until the device has fetched what it lacks of the run. */
export const loadingSeconds = (model: SplitModel, stage: PlacedStage): number =>
  stage.device.loading === undefined ? 0 : (8 * missingBytes(model, stage)) / stage.device.loading.bitsPerSecond;

/** With `window` micro-batches of `samples` samples between their forward and their backward pass. */
export function stageBytes(model: SplitModel, stage: PlacedStage, samples: number, window: number): number {
  const { transientPerSample, savedPerSamplePerLayer, gradientBytesPerLayer } = stage.device.memory;
  const trained = backwardLayers(model, stage.run);
  const replay = stage.run.from === 0 ? 0 : model.samples * model.replayBytesPerSample;
  return (
    weightBytes(model, stage) +
    samples * transientPerSample +
    trained * gradientBytesPerLayer +
    replay +
    window * samples * trained * savedPerSamplePerLayer
  );
}

/** The most micro-batches of `samples` samples that may be between forward and backward; 0 where not even one fits, Infinity where they cost nothing. */
export function windowCap(model: SplitModel, stage: PlacedStage, samples: number): number {
  const free = stage.device.memory.limitBytes - stageBytes(model, stage, samples, 0);
  if (free < 0) return 0;
  const each = samples * backwardLayers(model, stage.run) * stage.device.memory.savedPerSamplePerLayer;
  return each === 0 ? Infinity : Math.floor(free / each);
}

/**
 * Windows of a pipeline's stages, 0 where nothing is trained; null where a stage does not fit. They never grow towards the loss, so that
 * what a stage waits for was always sent (docs/planner.md).
 */
export function windowsOf(
  model: SplitModel,
  stages: readonly PlacedStage[],
  microBatches: number,
  rule: WindowRule,
): readonly number[] | null {
  const largest = Math.ceil(model.samples / microBatches);
  const last = stages.length - 1;
  const windows: number[] = [];
  let cap = microBatches;
  for (const [s, stage] of stages.entries()) {
    const own = windowCap(model, stage, largest);
    if (own < 1) return null;
    if (trains(model, stage.run)) cap = Math.min(cap, own);
    const wanted = rule === 'all' ? microBatches : rule * (last - s) + 1;
    windows.push(trains(model, stage.run) ? Math.min(cap, wanted) : 0);
  }
  return windows;
}

/** What the schedule needs of a stage. Seconds have one entry for each micro-batch. */
export interface StageTimes {
  readonly forwardSeconds: readonly number[];
  readonly backwardSeconds: readonly number[];
  /** Of sending hidden states to the stage above; not read of the last stage. */
  readonly upSeconds: readonly number[];
  /** Of sending their gradient to the stage below; null where it sends none. */
  readonly downSeconds: readonly number[] | null;
  readonly lagSeconds: number;
  /** Of what the host hands on, beside `lagSeconds`; none where the stage meets its neighbours. */
  readonly relayLagSeconds?: { readonly up: number; readonly down: number } | undefined;
  /** Of sending its gradients to the host; null where they need no link, and where it has none. */
  readonly gradientSeconds: number | null;
  /** 0 where nothing is trained. */
  readonly window: number;
}

/** Null where a stage does not fit its device. */
export function stageTimes(
  problem: Pick<SplitProblem, 'split' | 'host' | 'shared' | 'relayed'> & Partial<Pick<SplitProblem, 'devices'>>,
  stages: readonly PlacedStage[],
  microBatches: number,
  rule: WindowRule,
): readonly StageTimes[] | null {
  const { split, host, shared } = problem;
  const windows = windowsOf(split, stages, microBatches, rule);
  if (windows === null) return null;
  const alone = stages.map((stage, s) => {
    const relays = relaysOf(problem, stages[s - 1]?.device, stage.device, stages[s + 1]?.device);
    return timesOf(split, stage, microBatches, windows[s]!, host, relays);
  });
  return shared ? withShares(alone) : alone;
}

/** Seconds in which a stage's uplink carries something, in a round. */
export const airtimeSeconds = ({ upSeconds, downSeconds, gradientSeconds }: StageTimes): number =>
  [...upSeconds, ...(downSeconds ?? []), gradientSeconds ?? 0].reduce((a, b) => a + b, 0);

/** One medium for all: who needs a part of the airtime of all stages together has that part of it. */
export function withShares(stages: readonly StageTimes[]): readonly StageTimes[] {
  const airtimes = stages.map(airtimeSeconds);
  const all = airtimes.reduce((a, b) => a + b, 0);
  return stages.map((times, s) => {
    const own = airtimes[s]!;
    const longer = (seconds: number) => (own > 0 ? (seconds * all) / own : 0);
    return {
      ...times,
      upSeconds: times.upSeconds.map(longer),
      downSeconds: times.downSeconds?.map(longer) ?? null,
      gradientSeconds: times.gradientSeconds === null ? null : longer(times.gradientSeconds),
    };
  });
}

/** Who hands on what a stage sends up and down; null where the two meet. */
export interface Relays {
  readonly up: SplitDevice | null;
  readonly down: SplitDevice | null;
}

const NO_RELAYS: Relays = { up: null, down: null };

/** Of a device between its neighbours. Of a host that takes no part nothing is known: it is taken to send as the device itself does. */
export function relaysOf(
  { relayed = [], devices = [], host }: Partial<Pick<SplitProblem, 'relayed' | 'devices' | 'host'>>,
  below: SplitDevice | undefined,
  own: SplitDevice,
  above: SplitDevice | undefined,
): Relays {
  const to = (other: SplitDevice | undefined): SplitDevice | null => {
    const meets = !relayed.some((pair) => other !== undefined && pair.includes(own.id) && pair.includes(other.id));
    return meets ? null : (devices.find(({ id }) => id === host) ?? own);
  };
  return relayed.length === 0 ? NO_RELAYS : { up: to(above), down: to(below) };
}

/** A message by way of the host goes out twice, and holds the sender's uplink until the host has sent it, too. */
export function timesOf(
  model: SplitModel,
  stage: PlacedStage,
  microBatches: number,
  window: number,
  host: string | undefined,
  relays = NO_RELAYS,
): StageTimes {
  const sizes = microBatchSizes(model.samples, microBatches);
  const { device, run } = stage;
  const { up, down } = relays;
  const sending = (unit: number, relay: SplitDevice | null) =>
    sizes.map((m) => {
      const bits = cutBits(model, unit, m);
      return bits / device.bitsPerSecond + (relay === null ? 0 : bits / relay.bitsPerSecond);
    });
  return {
    forwardSeconds: sizes.map((m) => forwardSeconds(model, stage, m)),
    backwardSeconds: sizes.map((m) => backwardSeconds(model, stage, m)),
    upSeconds: run.to === unitCount(model.layers) ? sizes.map(() => 0) : sending(run.to, up),
    downSeconds: sendsDown(model, run) ? sending(run.from, down) : null,
    lagSeconds: device.lagSeconds,
    ...((up ?? down) !== null && { relayLagSeconds: { up: up?.lagSeconds ?? 0, down: down?.lagSeconds ?? 0 } }),
    gradientSeconds: trains(model, run) && device.id !== host ? gradientBits(model, run) / device.bitsPerSecond : null,
    window,
  };
}
