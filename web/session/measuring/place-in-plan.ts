import type { DeviceView, RoomView } from '../../../signaling/protocol/room-view.ts';
import type { Place } from './when-again.ts';

/** Where a plan has a device, and its turn among those that are left out, by their ids. */
export function placeInPlan(room: RoomView | null, self: string): { readonly place: Place; readonly turn: number } {
  const own = room?.devices.find(({ id }) => id === self);
  if (room === null || room.plan === null || own === undefined || !isAble(own)) return { place: 'none', turn: 0 };
  const planned = new Set(room.plan.assignments.map(({ device }) => device));
  if (planned.has(self)) return { place: 'in', turn: 0 };
  // The host trains alone, however quick others are.
  if (room.phase === 'finished' || room.settings.policy === 'offload') return { place: 'none', turn: 0 };
  const out = room.devices.filter((device) => !planned.has(device.id) && isAble(device));
  return { place: 'out', turn: out.filter(({ id }) => id < self).length };
}

/** Could have work. Who is on probation is tried by rounds. */
const isAble = ({ profile, linked, status, probation }: DeviceView): boolean =>
  profile !== null && linked && (status.kind === 'ready' || status.kind === 'measured') && (probation ?? null) === null;
