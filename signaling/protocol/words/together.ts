import { largestMicroBatch } from '../cost-model.ts';
import type { RoomPlan } from '../plan.ts';
import type { Profile } from '../profile.ts';
import { bytesText } from './quantities.ts';

const NUMBERS = ['two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve'];

/** What a split plan makes possible, where it does: null for other plans, and where some device could hold the whole model, too. */
export function togetherSentence(
  { assignments }: Pick<RoomPlan, 'assignments'>,
  devices: readonly { readonly profile: Profile | null }[],
): string | null {
  const stages = new Set(assignments.flatMap(({ device, stage }) => (stage === undefined ? [] : [device]))).size;
  const profiles = devices.flatMap(({ profile }) => (profile === null ? [] : [profile]));
  // Not even to train the head alone, one sample at a time.
  const isTooLarge = profiles.length > 0 && profiles.every((profile) => largestMicroBatch(profile, 1, 0) === 0);
  if (stages < 2 || !isTooLarge) return null;
  const bytes = Math.min(...profiles.map(({ memory }) => memory.weightsBytes));
  const count = NUMBERS[stages - 2] ?? `${stages}`;
  return `No single device here can hold the model (${bytesText(bytes)} of weights); these ${count} together can.`;
}
