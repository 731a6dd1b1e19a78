import { schedules } from '../../../../signaling/protocol/pipeline/schedule.ts';
import type { SplitDevice, SplitModel } from '../../../../signaling/protocol/pipeline/split-problem.ts';
import { splitDevicesOf, splitModelOf } from '../../../../signaling/protocol/pipeline/split-room.ts';
import { stageBytes, timesOf, weightBytes } from '../../../../signaling/protocol/pipeline/stages.ts';
import type { RoomAssignment, RoomPlan } from '../../../../signaling/protocol/plan.ts';
import type { DeviceView } from '../../../../signaling/protocol/room-view.ts';
import type { SessionSettings } from '../../../../signaling/protocol/settings.ts';
import { holdsRun, type Stage } from '../../../../signaling/protocol/split.ts';
import type { Spare } from './split-step.ts';

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

/** Devices that have a place in a pipeline, or could take one over; none where the plan does not split the model. */
export function possibleStages(
  plan: Pick<RoomPlan, 'assignments'> | null,
  devices: readonly DeviceView[],
): ReadonlySet<string> {
  const able = plan === null || !isSplit(plan) ? [] : devices.filter(({ profile }) => profile !== null);
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

/** Devices without a place, and how soon each could take over which order (their numbers are the plan's places, from 1). */
export function sparesOf(plan: RoomPlan, room: Room, isLinked: (device: string) => boolean): readonly Spare[] {
  const found = planned(room);
  const placed = new Set(plan.assignments.map(({ device }) => device));
  return room.devices.flatMap((view): readonly Spare[] => {
    const device = found.devices.find(({ id }) => id === view.id);
    const able = view.status.kind === 'ready' || view.status.kind === 'measured';
    if (placed.has(view.id) || device === undefined || !able || !isLinked(view.id)) return [];
    const rate = view.profile?.downloadBitsPerSecond ?? UNKNOWN_DOWNLOAD_BITS_PER_SECOND;
    const readyIn = new Map<number, number>();
    plan.assignments.forEach(({ stage, samples, microBatch }, i) => {
      if (stage === undefined) return;
      const place = { device, run: stage };
      const model = { ...found.model, samples: samples.count };
      if (holdsRun(view.holds, stage)) readyIn.set(i + 1, 0);
      else if (stageBytes(model, place, microBatch, Math.max(1, stage.window)) <= device.memory.limitBytes)
        readyIn.set(i + 1, (8 * weightBytes(model, place)) / rate);
    });
    return readyIn.size === 0 ? [] : [{ device: view.id, readyIn }];
  });
}
