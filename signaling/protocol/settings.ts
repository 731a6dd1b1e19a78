import * as v from 'valibot';
import {
  MAX_CLASSES,
  MAX_HIDDEN_SIZE,
  MAX_LAYERS,
  MAX_LORA_ALPHA,
  MAX_LORA_RANK,
  MAX_ROUNDS,
  MAX_SAMPLES_PER_ROUND,
  MAX_TOKENS_PER_SAMPLE,
} from './limits.ts';
import { MEASURES, METRICS, TASK_KINDS } from './scores.ts';
import { HIDDEN_STATES } from './split.ts';
import { textSchema } from './text/plain-text.ts';
import { SETTINGS_VERSION } from './version.ts';

const count = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(max));
const finite = v.pipe(v.number(), v.finite());

/** Linear projections of a RoBERTa layer that can carry a LoRA adapter, in the canonical order of every parameter list. */
export const LORA_TARGETS = [
  'query',
  'key',
  'value',
  'attention.output.dense',
  'intermediate.dense',
  'output.dense',
] as const;
export type LoraTarget = (typeof LORA_TARGETS)[number];

/** Ways of making a plan. `auto` picks the one with the lowest predicted latency. */
export const POLICIES = [
  'auto',
  'crunch',
  'lola',
  'exact',
  'teams',
  'random',
  'greedy',
  'depth-unaware',
  'equal-bandwidth',
  'single',
  'data-parallel',
  'offload',
  'split',
] as const;
export type Policy = (typeof POLICIES)[number];
/** Plans in which every device holds the whole model. */
export type WholePolicy = Exclude<Policy, 'auto' | 'split'>;

/** What the planner and the engines need to know of an encoder; the fields of Hugging Face's `config.json`, in camel case. */
export const ModelShapeSchema = v.strictObject({
  layers: count(MAX_LAYERS),
  hiddenSize: count(MAX_HIDDEN_SIZE),
  heads: count(256),
  ffnSize: count(4 * MAX_HIDDEN_SIZE),
  vocabSize: count(1_000_000),
  maxPositions: count(8192),
  layerNormEps: v.pipe(finite, v.minValue(1e-12), v.maxValue(1e-2)),
  padTokenId: v.pipe(v.number(), v.integer(), v.minValue(0)),
});
export type ModelShape = v.InferOutput<typeof ModelShapeSchema>;

/**
 * Where a device finds the base model. `embedded` is served beside the page under `models/<id>/`;
 * `hub` is a repository id on a Hugging Face endpoint, under `<endpoint>/<id>/resolve/<revision>/`.
 */
export const ModelSourceSchema = v.variant('kind', [
  v.strictObject({ kind: v.literal('embedded'), id: v.pipe(textSchema(64), v.regex(/^[a-z0-9-]+$/, 'a plain name')) }),
  v.strictObject({
    kind: v.literal('hub'),
    id: v.pipe(
      textSchema(200),
      v.regex(/^(?!\.+(\/|$))[\w.-]+(\/(?!\.+$)[\w.-]+)?$/, 'a repository id such as FacebookAI/roberta-base'),
    ),
    // A device that joins opens no file of its own because a session says so.
    endpoint: v.pipe(
      textSchema(300),
      v.url(),
      v.regex(
        /^https?:\/\/(\[[\da-f:.]+\]|[\w.-]+)(:\d+)?(\/(?!\.+(\/|$))[\w.~-]+)*\/?$/i,
        'an http or https address with a plain path',
      ),
    ),
    revision: v.pipe(
      textSchema(100),
      v.regex(/^(?!\.+(\/|$))[\w.-]+(\/(?!\.+(\/|$))[\w.-]+)*$/, 'a branch, tag or commit such as main or refs/pr/1'),
    ),
  }),
]);
export type ModelSource = v.InferOutput<typeof ModelSourceSchema>;

/** In the place of a hub's address: a folder of the host's own, of which nobody else has anything. No name ends so (RFC 2606). */
export const FOLDER_ENDPOINT = 'http://folder.invalid';

export const isFolder = (source: ModelSource): boolean => source.kind === 'hub' && source.endpoint === FOLDER_ENDPOINT;

/**
 * How devices keep the frozen matrices in memory. `int8` has one scale for each row; vectors stay f32 in all of them. What a device
 * computes with are the values that its storage can hold, so all devices of a session keep the same.
 */
export const WEIGHT_STORAGES = ['f32', 'f16', 'int8'] as const;
export type WeightStorage = (typeof WEIGHT_STORAGES)[number];
export const WeightStorageSchema = v.picklist(WEIGHT_STORAGES);

/** What gradients are rounded to on their way to the host, and the merged one on its way back (`exchange/upload-codec.ts`). */
export const UPLOADS = ['f32', 'f16', 'int8'] as const;
export type Uploads = (typeof UPLOADS)[number];

const rank = count(MAX_LORA_RANK);
const alpha = v.pipe(finite, v.gtValue(0), v.maxValue(MAX_LORA_ALPHA));
const ofLayer = v.pipe(v.string(), v.regex(/^(0|[1-9]\d?)$/, 'the index of a layer'));

/** What adapters there are. Settings without the optional fields have them on every layer, all of one rank and one alpha. */
export const LoraSettingsSchema = v.strictObject({
  rank,
  /** B A is multiplied by alpha / rank. */
  alpha,
  /** Unique, in the order of LORA_TARGETS. */
  targets: v.pipe(v.array(v.picklist(LORA_TARGETS)), v.minLength(1), v.maxLength(LORA_TARGETS.length)),
  /** The layers with adapters, counted from the embeddings, ascending; all where it is absent. */
  layers: v.exactOptional(
    v.pipe(
      v.array(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_LAYERS - 1))),
      v.minLength(1),
      v.maxLength(MAX_LAYERS),
      v.check((layers) => layers.every((layer, i) => i === 0 || layer > layers[i - 1]!), 'layers in ascending order'),
    ),
  ),
  /** Rank, and alpha, of single layers in place of the common one, by the layer's index. */
  rankPattern: v.exactOptional(v.record(ofLayer, rank)),
  alphaPattern: v.exactOptional(v.record(ofLayer, alpha)),
  /** Rank-stabilised: alpha / sqrt(rank) in place of alpha / rank. */
  rslora: v.exactOptional(v.literal(true)),
});
export type LoraSettings = v.InferOutput<typeof LoraSettingsSchema>;

/** What is asked for before it is known how many layers the model has: `top` means so many of the last ones. */
export type LoraRequest = Omit<LoraSettings, 'layers'> & {
  readonly layers?: LoraSettings['layers'] | { readonly top: number };
};

/** Why a model of `count` layers cannot have these adapters, as a sentence; null when it can. */
export function adaptersProblem({ layers, rankPattern, alphaPattern }: LoraSettings, count: number): string | null {
  const beyond = layers?.find((layer) => layer >= count);
  if (beyond !== undefined)
    return `Adapters are asked for on layer ${beyond}; the model's layers are 0 to ${count - 1}.`;
  const has = (layer: number) => layer < count && (layers === undefined || layers.includes(layer));
  for (const [what, pattern] of Object.entries({ rank: rankPattern, alpha: alphaPattern })) {
    const stray = Object.keys(pattern ?? {}).find((layer) => !has(Number(layer)));
    if (stray !== undefined) return `Layer ${stray} is given its own ${what} and carries no adapters.`;
  }
  return null;
}

/** How the learning rate goes after its warm-up: the names of transformers' `get_*_schedule_with_warmup`. */
export const SCHEDULES = ['linear', 'cosine', 'constant'] as const;
export type Schedule = (typeof SCHEDULES)[number];

/** Number of model outputs. */
const labelCount = count(MAX_CLASSES);

/** What settings that leave them out get: AdamW as PyTorch has it, no clipping. Checkpoints of 0.1.0 do. */
export const PLAIN_TRAINING = {
  schedule: 'linear',
  maxGradientNorm: 0,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  loraPlusRatio: 1,
  classWeights: null,
  labelSmoothing: 0,
  threshold: 0.5,
  bestBy: null,
  uploads: 'f32',
} as const;

export const TrainingSettingsSchema = v.strictObject({
  rounds: count(MAX_ROUNDS),
  samplesPerRound: count(MAX_SAMPLES_PER_ROUND),
  maxTokens: count(MAX_TOKENS_PER_SAMPLE),
  learningRate: v.pipe(finite, v.gtValue(0), v.maxValue(1)),
  weightDecay: v.pipe(finite, v.minValue(0), v.maxValue(1)),
  /** Share of the rounds over which the learning rate climbs linearly from 0; `schedule` says how it goes on. */
  warmupFraction: v.pipe(finite, v.minValue(0), v.maxValue(1)),
  /** Probability of dropping an activation in hidden states, attention, LoRA inputs and the head; 0 turns dropout off. */
  dropout: v.pipe(finite, v.minValue(0), v.maxValue(0.9)),
  /** Evaluate on the dev set after every so many rounds; 0 means only before and after. */
  evaluateEvery: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_ROUNDS)),
  seed: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 32 - 1)),
  schedule: v.optional(v.picklist(SCHEDULES), PLAIN_TRAINING.schedule),
  /** The gradient is scaled down to this norm where it is longer (`clip_grad_norm_`); 0 leaves it as it is. */
  maxGradientNorm: v.optional(v.pipe(finite, v.minValue(0), v.maxValue(1e6)), PLAIN_TRAINING.maxGradientNorm),
  beta1: v.optional(v.pipe(finite, v.minValue(0), v.ltValue(1)), PLAIN_TRAINING.beta1),
  beta2: v.optional(v.pipe(finite, v.minValue(0), v.ltValue(1)), PLAIN_TRAINING.beta2),
  epsilon: v.optional(v.pipe(finite, v.gtValue(0), v.maxValue(1)), PLAIN_TRAINING.epsilon),
  /** LoRA+: how many times faster the matrices B learn than the matrices A; 1 is plain LoRA. */
  loraPlusRatio: v.optional(v.pipe(finite, v.minValue(1), v.maxValue(1000)), PLAIN_TRAINING.loraPlusRatio),
  /**
   * What a sample of each class counts in the loss; null weighs all alike. `balanced` is by the training set, samples / (classes * samples
   * of the class), and becomes numbers when the host has read it.
   */
  classWeights: v.optional(
    v.nullable(
      v.union([
        v.literal('balanced'),
        v.pipe(v.array(v.pipe(finite, v.gtValue(0), v.maxValue(1e6))), v.minLength(2), v.maxLength(MAX_CLASSES)),
      ]),
    ),
    PLAIN_TRAINING.classWeights,
  ),
  /** Of cross-entropy: so much of a sample's target is shared by all classes. */
  labelSmoothing: v.optional(v.pipe(finite, v.minValue(0), v.ltValue(1)), PLAIN_TRAINING.labelSmoothing),
  /** In a task of several labels: the probability from which on a label is given. */
  threshold: v.optional(v.pipe(finite, v.gtValue(0), v.ltValue(1)), PLAIN_TRAINING.threshold),
  /** What the best adapter is chosen by, and early stopping; null for the task's own metric. */
  bestBy: v.optional(v.nullable(v.picklist(MEASURES)), PLAIN_TRAINING.bestBy),
  uploads: v.optional(v.picklist(UPLOADS), PLAIN_TRAINING.uploads),
});
export type TrainingSettings = v.InferOutput<typeof TrainingSettingsSchema>;

/** How far training goes: what of its settings the host may still change before the first round. */
export const ExtentSchema = v.pick(TrainingSettingsSchema, ['rounds', 'evaluateEvery']);
export type Extent = v.InferOutput<typeof ExtentSchema>;

/** What everyone in a room may know of the task. The examples themselves stay on the host's device. */
export const TaskSummarySchema = v.strictObject({
  id: textSchema(64),
  title: textSchema(120),
  kind: v.picklist(TASK_KINDS),
  labelCount,
  /** One name per output; empty for regression. */
  classNames: v.pipe(v.array(textSchema(60)), v.maxLength(MAX_CLASSES)),
  metric: v.picklist(METRICS),
  trainExamples: count(100_000_000),
  devExamples: count(100_000_000),
  /** Tokens of a typical sample of a round as it is computed, padding included, at which devices time themselves; at most `maxTokens`. */
  roundTokens: count(MAX_TOKENS_PER_SAMPLE),
  /** Tokens of a typical dev example; those of a round where it is not said. */
  devTokens: v.optional(count(MAX_TOKENS_PER_SAMPLE)),
});
export type TaskSummary = v.InferOutput<typeof TaskSummarySchema>;

/** Values in a batch's labels for one sample. */
export const labelsPerSample = ({ kind, labelCount }: Pick<TaskSummary, 'kind' | 'labelCount'>): number =>
  kind === 'multi-label' ? labelCount : 1;

/** Everything a device must know to take part; made by the host when it creates the room, fixed afterwards but for `policy`, and for the extent before the first round. */
export const SessionSettingsSchema = v.pipe(
  v.strictObject({
    /** Settings of release 0.1.0 tell none; what they lack has the meaning here that it had there. */
    version: v.optional(
      v.pipe(
        v.number(),
        v.integer(),
        v.minValue(1),
        v.maxValue(SETTINGS_VERSION, 'settings of a newer Tabloom; reload this page'),
      ),
      1,
    ),
    model: ModelSourceSchema,
    weights: WeightStorageSchema,
    shape: ModelShapeSchema,
    task: TaskSummarySchema,
    lora: LoraSettingsSchema,
    training: TrainingSettingsSchema,
    policy: v.picklist(POLICIES),
    /** How the tables of the embeddings are kept, where they are too large beside the layers; as `weights` where it is not said. */
    embeddings: v.exactOptional(v.literal('int8')),
    /** What hidden states are rounded to between the stages of a split room; f32 where it is not said. */
    hiddenStates: v.exactOptional(v.picklist(HIDDEN_STATES)),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const { lora, shape } = dataset.value;
    const message = adaptersProblem(lora, shape.layers);
    if (message !== null) addIssue({ message });
  }),
);
export type SessionSettings = v.InferOutput<typeof SessionSettingsSchema>;
