import type { Audits } from '../rounds/audits/audits.ts';
import { type Answered, type EvaluationInput, runEvaluation } from '../rounds/run-evaluation.ts';
import { falseAnswers } from './check-answers.ts';

/** Whoever is asked once more for some examples has so long. */
const PATIENCE_MS = 30_000;

export interface ScoreChecksContext {
  /** Part of the compute that audits take. */
  readonly share: number;
  readonly host: () => string | null;
  readonly audits: () => Pick<Audits, 'isOn' | 'tolerance' | 'draw' | 'answeredFalsely'>;
}

/** Has a few examples of everybody who evaluated computed again, and whoever lied removed; false where there was somebody. */
export async function areTrue(
  { share, host, audits }: ScoreChecksContext,
  input: EvaluationInput,
  nextEvaluation: () => number,
  { logits, answered }: { readonly logits: Float32Array; readonly answered: readonly Answered[] },
): Promise<boolean> {
  if (!audits().isOn) return true;
  const { evaluation, labelCount, parameters, deviceLinks, evaluators, signal } = input;
  const found = await falseAnswers({
    ...{ logits, labelCount, answered, share, tolerance: audits().tolerance, host: host() },
    able: () => evaluators().flatMap(({ device }) => (deviceLinks.has(device) ? [device] : [])),
    draw: (name) => audits().draw('answers', evaluation, name),
    ask: (device, { start, count }) =>
      within(
        PATIENCE_MS,
        signal,
        (until) =>
          runEvaluation({
            ...input,
            evaluation: nextEvaluation(),
            lengths: Array.from({ length: count }, (_, i) => input.lengths[start + i] ?? 0),
            chunk: (from, many) => input.chunk(start + from, many),
            beside: false,
            evaluators: () => evaluators().filter((one) => one.device === device),
            onProgress: () => undefined,
            onConduct: () => undefined,
            signal: until,
          }).logits,
      ),
  });
  for (const { device, by, products } of found) audits().answeredFalsely(parameters.version, device, by, products);
  return found.length === 0;
}

/** What it comes to; null where it does not in time, or not at all. Rejects when the whole is ended. */
async function within<T>(ms: number, signal: AbortSignal, work: (until: AbortSignal) => Promise<T>): Promise<T | null> {
  const abort = new AbortController();
  const end = (): void => abort.abort();
  const timer = setTimeout(end, ms);
  signal.addEventListener('abort', end, { once: true });
  try {
    return await work(abort.signal);
  } catch (error) {
    if (signal.aborted) throw error;
    return null;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}
