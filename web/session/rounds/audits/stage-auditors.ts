import { canCheck } from '../../../../signaling/protocol/pipeline/checkers.ts';
import { splitDevicesOf, splitModelOf } from '../../../../signaling/protocol/pipeline/split-room.ts';
import { timesOf, weightBytes } from '../../../../signaling/protocol/pipeline/stages.ts';
import type { RoomPlan } from '../../../../signaling/protocol/plan.ts';
import type { DeviceView } from '../../../../signaling/protocol/room-view.ts';
import type { SessionSettings } from '../../../../signaling/protocol/settings.ts';
import { holdsRun } from '../../../../signaling/protocol/split.ts';
import type { Auditor } from './audit-state.ts';

/** What is taken of a device's download where it never fetched anything. */
const UNKNOWN_DOWNLOAD_BITS_PER_SECOND = 2e7;

/** Devices that have the memory for another run beside what they hold, and what a stage would take them, with the run's way to them. */
export function stageAuditors(
  devices: readonly DeviceView[],
  plan: Pick<RoomPlan, 'assignments'> | null,
  settings: SessionSettings,
  isLinked: (device: string) => boolean,
): readonly Auditor[] {
  const model = splitModelOf(settings);
  const measured = devices.flatMap(({ id, profile }) => (profile === null ? [] : [{ id, profile }]));
  const known = splitDevicesOf(measured, model.layers);
  const can = canCheck(devices, plan, settings);
  return devices.flatMap((view): readonly Auditor[] => {
    const { id, profile, status, holds } = view;
    const device = known.find((one) => one.id === id);
    const isAble = (status.kind === 'ready' || status.kind === 'measured') && isLinked(id);
    if (profile === null || device === undefined || !isAble) return [];
    const own = plan?.assignments.filter((one) => one.device === id) ?? [];
    const rate = profile.downloadBitsPerSecond ?? UNKNOWN_DOWNLOAD_BITS_PER_SECOND;
    return [
      {
        device: id,
        busySeconds: own.reduce((sum, { computeSeconds }) => sum + computeSeconds, 0),
        seconds: ({ stage, samples }) => {
          if (stage === undefined || !can(id, stage, samples.count)) return null;
          const of = { ...model, samples: samples.count };
          const place = { device, run: stage };
          const { forwardSeconds, backwardSeconds } = timesOf(of, place, stage.microBatches, 1, undefined);
          const compute = [...forwardSeconds, ...backwardSeconds].reduce((sum, one) => sum + one, 0);
          return compute + (holdsRun(holds, stage) ? 0 : (8 * weightBytes(of, place)) / rate);
        },
      },
    ];
  });
}
