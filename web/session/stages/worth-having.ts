import { splitDeviceOf, splitModelOf } from '../../../signaling/protocol/pipeline/split-room.ts';
import { weightBytes } from '../../../signaling/protocol/pipeline/stages.ts';
import type { DeviceView, RoomView } from '../../../signaling/protocol/room-view.ts';
import type { UnitRun } from '../../../signaling/protocol/split.ts';

/**
 * How likely a device is to be lost, beside a process that nobody looks at: tabs are closed, those in the background are put to sleep, and who
 * has lost the server has half gone.
 */
const riskOf = ({ kind, hidden, online }: DeviceView): number =>
  (kind === 'tab' ? 2 : 1) * (hidden ? 2 : 1) * (online ? 1 : 3);

/**
 * The run of a plan that a device without one does best to have on its disk: what a loss costs is the time to fetch it, so bytes times the
 * risk that its holder goes. Devices without a run choose one after the other, by their ids, so that no run is kept by all and another by
 * none. Null where the plan has no runs, or one for this device.
 */
export function runWorthHaving({ settings, plan, devices }: RoomView, self: string): UnitRun | null {
  const stages =
    plan?.assignments.flatMap(({ device, stage }) => (stage === undefined ? [] : [{ device, stage }])) ?? [];
  if (stages.length === 0 || stages.some(({ device }) => device === self)) return null;
  const profile = devices.find(({ id }) => id === self)?.profile;
  const device = profile && splitDeviceOf(self, profile, profile.linkBitsPerSecond, settings.shape.layers);
  if (!device) return null;
  const model = splitModelOf(settings);
  const worth = stages
    .map(({ device: holder, stage: { from, to } }) => {
      const view = devices.find(({ id }) => id === holder);
      return {
        run: { from, to },
        worth: weightBytes(model, { device, run: { from, to } }) * (view ? riskOf(view) : 1),
      };
    })
    .sort((a, b) => b.worth - a.worth || a.run.from - b.run.from);
  const spares = devices
    .filter(({ id, profile: measured }) => measured !== null && stages.every((stage) => stage.device !== id))
    .map(({ id }) => id)
    .sort();
  return worth[spares.indexOf(self) % worth.length]?.run ?? null;
}
