import type { DeviceView } from '../../../signaling/protocol/room-view.ts';
import { holdsRun, wholeRun } from '../../../signaling/protocol/split.ts';

/** Devices that can take work now. */
export const isReady = (device: DeviceView): boolean =>
  device.status.kind === 'ready' && device.profile !== null && device.linked;

/** Those that do not say what they hold hold the whole model. */
export const holdsAll = ({ holds }: DeviceView, layers: number): boolean =>
  (holds ?? null) === null || holdsRun(holds, wholeRun(layers));
