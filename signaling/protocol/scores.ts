import * as v from 'valibot';

/** What a task is judged by. */
export const TASK_METRICS = ['accuracy', 'matthews', 'f1', 'pearson'] as const;
/** What may be reported besides. */
export const METRICS = [...TASK_METRICS, 'spearman'] as const;
export type Metric = (typeof METRICS)[number];

const value = v.pipe(v.number(), v.finite());

/** One more measure of the same adapter, of the task's dev set or, by name, of another. */
const FieldsSchema = v.strictObject({
  metric: v.picklist(METRICS),
  /** Null for the task's own dev set; "mismatched" for MNLI's other one. */
  devSet: v.optional(v.nullable(v.pipe(v.string(), v.minLength(1), v.maxLength(40))), null),
  value,
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
