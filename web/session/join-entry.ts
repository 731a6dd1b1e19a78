import { passOf } from '../../signaling/protocol/door/secret.ts';
import type { ClientMessage, Revival } from '../../signaling/protocol/messages.ts';
import type { Profile } from '../../signaling/protocol/profile.ts';
import type { DeviceStatus, RoomView } from '../../signaling/protocol/room-view.ts';
import type { UnitRun } from '../../signaling/protocol/split.ts';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import type { Measured } from './rounds/model-worker.ts';
import type { DevicePretence, InvitedTo } from './view/view.ts';
import type { Identity } from './world/identity.ts';

export interface JoinEntry {
  readonly device: Identity;
  readonly invitation: InvitedTo;
  readonly watch: boolean;
  /** What proves that this device had a seat. */
  readonly claim: string | null;
  /** The room as this device knows it, and what proves that to a server that has forgotten it. */
  readonly room: RoomView | null;
  readonly revival: Revival | null;
  readonly status: DeviceStatus;
  readonly profile: Profile | null;
  readonly holds: UnitRun | null;
}

/** What a device says first on every connection: all that seats it, also at a server that has forgotten the room's devices. */
export function joinEntry(entry: JoinEntry): ClientMessage[] {
  const { device, invitation, watch, claim, room: known, revival, status, profile, holds } = entry;
  const { room, secret } = invitation;
  const revive = known && revival && { settings: known.settings, phase: known.phase, ...revival };
  const shown = {
    ...(secret !== null && { pass: passOf(secret) }),
    ...(claim !== null && { claim }),
    ...(revive && { revive }),
  };
  const messages: ClientMessage[] = [{ type: 'join', version: PROTOCOL_VERSION, device, room, watch, ...shown }];
  if (!watch) messages.push({ type: 'status', status });
  if (profile !== null) messages.push({ type: 'profile', profile });
  if (holds !== null) messages.push({ type: 'holds', run: holds });
  return messages;
}

/** What a device states of itself once both its speed and its link are known; a device that pretends has a slower link at most. */
export function profileOf(
  measured: Measured | null,
  linkBitsPerSecond: number | null,
  pretence: DevicePretence | null,
): Profile | null {
  if (measured === null || linkBitsPerSecond === null) return null;
  const most = pretence?.uplinkBitsPerSecond ?? Number.POSITIVE_INFINITY;
  return { ...measured, linkBitsPerSecond: Math.min(linkBitsPerSecond, most) };
}
