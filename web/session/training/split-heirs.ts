import type { RoomPlan } from '../../../signaling/protocol/plan.ts';
import type { DeviceView } from '../../../signaling/protocol/room-view.ts';

/**
 * In a split room a stage needs the parameters of its own blocks alone. So that somebody can go on when the host is gone, this many devices hold
 * what was learned of all blocks, and take every step; more would cost the host's uplink a whole gradient each, in every round.
 */
export const SPLIT_HEIRS = 2;

/** Of each trained value: itself, two moments, and the gradient of the step that is being taken. */
const HELD_BYTES_PER_VALUE = 4 * Float32Array.BYTES_PER_ELEMENT;

export interface HeirsInput {
  readonly plan: Pick<RoomPlan, 'assignments'>;
  readonly devices: readonly DeviceView[];
  /** Whether a device may lead when the host is gone. */
  readonly mayLead: (device: string) => boolean;
  /** Whether it holds what was learned, and is up to date. */
  readonly isUpToDate: (device: string) => boolean;
  readonly parameterCount: number;
}

/** Who holds all that was learned: whoever does already, then devices without a stage, then the best linked; never one without the memory. */
export function splitHeirs({ plan, devices, mayLead, isUpToDate, parameterCount }: HeirsInput): readonly string[] {
  const claimed = new Map(plan.assignments.map(({ device, memoryBytes }) => [device, memoryBytes]));
  const bytes = parameterCount * HELD_BYTES_PER_VALUE;
  const able = devices.filter(({ id, profile, linked, status }) => {
    if (profile === null || !linked || (status.kind !== 'ready' && status.kind !== 'measured')) return false;
    return mayLead(id) && (claimed.get(id) ?? 0) + bytes <= profile.memory.limitBytes;
  });
  const ranked = able.map(({ id, profile }) => ({
    id,
    held: isUpToDate(id) ? 0 : 1,
    staged: claimed.has(id) ? 1 : 0,
    rate: profile?.linkBitsPerSecond ?? 0,
  }));
  ranked.sort((a, b) => a.held - b.held || a.staged - b.staged || b.rate - a.rate || (a.id < b.id ? -1 : 1));
  return ranked.slice(0, SPLIT_HEIRS).map(({ id }) => id);
}
