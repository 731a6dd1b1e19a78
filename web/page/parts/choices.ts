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
import * as say from '../../words/start/parts.ts';

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
    label: say.sentimentOfFilmVerdicts,
    hint: say.n4000ShortFilmVerdicts,
    from: 'embedded',
  },
  glue('sst2', 'SST-2', say.isAPhrase),
  glue('cola', say.coLA, say.isItASentence),
  glue('mrpc', 'MRPC', say.doTwoSentencesSay),
  glue('qqp', 'QQP', say.doTwoQuestionsAsk),
  glue('stsb', 'STS-B', say.howAlikeAreTwoSentences),
  glue('mnli', say.mnliMatched, say.doesOneSentenceFollow),
  glue('mnli-mismatched', say.mnliMismatched, say.doesOneSentenceFollowFromAnotherJudged),
  glue('qnli', 'QNLI', say.doesTheSentenceAnswer),
  glue('rte', 'RTE', say.doesOneSentenceFollowFromAnother2),
  glue('wnli', 'WNLI', say.isThePronounReadRightly),
];

/** The person's own table. */
export const OWN_TASK = 'own';

function glue(id: string, name: string, hint: string): TaskChoice {
  return { id, label: name, hint: say.partOfGlue(hint), from: 'hub' };
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
  query: say.query,
  key: say.key,
  value: say.value,
  'attention.output.dense': say.attentionOutput,
  'intermediate.dense': say.feedForward,
  'output.dense': say.feedForwardOut,
};

export interface WeightChoice {
  readonly label: string;
  readonly hint: string;
}

/** What each storage of the frozen weights costs. Adapters and the head are 32 bit in all of them. */
export const WEIGHT_CHOICES: Readonly<Record<WeightStorage, WeightChoice>> = {
  f32: { label: '32 bit', hint: say.theWeightsAsThey },
  f16: { label: '16 bit', hint: say.halfTheMemoryGradientsChange },
  int8: {
    label: '8 bit',
    hint: say.aQuarterOfTheMemory,
  },
};

export const HIDDEN_STATES_CHOICES: Readonly<Record<HiddenStates, WeightChoice>> = {
  f32: { label: '32 bit', hint: say.hiddenStatesAsThey },
  f16: { label: '16 bit', hint: say.halfOfWhatTheseDevices },
};

/** What each form of gradients costs; measured in docs/learning.md. */
export const UPLOADS_CHOICES: Readonly<Record<Uploads, WeightChoice>> = {
  f32: { label: '32 bit', hint: say.gradientsAsThey },
  f16: { label: '16 bit', hint: say.halfOfWhatDevicesSend },
  int8: {
    label: '8 bit',
    hint: say.aQuarterOfWhatDevices,
  },
};

/** Early stopping, as `patience`: scores without a better one after which training ends. */
export const PATIENCE_CHOICES = [
  { value: '0', label: say.noTrainAllRounds },
  { value: '2', label: say.after2ScoresWithout },
  { value: '3', label: say.after3ScoresWithout },
  { value: '5', label: say.after5ScoresWithout },
  { value: '10', label: say.after10ScoresWithout },
] as const;

/** How much of the compute checks what devices send, as `audits`. */
export const AUDIT_CHOICES = [
  { value: `${DEFAULT_AUDITS}`, label: say.yesWith8Percent },
  { value: '0.2', label: say.yesWith20Percent },
  { value: '0', label: say.noOnlyFriendsTakePart },
] as const;

/** What each way of planning does, in a line. */
export const POLICY_HINTS: Readonly<Record<Policy, string>> = {
  auto: say.makesEveryPlanThatFits,
  crunch: say.oneBlockForEachDevice,
  lola: say.blocksAndBandwidthTogether,
  exact: say.blocksAndBandwidthTogetherTheCertifiedBest,
  teams: say.splitsTheSamplesOverTeams,
  random: say.blocksDealtOutByChance,
  greedy: say.theFastestDeviceTakes,
  'depth-unaware': say.plansAsIfDepthCost,
  'equal-bandwidth': say.bestBlocksWithTheAirtime,
  single: say.theBestSingleDeviceDoes,
  'data-parallel': say.everyDeviceTrainsAllBlocks,
  split: say.eachDeviceHoldsARun,
  offload: say.theHostTrainsEverythingItself,
};

/** What the learning rate does after its warm-up. */
export const SCHEDULE_LABELS: Readonly<Record<Schedule, string>> = {
  linear: say.linearDecay,
  cosine: say.cosineDecay,
  constant: say.constantRate,
};

/** What the best adapter may be chosen by; the host says so where one does not fit the task. */
export const BEST_BY_CHOICES = MEASURES.map((value) => ({
  value,
  label: value === 'loss' ? say.theLowestDevLoss : capitalised(metricName(value)),
}));

export const isTaskKind = (text: string): text is TaskKind => TASK_KINDS.some((kind) => kind === text);

export const isMeasure = (text: string): text is Measure => MEASURES.some((measure) => measure === text);

export const isSchedule = (text: string): text is Schedule => SCHEDULES.some((schedule) => schedule === text);

export const isWeightStorage = (text: string): text is WeightStorage =>
  WEIGHT_STORAGES.some((storage) => storage === text);

export const isUploads = (text: string): text is Uploads => UPLOADS.some((one) => one === text);

export const isHiddenStates = (text: string): text is HiddenStates => HIDDEN_STATES.some((codec) => codec === text);

export const isPolicy = (text: string): text is Policy => POLICIES.some((policy) => policy === text);
