import type { Metric } from '../../signaling/protocol/scores.ts';
import { mixSeed, seededRandom } from '../data/seeded-random.ts';
import type { Task } from '../data/tasks.ts';
import { answersOf, metricValue } from './score.ts';

/** Draws that the spread of a metric is taken from: it is then known to about 5 %. */
const DRAWS = 200;
/** Of larger sets as many examples are drawn, and the spread is brought to the set's size: 200 draws of 10,000 take a second. */
const MOST_DRAWN = 2000;
const SEED = 0x5eed;

/**
 * One standard error of a metric over these examples, as if they had been drawn from many: sqrt(p (1 - p) / n) for the accuracy p of n
 * classes; for all else the spread of the metric over examples drawn again with replacement (Efron's bootstrap), always the same draws.
 */
export function standardError(
  task: Pick<Task, 'id' | 'kind' | 'labelCount'>,
  metric: Metric,
  logits: Float32Array,
  labels: Float32Array,
  threshold: number,
): number {
  const answers = Float32Array.from(answersOf(task, logits, threshold));
  const each = task.kind === 'multi-label' ? task.labelCount : 1;
  const examples = labels.length / each;
  if (examples < 2) return 0;
  if (metric === 'accuracy' && each === 1) {
    const share = metricValue(task, metric, answers, labels);
    return Math.sqrt((share * (1 - share)) / examples);
  }
  const drawn = Math.min(examples, MOST_DRAWN);
  const random = seededRandom(mixSeed(SEED, examples));
  const [ownAnswers, ownLabels] = [new Float32Array(drawn * each), new Float32Array(drawn * each)];
  let [sum, squares] = [0, 0];
  for (let draw = 0; draw < DRAWS; draw++) {
    for (let i = 0; i < drawn; i++) {
      const from = each * Math.floor(random() * examples);
      ownAnswers.set(answers.subarray(from, from + each), i * each);
      ownLabels.set(labels.subarray(from, from + each), i * each);
    }
    const value = metricValue(task, metric, ownAnswers, ownLabels);
    sum += value;
    squares += value * value;
  }
  const variance = Math.max(0, (squares - (sum * sum) / DRAWS) / (DRAWS - 1));
  return Math.sqrt((variance * drawn) / examples);
}
