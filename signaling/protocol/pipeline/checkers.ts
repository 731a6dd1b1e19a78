import type { RoomPlan } from '../plan.ts';
import type { DeviceView } from '../room-view.ts';
import type { Stage } from '../split.ts';
import { memoryLeft } from './memory-left.ts';
import { type SplitSettings, splitDevicesOf, splitModelOf } from './split-room.ts';
import { stageBytes, weightBytes } from './stages.ts';

/** Whether a device has the memory to compute a stage of so many samples again, beside what it holds. */
export type CanCheck = (device: string, stage: Stage, samples: number) => boolean;

export function canCheck(
  devices: readonly DeviceView[],
  plan: Pick<RoomPlan, 'assignments'> | null,
  settings: SplitSettings,
): CanCheck {
  const model = splitModelOf(settings);
  const measured = devices.flatMap(({ id, profile }) => (profile === null ? [] : [{ id, profile }]));
  const known = new Map(splitDevicesOf(measured, model.layers).map((one) => [one.id, one]));
  const left = new Map(
    devices.flatMap(({ id, profile, holds }): [string, number][] => {
      const device = known.get(id);
      if (profile === null || device === undefined) return [];
      const isPlaced = plan?.assignments.some((one) => one.device === id) === true;
      const unplanned = !isPlaced && holds ? weightBytes(model, { device, run: holds }) : 0;
      return [[id, memoryLeft(id, profile, plan, settings) - unplanned]];
    }),
  );
  return (id, stage, samples) => {
    const device = known.get(id);
    if (device === undefined) return false;
    const place = { device, run: stage };
    return stageBytes({ ...model, samples }, place, Math.ceil(samples / stage.microBatches), 1) <= (left.get(id) ?? 0);
  };
}

/** Whether anybody but a stage's own device could compute it again. */
export function isCheckable(
  device: string,
  devices: readonly DeviceView[],
  plan: Pick<RoomPlan, 'assignments'>,
  settings: SplitSettings,
): boolean {
  const can = canCheck(devices, plan, settings);
  return plan.assignments
    .filter((one) => one.device === device)
    .every(({ stage, samples }) => !stage || devices.some(({ id }) => id !== device && can(id, stage, samples.count)));
}
