import { MAX_DEVICES_IN_ROOM } from '../protocol/limits.ts';
import type { DeviceSelf, RoomState } from './room.ts';

export const TAKEN = 'Another tab already uses this device id. Reload the page to get a new one.';

/** Why a device may not join, or null when it may. */
export function refusal(state: RoomState, device: DeviceSelf): string | null {
  const known = state.devices.find((d) => d.id === device.id);
  if (known !== undefined) return known.key === device.key ? null : TAKEN;
  if (state.devices.length >= MAX_DEVICES_IN_ROOM)
    return `This session is full: ${MAX_DEVICES_IN_ROOM} devices have joined. Ask the host to start another one.`;
  return null;
}
