import type { Profile } from '../../signaling/protocol/profile.ts';
import type { Transfer } from '../../signaling/protocol/room-view.ts';
import type { SessionSettings } from '../../signaling/protocol/settings.ts';
import type { UnitRun } from '../../signaling/protocol/split.ts';
import type { EngineChoice } from '../../signaling/protocol/words/engines.ts';
import type { TokenBatch } from './batch.ts';
import type { ModelChunksApi } from './chunks-api.ts';
import type { LearnedState, PastState, StateUpdate } from './host-api.ts';
import type { StageChunk, StageOrder, StageParameters, StagePart, StageValues } from './stage-api.ts';
import type { WorkOrder, WorkPart } from './work.ts';

export interface LoadProgress {
  readonly stage: 'config' | 'weights' | 'compile';
  readonly done: number;
  readonly total: number;
  /** Of the model's files, while stage is `weights`. */
  readonly transfer?: Transfer;
}

export interface LoadRequest {
  readonly settings: SessionSettings;
  /** Where `models/` is served, or a folder URL (file:) for a headless device. */
  readonly origin: string;
  /** For trying slow devices out: every computation takes so many times longer. 1 is honest. */
  readonly slowdown: number;
  /** What takes more is refused: weights before they are fetched, an order before it is begun. */
  readonly memoryLimitBytes: number;
  /** What the device's person wants it to compute on; `auto` where it is not said. */
  readonly engine?: EngineChoice;
}

/** What a device is made out to be, for trying fleets out on one computer. */
export interface Pretence {
  /** Every computation takes so many times longer. 1 is honest. */
  readonly slowdown: number;
  /** How many times longer everything takes here because others use the same processor: stated, and not waited for. */
  readonly share: number;
  /** It claims no more memory than this. */
  readonly memoryLimitBytes: number;
  /** What an equal device measured on the same computer, in place of what this one did. */
  readonly measured?: Omit<Profile, 'linkBitsPerSecond'>;
}

export interface MeasuredAgain {
  readonly measured: Omit<Profile, 'linkBitsPerSecond'>;
  /** Something else ran on the machine meanwhile. */
  readonly wasBusy: boolean;
}

export interface Loaded {
  readonly engine: string;
  readonly backend: string;
  readonly parameterCount: number;
}

/** The device's worker: model, engine, gradients. One order, or one stage, at a time. */
export interface DeviceWorkerApi {
  /** Of the model's files, beside whatever else it does. */
  readonly chunks: ModelChunksApi;
  /**
   * Before anything is known of a session but what its door says: brings the engine that trains here, tries it, and fetches the embedded
   * model of that name. Never rejects for what could not be had.
   */
  warm(request: { readonly model: string | null; readonly origin: string }): Promise<void>;
  load(request: LoadRequest): Promise<Loaded>;
  /** Whether the whole model's weights are within the limit; nothing is fetched to tell. */
  fits(request: Pick<LoadRequest, 'settings' | 'memoryLimitBytes'>): Promise<boolean>;
  /** Seconds and bytes at the session's shapes; `linkBitsPerSecond` is measured by the session, not here. */
  profile(request: { memoryLimitBytes: number }): Promise<Omit<Profile, 'linkBitsPerSecond'>>;
  /** The same before anything of the model is fetched: on one layer, embeddings and a head of random weights. */
  measure(request: Omit<LoadRequest, 'origin'>): Promise<Omit<Profile, 'linkBitsPerSecond'>>;
  /** From its next step on. What it measured, as it is under the pretence; null before it measured itself. */
  pretend(pretence: Pretence): Promise<Omit<Profile, 'linkBitsPerSecond'> | null>;
  /**
   * Seconds once more, of what was measured first, in about a second and between other work: null where there is some, where it was stopped,
   * and where others use the same processor. What is stated is as fresh as that, also where the first was quicker.
   */
  measureAgain(): Promise<MeasuredAgain | null>;
  /**
   * What it states of itself where its memory gave out, or its graphics device was lost, since this was asked last: it claims less from then
   * on. Null where nothing of the kind happened.
   */
  restated(): Promise<Omit<Profile, 'linkBitsPerSecond'> | null>;
  /** Something else comes first; settles when the engine is free. */
  stopMeasuring(): Promise<void>;
  /** A run of the model's units instead of all of it; what was loaded before goes first. */
  loadPart(request: LoadRequest & { readonly run: UnitRun }): Promise<Loaded>;
  /** What is loaded; null for nothing. */
  holds(): Promise<UnitRun | null>;
  /** Brings a run's files onto this device, as far as it keeps any, without holding them. */
  prefetch(request: Pick<LoadRequest, 'settings' | 'origin'> & { readonly run: UnitRun }): Promise<void>;
  /** Replaces the whole flat parameter vector of ParameterLayout. */
  setParameters(values: Float32Array): Promise<void>;
  setStageParameters(parameters: StageParameters): Promise<void>;
  /** Keeps up with the session from this state on: what `advance` brings next follows on it. Gives its digest as computed here. */
  hold(state: LearnedState): Promise<number>;
  /** Takes the step after the state that is held; null for a round that was skipped. Gives the digest of the state afterwards. */
  advance(update: Pick<StateUpdate, 'gradient' | 'learningRate'> | null): Promise<number>;
  /** Sets the parameters to those that are held. */
  setHeldParameters(): Promise<void>;
  /** A copy of what is held; null for nothing. */
  held(): Promise<LearnedState | null>;
  /** What was held after earlier rounds, as far as there was the room; it is given away. */
  heldPast(): Promise<readonly PastState[]>;
  /** Starts an order; its parts are then pulled with `next`, shallow blocks first, `done` last. */
  begin(order: WorkOrder): Promise<void>;
  next(): Promise<WorkPart>;
  /** Starts a stage of a pipeline. What its neighbours say is given, in any order, each once; its parts are pulled, `done` last. */
  beginStage(order: StageOrder): Promise<void>;
  give(values: StageValues): Promise<void>;
  nextOfStage(): Promise<StagePart>;
  /** Gives up the running order or stage before its next layer; a pending `next` rejects. */
  cancel(): Promise<void>;
  /** (B, labels) row-major logits without dropout; as many samples at once as the device has the memory for. */
  evaluate(batch: TokenBatch): Promise<Float32Array>;
  /** Through the run alone, beside a running stage: what goes up, or of the last stage (B, labels) logits. */
  evaluateStage(chunk: StageChunk): Promise<Float32Array>;
  progress(): Promise<LoadProgress>;
}
