import * as v from 'valibot';
import {
  type DeviceView,
  DeviceViewSchema,
  type RoomChange,
  type RoomView,
} from '../../../signaling/protocol/room-view.ts';
import type { Extent, SessionSettings } from '../../../signaling/protocol/settings.ts';

/** What a welcome told of a room: what does not change while it is open, but for the policy and the extent. */
export interface ToldSettings {
  readonly room: string;
  readonly settings: SessionSettings;
}

/**
 * The room's view after a change, from the view before it; null where the two do not fit together, and the whole has to be asked for. What
 * did not change is the same object as before.
 */
export function changedRoom(
  { room: id, settings: first }: ToldSettings,
  before: RoomView | null,
  change: RoomChange,
): RoomView | null {
  const { phase, host, policy, plan, planNote } = { ...before, policy: before?.settings.policy, ...change };
  if (phase === undefined || host === undefined || policy === undefined) return null;
  if (plan === undefined || planNote === undefined) return null;
  const devices = changedDevices(before?.devices ?? [], change);
  if (devices === null) return null;
  const known = before?.settings ?? first;
  const settings = withExtent(known.policy === policy ? known : { ...known, policy }, change.extent);
  return { id, settings, phase, host, devices, plan, planNote };
}

function withExtent(settings: SessionSettings, extent: Extent = settings.training): SessionSettings {
  const { training } = settings;
  const same = extent.rounds === training.rounds && extent.evaluateEvery === training.evaluateEvery;
  return same ? settings : { ...settings, training: { ...training, ...extent } };
}

/** Those that left are gone, those that are there changed, those that are new come last. */
function changedDevices(
  before: readonly DeviceView[],
  { gone = [], devices: changes = [] }: RoomChange,
): DeviceView[] | null {
  const devices = new Map(before.map((device) => [device.id, device]));
  for (const id of gone) devices.delete(id);
  for (const change of changes) {
    const known = devices.get(change.id);
    const device = v.safeParse(DeviceViewSchema, { ...known, ...change });
    if (!device.success) return null;
    // What did not change stays the same object: who compares profiles sees that it is the same.
    const same = known === undefined || change.profile !== undefined ? {} : { profile: known.profile };
    devices.set(change.id, { ...device.output, ...same });
  }
  return [...devices.values()];
}
