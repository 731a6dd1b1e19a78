import { MEASURES, type Measure, TASK_KINDS, type TaskKind } from '../../../signaling/protocol/scores.ts';
import {
  type LoraTarget,
  POLICIES,
  type Policy,
  SCHEDULES,
  type Schedule,
  UPLOADS,
  type Uploads,
  WEIGHT_STORAGES,
  type WeightStorage,
} from '../../../signaling/protocol/settings.ts';
import { HIDDEN_STATES, type HiddenStates } from '../../../signaling/protocol/split.ts';
import { DEFAULT_AUDITS } from '../../../signaling/protocol/words/audits.ts';
import { capitalised } from '../../../signaling/protocol/words/lists.ts';
import { metricName } from '../../../signaling/protocol/words/metrics.ts';

/** What the start form offers, as data. */

export interface TaskChoice {
  readonly id: string;
  readonly label: string;
  readonly hint: string;
  /** `embedded` comes with the page; `hub` is read from the hub's address. */
  readonly from: 'embedded' | 'hub';
}

/** The generated task first: it needs no network. The rest is GLUE, read as parquet from the hub. */
export const TASK_CHOICES: readonly TaskChoice[] = [
  {
    id: 'grammar',
    label: 'Sentiment of film verdicts',
    hint: '4,000 short film verdicts made by a grammar, with negation and contrast. Nothing is downloaded.',
    from: 'embedded',
  },
  glue('sst2', 'SST-2', 'Is a phrase of a film review positive or negative?'),
  glue('cola', 'CoLA', 'Is it a sentence of English?'),
  glue('mrpc', 'MRPC', 'Do two sentences say the same?'),
  glue('qqp', 'QQP', 'Do two questions ask the same?'),
  glue('stsb', 'STS-B', 'How alike are two sentences, from 0 to 5?'),
  glue('mnli', 'MNLI, matched', 'Does one sentence follow from another? Judged on the same kinds of text.'),
  glue('mnli-mismatched', 'MNLI, mismatched', 'Does one sentence follow from another? Judged on other kinds of text.'),
  glue('qnli', 'QNLI', 'Does the sentence answer the question?'),
  glue('rte', 'RTE', 'Does one sentence follow from another? 2,490 examples.'),
  glue('wnli', 'WNLI', 'Is the pronoun read rightly? 635 examples.'),
];

/** The person's own table. */
export const OWN_TASK = 'own';

function glue(id: string, name: string, hint: string): TaskChoice {
  return { id, label: name, hint: `${hint} Part of GLUE.`, from: 'hub' };
}

/** The embedded model and its longest input; `hub` stands for a repository that the person names. */
export const EMBEDDED_MODEL = { id: 'roberta-mini', maxTokens: 128 } as const;
export const HUB_MODEL = 'hub';
/** A folder on the host's disk. */
export const FOLDER_MODEL = 'folder';

/** Repositories that a person is likely to want. */
export const HUB_SUGGESTIONS = [
  'distilbert/distilroberta-base',
  'FacebookAI/roberta-base',
  'FacebookAI/roberta-large',
] as const;
export const DEFAULT_HUB = 'https://huggingface.co';

export const TARGET_LABELS: Readonly<Record<LoraTarget, string>> = {
  query: 'Query',
  key: 'Key',
  value: 'Value',
  'attention.output.dense': 'Attention output',
  'intermediate.dense': 'Feed-forward in',
  'output.dense': 'Feed-forward out',
};

export interface WeightChoice {
  readonly label: string;
  readonly hint: string;
}

/** What each storage of the frozen weights costs. Adapters and the head are 32 bit in all of them. */
export const WEIGHT_CHOICES: Readonly<Record<WeightStorage, WeightChoice>> = {
  f32: { label: '32 bit', hint: 'The weights as they are: the most memory, the exact gradient.' },
  f16: { label: '16 bit', hint: 'Half the memory. Gradients change by about 0.2 %, which training does not notice.' },
  int8: {
    label: '8 bit',
    hint: 'A quarter of the memory. Gradients change by 2 to 4 %, in very large models by more.',
  },
};

export const HIDDEN_STATES_CHOICES: Readonly<Record<HiddenStates, WeightChoice>> = {
  f32: { label: '32 bit', hint: 'Hidden states as they are: the gradient of one device, exactly.' },
  f16: { label: '16 bit', hint: 'Half of what these devices send each other. Gradients change by about 0.1 %.' },
};

/** What each form of gradients costs; measured in docs/learning.md. */
export const UPLOADS_CHOICES: Readonly<Record<Uploads, WeightChoice>> = {
  f32: { label: '32 bit', hint: 'Gradients as they are: the gradient of one device, exactly.' },
  f16: { label: '16 bit', hint: 'Half of what devices send and get in a round. Gradients change by about 0.02 %.' },
  int8: {
    label: '8 bit',
    hint: 'A quarter of what devices send and get in a round. Gradients change by about 1 %, in the mean by nothing.',
  },
};

/** Early stopping, as `patience`: scores without a better one after which training ends. */
export const PATIENCE_CHOICES = [
  { value: '0', label: 'No, train all rounds' },
  { value: '2', label: 'After 2 scores without a better one' },
  { value: '3', label: 'After 3 scores without a better one' },
  { value: '5', label: 'After 5 scores without a better one' },
  { value: '10', label: 'After 10 scores without a better one' },
] as const;

/** How much of the compute checks what devices send, as `audits`. */
export const AUDIT_CHOICES = [
  { value: `${DEFAULT_AUDITS}`, label: 'Yes, with 8 % of the compute' },
  { value: '0.2', label: 'Yes, with 20 % of the compute' },
  { value: '0', label: 'No: only friends take part' },
] as const;

/** What each way of planning does, in a line. */
export const POLICY_HINTS: Readonly<Record<Policy, string>> = {
  auto: 'Makes every plan that fits and takes the one with the shortest predicted round.',
  crunch: 'One block for each device, the exact best at equal bandwidth.',
  lola: 'Blocks and bandwidth together, by dual ascent, as in the LoLa DEFT paper.',
  exact: 'Blocks and bandwidth together, the certified best with one block for each device.',
  teams: 'Splits the samples over teams and the blocks over each team’s members.',
  random: 'Blocks dealt out by chance; a baseline.',
  greedy: 'The fastest device takes the deepest block; a baseline.',
  'depth-unaware': 'Plans as if depth cost nothing; a baseline.',
  'equal-bandwidth': 'Best blocks with the airtime shared evenly; a baseline.',
  single: 'The best single device does everything.',
  'data-parallel': 'Every device trains all blocks on its share of the samples.',
  split: 'Each device holds a run of layers; hidden states travel from device to device.',
  offload: 'The host trains everything itself.',
};

/** What the learning rate does after its warm-up. */
export const SCHEDULE_LABELS: Readonly<Record<Schedule, string>> = {
  linear: 'Linear decay',
  cosine: 'Cosine decay',
  constant: 'Constant rate',
};

/** What the best adapter may be chosen by; the host says so where one does not fit the task. */
export const BEST_BY_CHOICES = MEASURES.map((value) => ({
  value,
  label: value === 'loss' ? 'The lowest dev loss' : capitalised(metricName(value)),
}));

export const isTaskKind = (text: string): text is TaskKind => TASK_KINDS.some((kind) => kind === text);

export const isMeasure = (text: string): text is Measure => MEASURES.some((measure) => measure === text);

export const isSchedule = (text: string): text is Schedule => SCHEDULES.some((schedule) => schedule === text);

export const isWeightStorage = (text: string): text is WeightStorage =>
  WEIGHT_STORAGES.some((storage) => storage === text);

export const isUploads = (text: string): text is Uploads => UPLOADS.some((one) => one === text);

export const isHiddenStates = (text: string): text is HiddenStates => HIDDEN_STATES.some((codec) => codec === text);

export const isPolicy = (text: string): text is Policy => POLICIES.some((policy) => policy === text);
