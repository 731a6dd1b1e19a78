import { metricsOf, type TaskKind } from '../../signaling/protocol/scores.ts';
import type { TrainingSettings } from '../../signaling/protocol/settings.ts';
import type { Example } from '../data/example.ts';
import type { Task } from '../data/tasks.ts';

const WHY_NOT: Readonly<Record<Exclude<TaskKind, 'classification'>, string>> = {
  regression: 'a task whose label is a number',
  'multi-label': 'a task of several labels',
};

/**
 * The training settings with "balanced" class weights as numbers: samples / (classes * samples of the class), as scikit-learn's
 * `compute_class_weight` has it. A class that no training example has counts as if it had one.
 * @throws Error with one sentence when weights or smoothing do not suit the task.
 */
export function sessionTraining(
  training: TrainingSettings,
  { kind, labelCount, title, classNames }: Task,
  train: readonly Example[],
): TrainingSettings {
  const { classWeights, labelSmoothing, bestBy } = training;
  const known = metricsOf({ kind, labelCount });
  if (bestBy !== null && bestBy !== 'loss' && !known.includes(bestBy))
    throw new Error(`The best adapter of "${title}" can be chosen by ${known.join(', ')} or loss, not by ${bestBy}.`);
  if (kind !== 'classification') {
    if (classWeights !== null || labelSmoothing > 0)
      throw new Error(`Class weights and label smoothing are for classes; "${title}" is ${WHY_NOT[kind]}.`);
    return training;
  }
  if (classWeights === null) return training;
  if (classWeights !== 'balanced') {
    if (classWeights.length === labelCount) return training;
    throw new Error(
      `"${title}" has ${labelCount} classes, ${classNames.join(', ')}; ${classWeights.length} class weights were given.`,
    );
  }
  const counts = new Array<number>(labelCount).fill(0);
  for (const { label } of train) if (typeof label === 'number') counts[label]! += 1;
  return { ...training, classWeights: counts.map((count) => train.length / (labelCount * Math.max(1, count))) };
}
