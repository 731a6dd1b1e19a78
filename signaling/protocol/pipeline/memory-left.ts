import type { RoomPlan } from '../plan.ts';
import type { Profile } from '../profile.ts';
import { type SplitSettings, splitDeviceOf, splitModelOf } from './split-room.ts';
import { stageBytes } from './stages.ts';

/**
 * Bytes that a device has left for another run beside those that a plan gives it: its limit less what its stages take, and less what an engine
 * takes whatever its run, once more. Of what it holds without a place in the plan nothing is left out.
 */
export function memoryLeft(
  device: string,
  profile: Profile,
  plan: Pick<RoomPlan, 'assignments'> | null,
  settings: SplitSettings,
): number {
  const model = splitModelOf(settings);
  const known = splitDeviceOf(device, profile, profile.linkBitsPerSecond, model.layers);
  if (known === null) return 0;
  let left = known.memory.limitBytes;
  for (const { device: placed, stage, microBatch, samples } of plan?.assignments ?? []) {
    if (placed !== device || stage === undefined) continue;
    const place = { device: known, run: stage };
    left -= stageBytes({ ...model, samples: samples.count }, place, microBatch, Math.max(1, stage.window));
    left -= profile.memory.limitBytes - known.memory.limitBytes;
  }
  return Math.max(0, left);
}
