/** Seconds of a chunk, so that nobody waits long for the last ones and a device that leaves loses little. */
const CHUNK_SECONDS = 2;
/** Near the end chunks get shorter, but no shorter than this: each costs messages. */
const SHORTEST_SECONDS = 0.25;
/** Weight of the latest chunk in what a device's pace is believed to be. */
const NEWEST = 0.5;

/** Examples from `start`, in the order of an evaluation. */
export interface Span {
  readonly start: number;
  readonly count: number;
}

/** What an evaluation costs on a device: a forward pass, by its profile. */
export interface Evaluator {
  readonly device: string;
  readonly overheadSeconds: number;
  readonly secondsPerToken: number;
}

export function tokensIn(lengths: ArrayLike<number>, { start, count }: Span): number {
  let tokens = 0;
  for (let i = start; i < start + count; i++) tokens += lengths[i]!;
  return tokens;
}

export const pieceSeconds = (
  lengths: ArrayLike<number>,
  { overheadSeconds, secondsPerToken }: Evaluator,
  span: Span,
): number => overheadSeconds + secondsPerToken * tokensIn(lengths, span);

/** Seconds in which these devices together do so many tokens. */
export function drainSeconds(evaluators: readonly Evaluator[], tokens: number): number {
  const rate = evaluators.reduce((sum, { secondsPerToken }) => sum + 1 / Math.max(1e-12, secondsPerToken), 0);
  return rate === 0 ? Number.POSITIVE_INFINITY : tokens / rate;
}

/** The end of a span that takes a device about two seconds, or `most` if that is less: one example at least, `mostExamples` at most. */
export function cutPiece(
  lengths: ArrayLike<number>,
  span: Span,
  evaluator: Evaluator,
  most: number,
  mostExamples: number,
): Span {
  const end = span.start + span.count;
  const seconds = Math.min(CHUNK_SECONDS, Math.max(SHORTEST_SECONDS, most));
  let count = 1;
  let taken = evaluator.overheadSeconds + evaluator.secondsPerToken * lengths[end - 1]!;
  while (count < Math.min(span.count, mostExamples)) {
    taken += evaluator.secondsPerToken * lengths[end - count - 1]!;
    if (taken > seconds) break;
    count++;
  }
  return { start: end - count, count };
}

/**
 * What a device was at a chunk: by its own word, as far as it had the time; without it from asking to answer, which beside rounds says nothing,
 * for an answer also waited for an order then.
 */
export function seenSeconds(
  sinceMs: number,
  { seconds, atMs }: { readonly seconds: number | null; readonly atMs: number },
  beside: boolean,
): number | null {
  const elapsed = (atMs - sinceMs) / 1000;
  if (!beside) return elapsed;
  return seconds === null ? null : Math.min(seconds, elapsed);
}

/** Seconds that a device takes, in those that it states, after a chunk; undefined before the first. */
export function paceAfter(known: number | undefined, seconds: number, statedSeconds: number): number {
  if (statedSeconds <= 0) return known ?? 1;
  const seen = Math.max(0.05, seconds / statedSeconds);
  return known === undefined ? seen : NEWEST * seen + (1 - NEWEST) * known;
}
