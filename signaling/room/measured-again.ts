import { computeSeconds } from '../protocol/cost-model.ts';
import type { Profile } from '../protocol/profile.ts';

/** What is less than so many times as quick is no news: measurements scatter by as much. */
const NEWS = 1.25;

/**
 * What is believed of a device that a plan leaves out, now that it measured itself again: null where that is no news, as where its machine is
 * still busy. What became slower is left to its rounds, should it get any. Speed and link count apart.
 */
export function quickerProfile(
  believed: Profile,
  fresh: Profile,
  { layers, samples }: { readonly layers: number; readonly samples: number },
): Profile | null {
  const seconds = (profile: Profile): number => computeSeconds(profile, layers, samples, layers);
  const isQuicker = NEWS * seconds(fresh) <= seconds(believed);
  const isLinkQuicker = fresh.linkBitsPerSecond >= NEWS * believed.linkBitsPerSecond;
  if (!isQuicker && !isLinkQuicker) return null;
  const linkBitsPerSecond = isLinkQuicker ? fresh.linkBitsPerSecond : believed.linkBitsPerSecond;
  return { ...(isQuicker ? fresh : believed), linkBitsPerSecond };
}
