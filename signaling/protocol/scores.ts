import * as v from 'valibot';
import { textSchema } from './text/plain-text.ts';

/** One class for each text, a number, or any of several labels at once. */
export const TASK_KINDS = ['classification', 'regression', 'multi-label'] as const;
export type TaskKind = (typeof TASK_KINDS)[number];

/** What answers are measured by; all grow with quality. */
export const METRICS = ['accuracy', 'matthews', 'f1', 'f1-micro', 'f1-macro', 'pearson', 'spearman'] as const;
export type Metric = (typeof METRICS)[number];

/** The metrics that fit a task, the usual one first. F1 alone is that of class 1, so it is for two classes. */
export function metricsOf({
  kind,
  labelCount,
}: {
  readonly kind: TaskKind;
  readonly labelCount: number;
}): readonly Metric[] {
  if (kind === 'regression') return ['pearson', 'spearman'];
  if (kind === 'multi-label') return ['f1-micro', 'f1-macro', 'accuracy'];
  return ['accuracy', ...(labelCount === 2 ? (['f1'] as const) : []), 'f1-micro', 'f1-macro', 'matthews'];
}

/**
 * What logits of one sample mean: softmax over the classes, or a sigmoid for each of several labels; empty where the model answers with a
 * number.
 */
export function probabilities(kind: TaskKind, logits: ArrayLike<number>): number[] {
  const values = Array.from(logits);
  if (kind === 'regression') return [];
  if (kind === 'multi-label') return values.map((logit) => 1 / (1 + Math.exp(-logit)));
  const highest = Math.max(...values);
  const weights = values.map((logit) => Math.exp(logit - highest));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

/** What the best adapter may be chosen by: a metric, or the loss on the dev set. */
export const MEASURES = [...METRICS, 'loss'] as const;
export type Measure = (typeof MEASURES)[number];

export const isBetter = (measure: Measure, value: number, best: number): boolean =>
  measure === 'loss' ? value < best : value > best;

interface Scored {
  readonly metric: Metric;
  readonly value: number;
  readonly loss: number;
  readonly further?: readonly FurtherScore[] | undefined;
}

/** What a score says of a measure, on the task's own dev set; null where it was not taken. */
export function measured(score: Scored, measure: Measure): number | null {
  if (measure === 'loss') return score.loss;
  if (measure === score.metric) return score.value;
  return score.further?.find(({ metric, devSet }) => metric === measure && devSet === null)?.value ?? null;
}

const value = v.pipe(v.number(), v.finite());

/** One more measure of the same adapter, of the task's dev set or, by name, of another. */
const FieldsSchema = v.strictObject({
  metric: v.picklist(METRICS),
  /** Null for the task's own dev set; "mismatched" for MNLI's other one. */
  devSet: v.optional(v.nullable(textSchema(40)), null),
  value,
  /** What the best constant answer scores on the same examples; reports of 0.1.0 do not say. */
  constant: v.optional(value),
});
export type FurtherScore = v.InferOutput<typeof FieldsSchema>;

/** Checkpoints and logs of 0.1.0 have both in one text: "accuracy, mismatched dev set". */
const TextSchema = v.pipe(
  v.strictObject({ metric: v.pipe(v.string(), v.maxLength(60), v.regex(/^\w+, .+ dev set$/)), value }),
  v.transform(({ metric: text, value: number }) => {
    const [metric, devSet] = text.replace(/ dev set$/, '').split(', ');
    return { metric, devSet, value: number };
  }),
  FieldsSchema,
);

export const FurtherScoreSchema = v.union([FieldsSchema, TextSchema]);
