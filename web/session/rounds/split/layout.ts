import { memoryLeft } from '../../../../signaling/protocol/pipeline/memory-left.ts';
import { schedules } from '../../../../signaling/protocol/pipeline/schedule.ts';
import type { SplitDevice, SplitModel } from '../../../../signaling/protocol/pipeline/split-problem.ts';
import { splitDevicesOf, splitModelOf } from '../../../../signaling/protocol/pipeline/split-room.ts';
import { stageBytes, timesOf, weightBytes } from '../../../../signaling/protocol/pipeline/stages.ts';
import type { RoomAssignment, RoomPlan } from '../../../../signaling/protocol/plan.ts';
import type { DeviceView } from '../../../../signaling/protocol/room-view.ts';
import type { SessionSettings } from '../../../../signaling/protocol/settings.ts';
import { holdsRun, type Stage } from '../../../../signaling/protocol/split.ts';
import type { Spare } from './split-round.ts';

/** What is taken of a device's download where it never fetched anything. */
const UNKNOWN_DOWNLOAD_BITS_PER_SECOND = 2e7;

export const isSplit = (plan: Pick<RoomPlan, 'assignments'>): boolean =>
  plan.assignments.some(({ stage }) => stage !== undefined);

/** Devices that a split plan waits for: they have no link, are not ready, or do not hold their run yet. Of other plans it waits for nobody. */
export function awaited(
  plan: Pick<RoomPlan, 'assignments'>,
  devices: readonly DeviceView[],
  isLinked: (device: string) => boolean,
): readonly RoomAssignment[] {
  return plan.assignments.filter(({ device, stage }) => {
    if (stage === undefined) return false;
    const view = devices.find(({ id }) => id === device);
    return view?.status.kind !== 'ready' || !isLinked(device) || !holdsRun(view.holds, stage);
  });
}

/**
 * Devices that have a place in a pipeline, or could take one over; none where the plan does not split the model. A round goes on while the
 * room has no plan, because nobody is left for the place of a device that it was taken over from.
 */
export function possibleStages(
  plan: Pick<RoomPlan, 'assignments'> | null,
  devices: readonly DeviceView[],
): ReadonlySet<string> {
  const able = plan !== null && !isSplit(plan) ? [] : devices.filter(({ profile }) => profile !== null);
  return new Set(able.map(({ id }) => id));
}

interface Room {
  readonly settings: SessionSettings;
  readonly devices: readonly DeviceView[];
  readonly host: string;
}

function planned({ settings, devices }: Room): { model: SplitModel; devices: readonly SplitDevice[] } {
  const measured = devices.flatMap(({ id, profile }) => (profile === null ? [] : [{ id, profile }]));
  const model = splitModelOf(settings);
  return { model, devices: splitDevicesOf(measured, model.layers) };
}

/** When the host has all of each assignment, by the schedule, in the plan's order; the plan's whole time where a device is not known. */
export function finishSecondsOf(plan: RoomPlan, room: Room): readonly number[] {
  const found = planned(room);
  const pipelines = [...new Set(plan.assignments.map(({ stage }) => stage?.pipeline))];
  const times = pipelines.map((pipeline) =>
    stagesOf(plan, pipeline).map(({ device, stage, samples }) => {
      const known = found.devices.find(({ id }) => id === device);
      const model = { ...found.model, samples: samples.count };
      return known && timesOf(model, { device: known, run: stage }, stage.microBatches, stage.window, room.host);
    }),
  );
  const known = times.map((stages) => stages.flatMap((one) => (one === undefined ? [] : [one])));
  if (known.some(({ length }, i) => length === 0 || length < times[i]!.length))
    return plan.assignments.map(() => plan.latencySeconds);
  const all = schedules(known);
  return plan.assignments.map(({ stage }) => {
    const own = all[pipelines.indexOf(stage?.pipeline)]?.stages[stage?.index ?? 0];
    return own?.finishedSeconds ?? plan.latencySeconds;
  });
}

function stagesOf(plan: RoomPlan, pipeline: number | undefined): readonly (RoomAssignment & { stage: Stage })[] {
  return plan.assignments
    .flatMap((assignment) => {
      const { stage } = assignment;
      return stage === undefined || stage.pipeline !== pipeline ? [] : [{ ...assignment, stage }];
    })
    .sort((a, b) => a.stage.index - b.stage.index);
}

/**
 * How soon each device could take over which order (their numbers are the plan's places, from 1): those without a place, and those with room for
 * another run beside their own.
 */
export function sparesOf(plan: RoomPlan, room: Room, isLinked: (device: string) => boolean): readonly Spare[] {
  const found = planned(room);
  const placed = new Set(plan.assignments.map(({ device }) => device));
  return room.devices.flatMap((view): readonly Spare[] => {
    const device = found.devices.find(({ id }) => id === view.id);
    const { profile } = view;
    const able = view.status.kind === 'ready' || view.status.kind === 'measured';
    if (profile === null || device === undefined || !able || !isLinked(view.id)) return [];
    const rate = profile.downloadBitsPerSecond ?? UNKNOWN_DOWNLOAD_BITS_PER_SECOND;
    const left = memoryLeft(view.id, profile, plan, room.settings);
    const readyIn = new Map<number, number>();
    plan.assignments.forEach(({ device: own, stage, samples, microBatch }, i) => {
      if (stage === undefined || own === view.id) return;
      const place = { device, run: stage };
      const model = { ...found.model, samples: samples.count };
      if (!placed.has(view.id) && holdsRun(view.holds, stage)) readyIn.set(i + 1, 0);
      else if (stageBytes(model, place, microBatch, Math.max(1, stage.window)) <= left)
        readyIn.set(i + 1, (8 * weightBytes(model, place)) / rate);
    });
    return readyIn.size === 0 ? [] : [{ device: view.id, readyIn }];
  });
}
