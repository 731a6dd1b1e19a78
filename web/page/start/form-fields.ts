import type { Measure } from '../../../signaling/protocol/scores.ts';
import type { LoraTarget, Policy, Schedule, Uploads, WeightStorage } from '../../../signaling/protocol/settings.ts';
import type { HiddenStates } from '../../../signaling/protocol/split.ts';
import type { EngineChoice } from '../../../signaling/protocol/words/engines.ts';
import type { NamedFile } from '../../../worker/api/tables.ts';
import type { OwnField, OwnTable } from '../table/own-table.ts';

/** The form as it stands, numbers as typed: what is wrong stays visible until the person puts it right. */
export interface StartForm {
  readonly name: string;
  /** EMBEDDED_MODEL.id, HUB_MODEL or FOLDER_MODEL. */
  readonly model: string;
  readonly repository: string;
  /** Of FOLDER_MODEL: the model's files. */
  readonly folder: readonly File[];
  readonly revision: string;
  readonly endpoint: string;
  readonly weights: WeightStorage;
  /** A task of TASK_CHOICES, or OWN_TASK. */
  readonly task: string;
  readonly own: OwnTable;
  readonly startFrom: 'fresh' | 'adapter';
  readonly adapterFiles: readonly NamedFile[];
  readonly rank: string;
  readonly alpha: string;
  readonly targets: readonly LoraTarget[];
  /** '' for all; `1,3`, `4-7`, `top:2`. */
  readonly layers: string;
  /** '' for none, or `3:4,5:16`: a layer and its own rank, or alpha. */
  readonly rankPattern: string;
  readonly alphaPattern: string;
  /** Scaled by alpha / sqrt(rank). */
  readonly rslora: boolean;
  readonly learningRate: string;
  readonly samplesPerRound: string;
  readonly rounds: string;
  readonly maxTokens: string;
  readonly policy: Policy;
  readonly seed: string;
  readonly dropout: string;
  readonly weightDecay: string;
  readonly warmupPercent: string;
  readonly schedule: Schedule;
  readonly maxGradientNorm: string;
  readonly beta1: string;
  readonly beta2: string;
  readonly epsilon: string;
  readonly loraPlusRatio: string;
  /** '' weighs all alike; 'balanced', or numbers with commas. */
  readonly classWeights: string;
  readonly labelSmoothing: string;
  readonly thresholdPercent: string;
  readonly evaluateEvery: string;
  /** What the best adapter is chosen by; '' for the task's own metric. */
  readonly bestBy: Measure | '';
  /** Scores without a better one after which training ends; '0' never. */
  readonly patience: string;
  /** Part of the compute that checks what devices send; '0' believes everybody. */
  readonly audits: string;
  readonly slowdown: string;
  readonly engine: EngineChoice;
  /** Megabytes that training may take on the host's own device; '' for what its browser usually bears. */
  readonly memory: string;
  /** What hidden states are rounded to between devices that split the model. */
  readonly hiddenStates: HiddenStates;
  /** What gradients are rounded to on their way. */
  readonly uploads: Uploads;
}

export type Field = keyof StartForm | OwnField;
