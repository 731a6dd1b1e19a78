import type { Profile } from '../signaling/protocol/profile.ts';
import type {
  LoraSettings,
  ModelShape,
  ModelSource,
  SessionSettings,
  TaskSummary,
  TrainingSettings,
} from '../signaling/protocol/settings.ts';

/** Types only: what a session asks of its two workers over comlink. Buffers are transferred, not copied, where they are large. */

/** Token ids of some samples, padded to the longest; what an engine trains or evaluates on. */
export interface TokenBatch {
  /** (B,T) row-major, padded with the model's pad id. */
  readonly ids: Int32Array;
  /** (B) count of real tokens in each row. Masked padding is everything after it. */
  readonly lengths: Int32Array;
  /** (B) class index, or the target value for regression. */
  readonly labels: Float32Array;
  /** (B) position of each sample within its round; keys the dropout generator, so that any device draws the same mask. */
  readonly positions: Int32Array;
  readonly tokens: number;
}

/** One device's work in a round: forward over `batch`, backward down to the deepest layer of `layers`. */
export interface WorkOrder {
  readonly round: number;
  readonly batch: TokenBatch;
  /** Layer indices from the embeddings, ascending. */
  readonly layers: readonly number[];
  readonly head: boolean;
  readonly microBatch: number;
  readonly dropout: { readonly probability: number; readonly seed: number };
}

export type WorkPart =
  /** `gradient` is the sum over the order's samples of d(sample loss)/d(parameter), laid out as the block's slice of ParameterLayout. */
  | { readonly kind: 'gradient'; readonly block: BlockId; readonly gradient: Float32Array }
  | {
      readonly kind: 'done';
      readonly lossSum: number;
      readonly computeSeconds: number;
      readonly forwardSeconds: number;
    };

/** A layer index, or the head. */
export type BlockId = number | 'head';

/** Positions within a round's samples: from `start`, `count` of them. */
export interface SampleRange {
  readonly start: number;
  readonly count: number;
}

/** A device's contribution to a round: the gradient of one block, summed over the losses of a run of samples. */
export interface GradientPart {
  readonly block: BlockId;
  readonly samples: SampleRange;
  /** Laid out as the block's slice of ParameterLayout. */
  readonly gradient: Float32Array;
}

export interface LoadProgress {
  readonly stage: 'config' | 'tokenizer' | 'weights' | 'data' | 'compile';
  readonly done: number;
  readonly total: number;
}

/** The device's worker: model, engine, gradients. One order at a time. */
export interface DeviceWorkerApi {
  /** `origin` is where `models/` is served, or a folder URL (file:) for a headless device. */
  load(request: {
    settings: SessionSettings;
    origin: string;
    /** For trying slow devices out: every computation takes so many times longer. 1 is honest. */
    slowdown: number;
  }): Promise<{ engine: string; backend: string; parameterCount: number }>;
  /** Seconds and bytes at the session's shapes; `linkBitsPerSecond` is measured by the session, not here. */
  profile(request: { memoryLimitBytes: number }): Promise<Omit<Profile, 'linkBitsPerSecond'>>;
  /** Replaces the whole flat parameter vector of ParameterLayout. */
  setParameters(values: Float32Array): Promise<void>;
  /** Starts an order; its parts are then pulled with `next`, shallow blocks first, `done` last. */
  begin(order: WorkOrder): Promise<void>;
  next(): Promise<WorkPart>;
  /** Gives up the running order before its next layer; a pending `next` rejects. */
  cancel(): Promise<void>;
  /** (B, labels) row-major logits without dropout. */
  evaluate(batch: TokenBatch, microBatch: number): Promise<Float32Array>;
  progress(): Promise<LoadProgress>;
}

/** What the host's person chose; the host worker turns it into SessionSettings by reading the model's config and the task's data. */
export interface HostRequest {
  readonly model: ModelSource;
  readonly task: { readonly id: string; readonly endpoint: string };
  readonly lora: LoraSettings;
  readonly training: TrainingSettings;
  readonly origin: string;
}

export interface ExportedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The host's worker: task data, tokens, merge, optimiser, score, export. Neither examples nor weights leave the host but as token ids and adapters. */
export interface HostWorkerApi {
  open(request: HostRequest): Promise<{ shape: ModelShape; task: TaskSummary; parameterCount: number }>;
  progress(): Promise<LoadProgress>;
  /** The samples of a round, drawn without replacement within an epoch from the seed: the same for every plan. Rounds count from 1. */
  roundBatch(round: number): Promise<TokenBatch>;
  /** Dev samples `start` to `start + count`, in the data's order. */
  devBatch(start: number, count: number): Promise<TokenBatch>;
  /** A copy of the flat parameter vector after `version` updates. */
  parameters(): Promise<{ version: number; values: Float32Array }>;
  /**
   * Merges the parts (`merge.ts`: every pair of sample and block exactly once, else it throws) and applies one AdamW step with the mean
   * gradient. Returns the new version.
   */
  step(request: {
    round: number;
    samples: number;
    parts: readonly GradientPart[];
  }): Promise<{ version: number; learningRate: number; gradientNorm: number }>;
  /** `logits` (devExamples, labels) in dev order. */
  score(logits: Float32Array): Promise<{ metric: string; value: number; loss: number }>;
  /** The adapter as PEFT saves it: `adapter_config.json`, `adapter_model.safetensors`, `README.md`. */
  exportAdapter(): Promise<readonly ExportedFile[]>;
}
