import type { SampleRange } from '../../signaling/protocol/round.ts';
import type { FurtherScore, Metric } from '../../signaling/protocol/scores.ts';
import type {
  Extent,
  LoraRequest,
  LoraSettings,
  ModelShape,
  ModelSource,
  TaskSummary,
  TrainingSettings,
  WeightStorage,
} from '../../signaling/protocol/settings.ts';
import type { OpeningStage } from '../../signaling/protocol/words/opening.ts';
import type { FaultyPart, GradientPart, TokenBatch } from './batch.ts';
import type { DevReport } from './report.ts';
import type { DataReport, NamedFile, OwnTaskRequest, TablePreview, TextColumns } from './tables.ts';
/** Types only: what a session asks of its two workers over comlink. Buffers are transferred, not copied, where they are large. */

/** What a session goes on from instead of fresh adapters. */
export type HostStart =
  /** A PEFT folder's files, or the original LoRA release's checkpoint; their rank and targets replace the request's. */
  | { readonly kind: 'adapter'; readonly files: readonly NamedFile[] }
  /** What `checkpoint` gave; it must be of the same request. */
  | { readonly kind: 'checkpoint'; readonly bytes: Uint8Array }
  /** What a device held of a session whose host is gone. */
  | (Inherited & { readonly kind: 'inherited' });

/** What a session goes on from on a device that was not its host; it must be of the same data. */
export interface Inherited {
  readonly state: LearnedState;
  /** What was learned after earlier rounds, in their order, to undo later ones. */
  readonly past: readonly PastState[];
  readonly dataFingerprint: number;
  readonly best: BestKept | null;
  /** The flat parameters that the session began from; null where its seed drew them. */
  readonly before: Float32Array | null;
  readonly scores: readonly {
    readonly round: number;
    readonly metric: Metric;
    readonly value: number;
    readonly further: readonly FurtherScore[];
  }[];
  /** Ids of the devices whose gradients are in it. */
  readonly devices: readonly string[];
}

/** The adapter that is best so far, by what the session chooses it by. */
export interface BestKept {
  readonly round: number;
  readonly value: number;
  readonly values: Float32Array;
}

/** What the host's person chose; the host worker turns it into SessionSettings by reading the model's config and the task's data. */
export interface HostRequest {
  readonly model: ModelSource;
  readonly weights: WeightStorage;
  /** `own` for the task of id "own", which has no endpoint. */
  readonly task: { readonly id: string; readonly endpoint: string; readonly own?: OwnTaskRequest };
  readonly lora: LoraRequest;
  readonly training: TrainingSettings;
  readonly origin: string;
  readonly start?: HostStart;
}

/** A request with the model known: its layers with adapters are named. */
export type KnownRequest = Omit<HostRequest, 'lora'> & { readonly lora: LoraSettings };

/** What a device should know of a model before it fetches it. */
export interface Preflight {
  /** The repository's id, or the embedded model's. */
  readonly name: string;
  readonly shape: ModelShape;
  /** Bytes of config, tokenizer and weights. */
  readonly totalBytes: number;
  /** Those of them that this device keeps already. */
  readonly cachedBytes: number;
  /** The rest: what opening the model fetches. */
  readonly downloadBytes: number;
  /** What a device holds to train with the model, for one sample, by the storage of the frozen matrices. */
  readonly memoryBytes: Readonly<Record<WeightStorage, number>>;
  /**
   * Bytes in that of one sample's activations, of `tokens` tokens: tokens times `perToken`, and tokens squared times `perTokenSquared`. As many
   * again for every further sample that is computed at once.
   */
  readonly activations: { readonly tokens: number; readonly perToken: number; readonly perTokenSquared: number };
  readonly memoryLimitBytes: number;
  /** The most exact storage that this device has the memory for; null when it has it for none. */
  readonly fits: WeightStorage | null;
  /** The same in words. */
  readonly sentence: string;
  /** Which tokenizer it has and whether its ids are exact, or why it cannot be used. */
  readonly tokenizer: { readonly sentence: string; readonly usable: boolean };
}

/** A model of which this device keeps something, for the next time. */
export interface KeptModel {
  readonly name: string;
  readonly bytes: number;
}

/** Where the host is before its session begins. */
export interface OpeningProgress {
  readonly stage: OpeningStage;
  /** Of `total`, within the stage. */
  readonly done: number;
  readonly total: number;
}

/** What has been opened, for SessionSettings. */
export interface OpenedSession {
  readonly shape: ModelShape;
  readonly task: TaskSummary;
  /** The request's, with class weights as numbers. */
  readonly training: TrainingSettings;
  /** The request's, or those of the adapter that the session starts from. */
  readonly lora: LoraSettings;
  readonly parameterCount: number;
  /** Rounds that a checkpoint has behind it; 0 otherwise. The next round is one more. */
  readonly version: number;
  /** A second dev set, to be scored at the end; MNLI has one. */
  readonly secondDev: { readonly name: string; readonly examples: number } | null;
  /** Whether samples are pairs of texts. */
  readonly pairs: boolean;
  readonly data: DataReport;
  /** Sentences: what of the model, its tokenizer or an adapter is not quite as the session has it. */
  readonly notices: readonly string[];
}

/** A session of this device that can be gone on with, as a list shows it. */
export interface KeptSession {
  readonly id: string;
  /** The task's and the model's names. */
  readonly title: string;
  readonly deviceName: string;
  readonly round: number;
  readonly rounds: number;
  /** Since 1970. */
  readonly keptAtMs: number;
  readonly bytes: number;
}

export interface SessionToKeep {
  readonly id: string;
  readonly deviceName: string;
  /** What makes its owner the session's host. Checkpoints leave this device, it does not. */
  readonly key: string;
}

export interface KeptCheckpoint {
  readonly bytes: Uint8Array;
  readonly key: string | null;
}

/** What went when everything was deleted. */
export interface Deleted {
  readonly sessions: number;
  readonly models: number;
  readonly bytes: number;
}

/** What a checkpoint says of itself. */
export interface CheckpointSummary {
  /** To open it with, `start` added; an own task's files are in it. */
  readonly request: Omit<KnownRequest, 'start'>;
  readonly version: number;
  readonly note: string;
}

export type ExportedFile = NamedFile;

/** A file of an export that comes in pieces. */
export interface FileToCome {
  readonly name: string;
  readonly byteLength: number;
}

/** The next bytes of a file, by its place among the export's files. */
export interface ExportPart {
  readonly file: number;
  readonly bytes: Uint8Array;
}

export type ExportForm = 'adapter' | 'merged' | 'onnx';

/** Which of a session's adapters is exported: as the last round left it, or as it was when it scored best on the dev set. */
export type AdapterChoice = 'last' | 'best';

/**
 * What is evaluated: a dev set, `second` where the task has two, or the fixed sample of the first that every evaluation has in common; the
 * sample of a small one is all of it.
 */
export type DevPart = 'sample' | 'first' | 'second';

/** Logits of some parameters, in the order of `devLengths`. */
export interface Evaluated {
  /** The parameters after so many rounds, which may have gone on since. */
  readonly version: number;
  readonly values: Float32Array;
  readonly part: 'sample' | 'first';
  /** (examples, labels) of the part. */
  readonly logits: Float32Array;
  /** Of the second dev set, for the end. */
  readonly secondLogits: Float32Array | null;
}

export interface Score {
  readonly metric: Metric;
  readonly value: number;
  /** What the best constant answer scores on the same examples. */
  readonly constant: number;
  /** Of which `value` and `loss` are; fewer than the dev set has where they are of the sample. */
  readonly examples: number;
  /** One standard error of `value`, for examples drawn from many. */
  readonly error: number;
  /** What the best adapter is chosen by, on the sample. */
  readonly chosenBy: number;
  /** Mean loss over these examples, neither weighed nor smoothed. */
  readonly loss: number;
  /** What is reported besides the task's own metric. */
  readonly further: readonly FurtherScore[];
}

/** What brings a device that holds the state before a step up to the one after it. */
export interface StateUpdate {
  /** The mean gradient, merged, clipped and rounded, as the optimiser took it. */
  readonly gradient: Float32Array;
  readonly learningRate: number;
  /** Of the state after the step (`state-digest.ts`). */
  readonly digest: number;
}

/** What a session has learned so far: everything that the next step depends on besides its gradient. */
export interface LearnedState {
  /** Rounds so far. */
  readonly version: number;
  readonly values: Float32Array;
  readonly firstMoment: Float32Array;
  readonly secondMoment: Float32Array;
  /** Steps of the optimiser. */
  readonly steps: number;
  readonly digest: number;
}

/** The same after an earlier round. */
export type PastState = Omit<LearnedState, 'digest'>;

/** What became of a round's gradient. */
export type StepResult =
  | {
      readonly kind: 'stepped';
      readonly learningRate: number;
      /** Before clipping. */
      readonly gradientNorm: number;
      /** Mean over the round, before the step. */
      readonly loss: number;
      readonly update: StateUpdate;
    }
  /** Nothing has changed: the round can be computed again, or skipped. `faults` are the parts that cannot be used. */
  | { readonly kind: 'not-finite'; readonly faults: readonly FaultyPart[] };

/** The host's worker: task data, tokens, merge, optimiser, score, export. Neither examples nor weights leave the host but as token ids and adapters. */
export interface HostWorkerApi {
  /** The files of the model, where it lies in a folder that this device's person has chosen; before it is opened. */
  useFolder(files: readonly File[]): Promise<void>;
  open(request: HostRequest): Promise<OpenedSession>;
  /** What a model is and whether this device can hold it. Reads its config and a header, no weights; needs no open session. */
  preflight(source: ModelSource, origin: string, memoryLimitBytes: number): Promise<Preflight>;
  /** Whether a task's data can be had where it is said to be; rejects with a sentence when not. Needs no open session. */
  reachTask(task: HostRequest['task']): Promise<void>;
  keptModels(): Promise<readonly KeptModel[]>;
  /** Deletes what is kept of a model, or, given null, of all. */
  forgetModels(name: string | null): Promise<void>;
  /** Reads a person's file for its preview; needs no open session. */
  previewTable(file: NamedFile, leastColumns?: 1 | 2): Promise<TablePreview>;
  /** How far `open` is. */
  progress(): Promise<OpeningProgress>;
  /**
   * The samples of a round, drawn without replacement within an epoch from the seed: the same for every plan. Rounds count from 1. They
   * stand as they were drawn, or, given the ranges that a plan cuts the round into, dealt by length (`dealing.ts`); `positions` say where
   * each was drawn, whatever its place.
   */
  roundBatch(round: number, ranges?: readonly SampleRange[] | null): Promise<TokenBatch>;
  /** Tokens of each example of a part, in the order in which it is evaluated: they never fall. */
  devLengths(part: DevPart): Promise<Int32Array>;
  /** Examples `start` to `start + count` of a part, in that order. */
  devChunk(part: DevPart, start: number, count: number): Promise<TokenBatch>;
  /** A text that is in no data set, (1,T), to ask the model about. Rejects with a sentence when the task cannot take it. */
  textBatch(text: string, pair: string | null): Promise<TokenBatch>;
  /** Before the first round: how far training goes, and its learning rate with it. */
  setExtent(extent: Extent): Promise<void>;
  /** A copy of the flat parameter vector after round `version`. */
  parameters(): Promise<{ version: number; values: Float32Array; digest: number }>;
  /** What a device needs besides the state to go on without this one. */
  heritage(): Promise<Pick<Inherited, 'dataFingerprint' | 'best' | 'before'>>;
  /** Copies of all that has been learned after round `version`, for a device that is to keep up with it. */
  state(): Promise<LearnedState>;
  /**
   * Merges the parts (`merge.ts`: every pair of sample and block exactly once, else it throws), clips, and takes one AdamW step with the mean
   * gradient, after which `parameters` are of version `round`. A gradient that is not finite is answered, and nothing has changed then.
   */
  step(request: {
    round: number;
    samples: number;
    parts: readonly GradientPart[];
    /** Of the round's samples, as the devices' reports add up. */
    lossSum: number;
    /** Ids of the devices that computed them, for the model card's count. */
    devices?: readonly string[];
  }): Promise<StepResult>;
  /** Goes past a round without a step: parameters, moments and schedule stay where they are. */
  skip(round: number): Promise<void>;
  /**
   * Goes back to what was after `round`, or to the nearest before it of which there is a snapshot (`snapshots.ts`): of the last 64 rounds of
   * this sitting. Answers the round that it came to; the next one is one more.
   */
  undo(round: number): Promise<number>;
  /** Scores what devices answered. Of the best adapter so far, by the sample, the parameters are kept. */
  score(evaluated: Evaluated): Promise<Score>;
  /** What the last score says of each class, and its worst mistakes. Rejects where nothing was scored since the session was opened. */
  report(): Promise<DevReport>;
  /** The flat parameter vector as it was before the first round. */
  parametersBefore(): Promise<Float32Array>;
  /** Opens a file of texts to be predicted, in place of an earlier one: its rows, and the first line of the file of answers. */
  openTexts(file: NamedFile, columns: TextColumns): Promise<{ rows: number; header: string }>;
  /** The next rows of it; no batch where none of them can be asked about, null at the end. */
  nextTexts(): Promise<{ rows: number; batch: TokenBatch | null } | null>;
  /** The lines that answer them, from logits (samples, labels). */
  answerTexts(logits: Float32Array): Promise<string>;
  /** The adapter as PEFT saves it: `adapter_config.json`, `adapter_model.safetensors`, `README.md`. */
  exportAdapter(which?: AdapterChoice): Promise<readonly ExportedFile[]>;
  /** A whole model without adapters: `config.json` with the labels, `model.safetensors`, `tokenizer.json`, `tokenizer_config.json`, `README.md`. */
  exportMerged(which?: AdapterChoice): Promise<readonly ExportedFile[]>;
  /** The same with `onnx/model.onnx` for the weights, as transformers.js opens it. Rejects where one such file (2 GB) cannot hold the model. */
  exportOnnx(which?: AdapterChoice): Promise<readonly ExportedFile[]>;
  /** Begins an export whose files come piece by piece, so that no model is in memory: `nextPart` gives them in order, null at the end. */
  openExport(form: ExportForm, which?: AdapterChoice): Promise<readonly FileToCome[]>;
  nextPart(): Promise<ExportPart | null>;
  /** Bytes of an export's files, which are not made: rejects with the sentence with which making them would. */
  exportBytes(form: ExportForm): Promise<number>;
  /** Everything that it takes to go on later as if nothing had happened; `note` is kept along (the session's own log, say). */
  checkpoint(note: string): Promise<Uint8Array>;
  /** Keeps the checkpoint on this device, and the session's key beside it, in place of the session's last one. Resolves with its bytes; rejects with a sentence. */
  keep(session: SessionToKeep, note: string): Promise<KeptSession>;
  /** What is kept on this device, the latest first; needs no open session, nor do the next two. */
  keptSessions(): Promise<readonly KeptSession[]>;
  /** A kept session's checkpoint, and the key beside it; null where there is none. */
  keptCheckpoint(id: string): Promise<KeptCheckpoint>;
  forget(id: string): Promise<void>;
  /** Deletes everything that workers keep on this device: sessions and their keys, models, and what was measured. Needs no open session. */
  deleteAll(): Promise<Deleted>;
  /** Reads what a checkpoint is of; needs no open session. */
  readCheckpoint(bytes: Uint8Array): Promise<CheckpointSummary>;
}
