import type { ClientMessage } from '../../../signaling/protocol/messages.ts';
import type { Profile } from '../../../signaling/protocol/profile.ts';
import type { DeviceStatus, RoomView } from '../../../signaling/protocol/room-view.ts';
import type { Extent, SessionSettings } from '../../../signaling/protocol/settings.ts';
import type { UnitRun } from '../../../signaling/protocol/split.ts';
import { historyMessages } from '../../../signaling/protocol/telling/history.ts';
import { PROTOCOL_VERSION } from '../../../signaling/protocol/version.ts';
import type { SessionView } from '../view/view.ts';
import type { Identity } from '../world/identity.ts';
import type { DoorEntry } from './own-door.ts';

export interface HostEntry {
  readonly device: Identity;
  readonly term: number;
  readonly settings: SessionSettings;
  /** What its person changed; null for nothing. */
  readonly extent: Extent | null;
  /** The room's code, where there was one before. */
  readonly code: string | undefined;
  /** What proves to a server that forgot the room that its code is this host's. */
  readonly claim: string | null;
  /** False where the server does not take the code for this host's: it gives another one. */
  readonly isClaimed: boolean;
  readonly status: DeviceStatus;
  readonly profile: Profile | null;
  readonly holds: UnitRun | null;
  readonly phase: RoomView['phase'];
  readonly door: DoorEntry;
  readonly view: Pick<SessionView, 'room' | 'rounds' | 'scores'>;
}

/** What a host says first on every connection: all that seats it, also at a server that has forgotten the room. */
export function hostEntry(entry: HostEntry): readonly ClientMessage[] {
  const { device, term, settings, extent, code, claim, isClaimed, status, profile, holds, phase, door, view } = entry;
  const { room, rounds, scores } = view;
  const current = room === null ? settings : { ...settings, policy: room.settings.policy };
  const before = code === undefined || !isClaimed ? {} : { room: code, ...(claim !== null && { claim }) };
  const messages: ClientMessage[] = [
    { type: 'create', version: PROTOCOL_VERSION, device, term, settings: current, ...before, ...door },
    { type: 'status', status },
  ];
  if (profile !== null) messages.push({ type: 'profile', profile });
  if (extent !== null) messages.push({ type: 'extent', extent });
  if (holds !== null) messages.push({ type: 'holds', run: holds });
  const past = rounds.length + scores.length > 0;
  if (code === undefined && !past) return messages;
  // The room is new, or may be one that the server has made anew, and knows nothing of what was before.
  messages.push({ type: 'phase', phase });
  if (past) messages.push(...historyMessages(rounds, scores));
  return messages;
}
