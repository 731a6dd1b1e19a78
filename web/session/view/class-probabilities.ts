import { probabilities } from '../../../signaling/protocol/scores.ts';
import type { TaskSummary } from '../../../signaling/protocol/settings.ts';
import * as say from '../../words/session/view.ts';
import type { Prediction } from './view.ts';

/** What logits, (labels), of one sample mean to a person: each class or label with its probability, or the value itself. */
export function predictionOf(
  { kind, labelCount, classNames }: Pick<TaskSummary, 'kind' | 'labelCount' | 'classNames'>,
  logits: Float32Array,
): Prediction {
  if (logits.length !== labelCount || !logits.every(Number.isFinite)) throw new Error(say.theModelAnswersWithValues);
  if (kind === 'regression') return { kind: 'value', value: logits[0] ?? 0 };
  const named = probabilities(kind, logits).map((probability, i) => ({
    name: classNames[i] ?? say.classWord(i),
    probability,
  }));
  return { kind: kind === 'multi-label' ? 'labels' : 'classes', probabilities: named };
}
