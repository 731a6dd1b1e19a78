import type { Made, MadePart } from './compare.ts';

/** Of the norm that is usual, so little does not matter: what cancels out, or has all but vanished, is rounding for the most part. */
const LEAST = 0.01;
/** What was found right lately says what is usual. */
const REMEMBERED = 16;

/** Norms of parts that were found right, for one sample; by part, the latest last. */
export type UsualSizes = ReadonlyMap<MadePart, readonly number[]>;

export const NOTHING_USUAL: UsualSizes = new Map();

const norm = (values: Float32Array): number => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));

export function withRight(usual: UsualSizes, { parts }: Made, samples: number): UsualSizes {
  const next = new Map(usual);
  for (const [part, values] of parts)
    next.set(part, [...(next.get(part) ?? []), norm(values) / samples].slice(-REMEMBERED));
  return next;
}

/** The norm below which a part of so many samples does not matter; 0 while nothing is known. */
export function leastOf(usual: UsualSizes, part: MadePart, samples: number): number {
  const sizes = [...(usual.get(part) ?? [])].sort((a, b) => a - b);
  return LEAST * samples * (sizes[sizes.length >> 1] ?? 0);
}
