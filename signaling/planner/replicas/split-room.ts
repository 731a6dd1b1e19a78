import { MAX_DEVICES_IN_ROOM } from '../../protocol/limits.ts';
import { schedules } from '../../protocol/pipeline/schedule.ts';
import type { RelayedPair, SplitDevice, SplitModel, SplitProblem } from '../../protocol/pipeline/split-problem.ts';
import { splitDevicesOf } from '../../protocol/pipeline/split-room.ts';
import {
  airtimeSeconds,
  backwardLayers,
  gradientBits,
  loadingSeconds,
  type PlacedStage,
  type StageTimes,
  stageBytes,
  stageTimes,
  type WindowRule,
  windowCap,
} from '../../protocol/pipeline/stages.ts';
import type { RoomAssignment, RoomPlan } from '../../protocol/plan.ts';
import type { Profile } from '../../protocol/profile.ts';
import { type UnitRun, unitCount } from '../../protocol/split.ts';
import { placedStages, ruleOf } from './answer.ts';
import { type BestReplicas, fastestReplicas } from './fastest-replicas.ts';
import type { RatedReplicas } from './replica-evaluator.ts';
import { boundOfReplicas } from './solve-split.ts';

/** A room in which the model may be split. */
export interface SplitRoom {
  readonly layers: number;
  readonly samples: number;
  /** Of every layer's gradient, or for each depth, null where nobody trains the layer. */
  readonly layerUploadBits: number | readonly (number | null)[];
  readonly headUploadBits: number;
  readonly devices: readonly {
    readonly id: string;
    readonly name: string;
    readonly profile: Profile;
    readonly holds?: UnitRun | null | undefined;
  }[];
  readonly hostId: string;
  /** Pairs that cannot meet. */
  readonly relayed?: readonly RelayedPair[] | undefined;
  /** For plans that split the model: its units, and the rounds over which loading pays. A room that does not say is not split. */
  readonly split?: { readonly model: SplitModel; readonly roundsLeft: number } | undefined;
}

export type SplitRoomAnswer =
  | {
      readonly feasible: true;
      readonly plan: Omit<RoomPlan, 'version' | 'solveMs'>;
      /** Until the last device has fetched its run. */
      readonly loadingSeconds: number;
    }
  | { readonly feasible: false; readonly reason: string };

/** What a search may cost: operations, and stages put while all pipelines of a small room are tried. */
interface Effort {
  readonly work: number;
  readonly nodes: number;
}
/** A tenth of a second: a room asks again and again. */
const WHOLE_EFFORT: Effort = { work: 1e7, nodes: 5e4 };
/** Where the room has another way to train, and only wants to know whether this one is quicker. */
const COMPARING: Effort = { work: 1e6, nodes: 5e3 };
/** At which a device is taken to fetch its part of the model, until it has fetched some of it. */
export const UNKNOWN_DOWNLOAD_BITS_PER_SECOND = 2e7;
const MORE = 1.25;

/** The room as a problem, or why it cannot be split. Devices whose profile says nothing of single units are left out. */
export function splitProblem(room: SplitRoom, recomputing = false): SplitProblem | { readonly reason: string } {
  if (room.split === undefined) return { reason: 'this session cannot split the model' };
  const { model, roundsLeft } = room.split;
  const measured = splitDevicesOf(room.devices, model.layers);
  if (measured.length === 0) return { reason: 'no device here has measured what single layers cost' };
  const byId = new Map(room.devices.map((device) => [device.id, device]));
  return {
    split: model,
    devices: measured.map((device): SplitDevice => {
      const known = byId.get(device.id);
      const again = recomputing ? known?.profile.memory.recompute : undefined;
      const { fixedSeconds, secondsPerSample, memory } = device;
      return {
        ...device,
        ...(again && {
          fixedSeconds: twiceForward(fixedSeconds),
          secondsPerSample: twiceForward(secondsPerSample),
          memory: { ...memory, ...again },
        }),
        loading: {
          holds: known?.holds ?? null,
          bitsPerSecond: known?.profile.downloadBitsPerSecond ?? UNKNOWN_DOWNLOAD_BITS_PER_SECOND,
        },
      };
    }),
    host: measured.some(({ id }) => id === room.hostId) ? room.hostId : undefined,
    shared: true,
    pipelines: MAX_DEVICES_IN_ROOM,
    rounds: roundsLeft,
    ...(room.relayed && { relayed: room.relayed }),
  };
}

/** A backward pass that goes forward again first. */
const twiceForward = (seconds: SplitDevice['fixedSeconds']): SplitDevice['fixedSeconds'] => ({
  ...seconds,
  backwardPerLayer: seconds.backwardPerLayer + seconds.forwardPerLayer,
});

/** A pipeline of the room's devices, or several that share the samples; devices keep layers' inputs alone, and go forward again, where it does not fit otherwise. */
export function planSplit(room: SplitRoom): SplitRoomAnswer {
  const found = fastest(room, WHOLE_EFFORT);
  return 'reason' in found ? { feasible: false, reason: found.reason } : written(room, found.best, found.recomputing);
}

/** What a short look says that a round would take, or why none is possible. */
export function shortLook(room: SplitRoom): { readonly seconds: number } | { readonly reason: string } {
  const found = fastest(room, COMPARING);
  return 'reason' in found ? found : { seconds: found.best.found.seconds - found.best.found.loading };
}

function fastest(
  room: SplitRoom,
  { work, nodes }: Effort,
): { readonly best: BestReplicas; readonly recomputing: boolean } | { readonly reason: string } {
  const plain = splitProblem(room);
  if ('reason' in plain) return plain;
  const best = fastestReplicas(plain, work, nodes);
  if (!('reason' in best)) return { best, recomputing: false };
  const again = splitProblem(room, true);
  const second = 'reason' in again ? again : fastestReplicas(again, work, nodes);
  return 'reason' in second ? { reason: best.reason } : { best: second, recomputing: true };
}

function written(room: SplitRoom, best: BestReplicas, recomputing: boolean): SplitRoomAnswer {
  const { problem, found, one } = best;
  const placed = planned(problem, found);
  const seconds = roundSeconds(placed);
  const airtimes = placed.map(({ times }) => times.map(airtimeSeconds));
  const all = airtimes.flat().reduce((a, b) => a + b, 0);
  const nameOf = (id: string) => room.devices.find((device) => device.id === id)?.name ?? id;
  const limit = limitOf(problem, placed, seconds);
  const proven = one.proven && best.most === 1;
  const how =
    placed.length > 1 ? `${placed.length} annealed pipelines` : proven ? 'all pipelines' : 'annealed pipelines';
  return {
    feasible: true,
    loadingSeconds: Math.max(
      ...placed.flatMap(({ stages }) => stages.map((stage) => loadingSeconds(problem.split, stage))),
    ),
    plan: {
      policy: 'split',
      solver: `${how}${recomputing ? ', recomputing' : ''}`,
      latencySeconds: seconds,
      lowerBoundSeconds: Math.min(seconds, boundOfReplicas(best)),
      limitedBy: limit.device,
      explanation: limit.sentence(nameOf(limit.device)),
      assignments: placed.flatMap((pipeline, p) =>
        pipeline.stages.map((stage, s) => ({
          ...assignmentOf(room, stage, pipeline, s, recomputing),
          share: all > 0 ? airtimes[p]![s]! / all : 0,
          stage: {
            pipeline: p,
            index: s,
            ...stage.run,
            window: pipeline.times[s]!.window,
            microBatches: pipeline.microBatches,
          },
        })),
      ),
    },
  };
}

/** A pipeline and its part of the samples. */
interface Planned {
  readonly samples: { readonly start: number; readonly count: number };
  /** With those samples. */
  readonly split: SplitModel;
  readonly stages: readonly PlacedStage[];
  readonly microBatches: number;
  readonly rule: WindowRule;
  /** As if nobody else sent anything. */
  readonly times: readonly StageTimes[];
}

function planned(problem: SplitProblem, { parts }: RatedReplicas): readonly Planned[] {
  let start = 0;
  return parts.map(({ samples: count, pipeline }) => {
    const split = { ...problem.split, samples: count };
    const stages = placedStages(problem, pipeline);
    const { microBatches } = pipeline;
    const rule = ruleOf(pipeline.rule);
    const times = stageTimes({ ...problem, split, shared: false }, stages, microBatches, rule) ?? [];
    const samples = { start, count };
    start += count;
    return { samples, split, stages, microBatches, rule, times };
  });
}

/** Of the slowest pipeline, all over one medium. */
const roundSeconds = (pipelines: readonly Planned[]): number =>
  Math.max(...schedules(pipelines.map(({ times }) => times)).map(({ seconds }) => seconds));

function assignmentOf(
  room: SplitRoom,
  stage: PlacedStage,
  { split, samples, microBatches, times: all }: Planned,
  index: number,
  recomputing: boolean,
): Omit<RoomAssignment, 'share' | 'stage'> {
  const { run, device } = stage;
  const times = all[index]!;
  const { layerUploadBits: bits } = room;
  const trained = (layer: number) => typeof bits === 'number' || (bits[room.layers - 1 - layer] ?? null) !== null;
  const microBatch = Math.ceil(split.samples / microBatches);
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  // Where it fits as it is, nothing is computed twice.
  const plainCap = plainWindow(room, stage, split.samples, microBatch);
  return {
    device: device.id,
    layers: Array.from({ length: room.layers }, (_, layer) => layer).filter(
      (layer) => layer + 1 >= run.from && layer + 1 < run.to && trained(layer),
    ),
    head: run.to === unitCount(room.layers),
    samples: { ...samples },
    microBatch,
    ...(recomputing && backwardLayers(split, run) > 0 && plainCap < times.window ? { recompute: true } : {}),
    memoryBytes: stageBytes(split, stage, microBatch, times.window) + besideUnits(room, device),
    uploadBits: gradientBits(split, run),
    computeSeconds: sum(times.forwardSeconds) + sum(times.backwardSeconds),
    uploadSeconds: airtimeSeconds(times),
  };
}

/** What a device takes whatever its run, which its limit as the search has it is without. */
const besideUnits = (room: SplitRoom, { id, memory }: SplitDevice): number =>
  Math.max(0, (room.devices.find((one) => one.id === id)?.profile.memory.limitBytes ?? 0) - memory.limitBytes);

/** The stage's largest window without recomputation. */
function plainWindow(room: SplitRoom, { device, run }: PlacedStage, samples: number, microBatch: number): number {
  const plain = splitProblem(room);
  if ('reason' in plain) return 0;
  const own = plain.devices.find(({ id }) => id === device.id);
  return own === undefined ? 0 : windowCap({ ...plain.split, samples }, { device: own, run }, microBatch);
}

/** Which device limits the round: each in turn gets a quarter more uplink, then a quarter more speed, in the same place. */
function limitOf(
  problem: SplitProblem,
  pipelines: readonly Planned[],
  seconds: number,
): { readonly device: string; readonly sentence: (name: string) => string } {
  const after = (p: number, s: number, device: SplitDevice): number => {
    const own = pipelines[p]!;
    const stages = own.stages.with(s, { ...own.stages[s]!, device });
    const times = stageTimes({ ...problem, split: own.split, shared: false }, stages, own.microBatches, own.rule);
    return times === null ? seconds : roundSeconds(pipelines.with(p, { ...own, times }));
  };
  const quicker = (of: SplitDevice['fixedSeconds']): SplitDevice['fixedSeconds'] => ({
    embed: of.embed / MORE,
    forwardPerLayer: of.forwardPerLayer / MORE,
    backwardPerLayer: of.backwardPerLayer / MORE,
    head: of.head / MORE,
  });
  const places = pipelines.flatMap(({ stages }, p) => stages.map(({ device }, s) => ({ device, p, s })));
  let best = { device: pipelines[0]!.stages.at(-1)!.device.id, what: '', seconds };
  for (const { device, p, s } of places) {
    const uplink = after(p, s, { ...device, bitsPerSecond: device.bitsPerSecond * MORE });
    if (uplink < best.seconds) best = { device: device.id, what: 'uplink', seconds: uplink };
    const { fixedSeconds, secondsPerSample } = device;
    const speed = after(p, s, {
      ...device,
      fixedSeconds: quicker(fixedSeconds),
      secondsPerSample: quicker(secondsPerSample),
    });
    if (speed < best.seconds) best = { device: device.id, what: 'speed', seconds: speed };
  }
  const percent = seconds > 0 ? (100 * (seconds - best.seconds)) / seconds : 0;
  const what = pipelines.length > 1 ? 'pipelines' : 'pipeline';
  if (percent < 0.1)
    return { device: best.device, sentence: () => `No single device of the ${what} alone holds the round up.` };
  const saving = `${percent < 10 ? percent.toFixed(1) : percent.toFixed(0)} %`;
  return {
    device: best.device,
    sentence: (name) =>
      `${name}'s ${best.what} limits the ${what}; what would help most is a quarter more ${best.what} there: it saves ${saving}.`,
  };
}
