import type { Profile } from '../../signaling/protocol/profile.ts';
import type { Transfer } from '../../signaling/protocol/room-view.ts';
import type { SessionSettings } from '../../signaling/protocol/settings.ts';
import type { BlockId, TokenBatch } from './batch.ts';

/** One device's work in a round: forward over `batch`, backward down to the deepest layer of `layers`. */
export interface WorkOrder {
  readonly round: number;
  readonly batch: TokenBatch;
  /** Layer indices from the embeddings, ascending. */
  readonly layers: readonly number[];
  readonly head: boolean;
  readonly microBatch: number;
  /** Layers keep their input alone and go forward again on the way back, where the engine offers it. */
  readonly recompute?: boolean | undefined;
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

export interface LoadProgress {
  readonly stage: 'config' | 'tokenizer' | 'weights' | 'data' | 'compile';
  readonly done: number;
  readonly total: number;
  /** Of the model's files, while stage is `weights`. */
  readonly transfer?: Transfer;
}

/** The device's worker: model, engine, gradients. One order at a time. */
export interface DeviceWorkerApi {
  /** `origin` is where `models/` is served, or a folder URL (file:) for a headless device. */
  load(request: {
    settings: SessionSettings;
    origin: string;
    /** For trying slow devices out: every computation takes so many times longer. 1 is honest. */
    slowdown: number;
    /** A model whose weights alone take more is refused before it is fetched. */
    memoryLimitBytes: number;
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
