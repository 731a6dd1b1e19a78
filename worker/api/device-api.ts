import type { Profile } from '../../signaling/protocol/profile.ts';
import type { Transfer } from '../../signaling/protocol/room-view.ts';
import type { SessionSettings } from '../../signaling/protocol/settings.ts';
import type { TokenBatch } from './batch.ts';
import type { WorkOrder, WorkPart } from './work.ts';

export interface LoadProgress {
  readonly stage: 'config' | 'weights' | 'compile';
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
  /** (B, labels) row-major logits without dropout; as many samples at once as the device has the memory for. */
  evaluate(batch: TokenBatch): Promise<Float32Array>;
  progress(): Promise<LoadProgress>;
}
