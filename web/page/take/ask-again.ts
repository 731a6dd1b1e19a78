/** The model is asked again by itself no more often than that: the host's device answers between its orders. */
const BETWEEN_MS = 5000;

/** Milliseconds until the model is asked the same again since rounds have changed it; null while it is as it was when it answered. */
export function againInMs(
  answered: { readonly round: number; readonly askedMs: number },
  round: number,
  nowMs: number,
): number | null {
  return round <= answered.round ? null : Math.max(0, answered.askedMs + BETWEEN_MS - nowMs);
}
