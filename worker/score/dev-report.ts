import { probabilities } from '../../signaling/protocol/scores.ts';
import type { ClassLine, DevReport, Mistake } from '../api/report.ts';
import { type Example, labelValues } from '../data/example.ts';
import type { Task } from '../data/tasks.ts';
import { lossAndGradientOf, lossOf, lossTargets } from '../engine/loss.ts';
import { type ClassTally, classTallies, f1Of, labelTallies, precisionOf, recallOf } from './metrics.ts';
import { answersOf } from './score.ts';

const MAX_MISTAKES = 20;
/** Longer texts are cut. */
const MAX_SHOWN_CHARACTERS = 400;
/** More classes make no picture. */
const MAX_CONFUSION_CLASSES = 20;

type Reported = Pick<Task, 'id' | 'kind' | 'labelCount' | 'classNames'>;

/** What the logits, (examples, labels), of the dev set say of each class, and which examples are most wrong: by the plain loss of each. */
export function devReport(
  task: Reported,
  examples: readonly Example[],
  logits: Float32Array,
  { round, threshold }: { readonly round: number; readonly threshold: number },
): DevReport {
  const { kind, labelCount } = task;
  const labels = labelValues(examples);
  const answers = answersOf(task, logits, threshold);
  const each = kind === 'multi-label' ? labelCount : 1;
  const row = (values: ArrayLike<number>, i: number) => Array.from({ length: each }, (_, k) => values[i * each + k]!);
  const wrong = [...examples.keys()].filter((i) => row(answers, i).join() !== row(labels, i).join());
  const losses = sampleLosses(task, logits, labels);
  const worst = wrong.sort((a, b) => losses[b]! - losses[a]! || a - b).slice(0, MAX_MISTAKES);
  return {
    round,
    examples: examples.length,
    wrong: wrong.length,
    classes: classLines(task, answers, labels),
    confusion:
      kind === 'classification' && labelCount <= MAX_CONFUSION_CLASSES
        ? confusionMatrix(answers, labels, labelCount)
        : null,
    mistakes: worst.map((i): Mistake => {
      const { text, pair, label } = examples[i]!;
      const own = logits.subarray(i * labelCount, (i + 1) * labelCount);
      return {
        text: shortened(text),
        pair: pair === null ? null : shortened(pair),
        label: answerText(task, row(labels, i)),
        answer: answerText(task, row(answers, i)),
        probability: kind === 'classification' && typeof label === 'number' ? probabilities(kind, own)[label]! : null,
      };
    }),
  };
}

/** An answer, or a label, as people write it: the class, the labels with bars between them, or the number. */
export function answerText(
  { kind, classNames }: Pick<Reported, 'kind' | 'classNames'>,
  values: readonly number[],
): string {
  const nameOf = (index: number) => classNames[index] ?? `class ${index}`;
  switch (kind) {
    case 'classification':
      return nameOf(values[0]!);
    case 'regression':
      return String(Number(values[0]!.toPrecision(6)));
    case 'multi-label':
      return values.flatMap((has, index) => (has === 1 ? [nameOf(index)] : [])).join('|');
  }
}

function classLines(
  { kind, labelCount, classNames }: Reported,
  answers: ArrayLike<number>,
  labels: ArrayLike<number>,
): readonly ClassLine[] {
  if (kind === 'regression') return [];
  const tallies = (kind === 'multi-label' ? labelTallies : classTallies)(answers, labels, labelCount);
  return tallies.map((tally: ClassTally, index) => ({
    name: classNames[index] ?? `class ${index}`,
    precision: precisionOf(tally),
    recall: recallOf(tally),
    f1: f1Of(tally),
    examples: tally.right + tally.missed,
  }));
}

function confusionMatrix(answers: ArrayLike<number>, labels: Float32Array, labelCount: number): readonly number[][] {
  const counts = Array.from({ length: labelCount }, () => new Array<number>(labelCount).fill(0));
  labels.forEach((label, i) => {
    counts[label]![answers[i]!]! += 1;
  });
  return counts;
}

function sampleLosses(task: Reported, logits: Float32Array, labels: Float32Array): Float64Array {
  const { labelCount } = task;
  const loss = lossOf(task, { classWeights: null, labelSmoothing: 0 });
  const targets = lossTargets(loss, labels, labelCount);
  return Float64Array.from({ length: logits.length / labelCount }, (_, i) => {
    const [from, to] = [i * labelCount, (i + 1) * labelCount];
    return lossAndGradientOf(loss, logits.subarray(from, to), targets.subarray(from, to), labelCount).lossSum;
  });
}

const shortened = (text: string): string =>
  text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}…` : text;
