import type { TrainingSettings } from '../settings.ts';

export const CLASS_WEIGHTS_WANTED =
  'Leave class weights out, say “balanced”, or give a number above 0 for each class, with commas.';

/** Class weights as typed: nothing, `balanced`, or numbers with commas; undefined when it is none of these. */
export function readClassWeights(typed: string): TrainingSettings['classWeights'] | undefined {
  const text = typed.trim().toLowerCase();
  if (text === '') return null;
  if (text === 'balanced') return text;
  const weights = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  return weights.length > 1 && weights.every((weight) => weight > 0 && weight <= 1e6) ? weights : undefined;
}
