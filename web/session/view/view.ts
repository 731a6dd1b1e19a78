import type { Secret } from '../../../signaling/protocol/door/secret.ts';
import type { Door, Look, Waiting } from '../../../signaling/protocol/door.ts';
import type {
  Activity,
  DeviceStatus,
  RoomView,
  RoundReport,
  ScoreReport,
} from '../../../signaling/protocol/room-view.ts';
import type { Measure } from '../../../signaling/protocol/scores.ts';
import type { Extent, ModelSource, Policy } from '../../../signaling/protocol/settings.ts';
import type { HiddenStates } from '../../../signaling/protocol/split.ts';
import type { EngineChoice } from '../../../signaling/protocol/words/engines.ts';
import type { Pretence } from '../../../worker/api/device-api.ts';
import type {
  AdapterChoice,
  Deleted,
  ExportedFile,
  HostRequest,
  KeptModel,
  KeptSession,
  OpeningProgress,
  Preflight,
} from '../../../worker/api/host-api.ts';
import type { DevReport } from '../../../worker/api/report.ts';
import type { DataReport, NamedFile, TablePreview, TextColumns } from '../../../worker/api/tables.ts';
import type { Proof } from '../links/proof.ts';
import type { LinkState } from '../transport/link-state.ts';
import type { Listeners } from '../world/emitter.ts';
import type { AskPlanner } from './what-if.ts';

export type { KeptSession };

/** `problem` needs attention, `news` does not; `moved` is work that another device took over. */
export type NoticeKind = 'news' | 'problem' | 'moved';

/** A sentence for the person, in the order they came. */
export interface Notice {
  readonly id: number;
  readonly kind: NoticeKind;
  readonly sentence: string;
  readonly elapsedSeconds: number;
}

/** How sure it is that nobody sits between the host and a device, the server included. */
export interface LinkProof {
  /** Both showed that they know the session's secret; people compared digits; or nothing of this yet. */
  readonly proof: Proof;
  /** Six, which both screens show for people to compare; null where there is nothing to compare. */
  readonly digits: string | null;
}

/** Passes of one stage in one round, in their order; `sinceSeconds` from when its order came, by its own clock, to the pass's beginning. */
export interface StagePasses {
  readonly device: string;
  readonly pipeline: number;
  readonly index: number;
  readonly passes: readonly {
    readonly microBatch: number;
    readonly direction: 'up' | 'down';
    readonly sinceSeconds: number;
    readonly seconds: number;
    readonly cameSeconds?: number;
  }[];
}

export interface RoundPasses {
  readonly round: number;
  readonly planVersion: number;
  readonly stages: readonly StagePasses[];
}

/** Bytes of hidden states and their gradients from one stage to another; those that the host handed on apart. */
export interface SentBytes {
  readonly from: string;
  readonly to: string;
  readonly bytes: number;
  readonly relayedBytes: number;
}

/** What stages sent each other from the session's beginning on this host until after a round. */
export interface RoundTraffic {
  readonly round: number;
  readonly pairs: readonly SentBytes[];
}

/** Bytes of hidden states and their gradients between this device and another stage; what the host passes on is counted apart. */
export interface PairTraffic {
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly relayedSentBytes: number;
  readonly relayedReceivedBytes: number;
}

export interface Beside extends PairTraffic {
  readonly device: string;
  /** Whether the two have a link of their own, the host's included. */
  readonly isLinked: boolean;
}

/** Everything a page (or a terminal) shows of a session; replaced whole by a pure function on every event. */
export interface SessionView {
  readonly role: 'host' | 'device' | 'watcher';
  /** This tab's device id, to find itself in `room.devices`. */
  readonly self: string;
  readonly server: 'connecting' | 'connected' | 'reconnecting' | 'closed';
  /** The host's preparation (model config, tokenizer, data) before the room exists; null once done or for other roles. */
  readonly opening: OpeningProgress | null;
  /** What others are invited with; null for others than the host, and before there is a room. */
  readonly invitation: { readonly room: string; readonly secret: Secret; readonly link: string } | null;
  /** Who comes in, how many at most, and who waits; null and none for others than the host. */
  readonly door: Door | null;
  readonly cap: number | null;
  readonly waiting: readonly Waiting[];
  /** For a device that waits until the host lets it in: what to tell its person. Null otherwise. */
  readonly atDoor: string | null;
  /** Of the devices that the host is linked with, by id; another device has its own alone. */
  readonly proofs: Readonly<Record<string, LinkProof>>;
  /** How the links of the same devices go, as far as the browser tells. */
  readonly links: Readonly<Record<string, LinkState>>;
  /** On a joined device: why it has no link to the host just now; null while it has one, or has not tried. */
  readonly linkTrouble: string | null;
  /** Null until the server answered. */
  readonly room: RoomView | null;
  /** This tab's own state; the room's view of it follows a little later. */
  readonly status: DeviceStatus;
  readonly rounds: readonly RoundReport[];
  readonly scores: readonly ScoreReport[];
  readonly activity: Activity | null;
  /** When the passes of the last round of a split room were, by what each stage said; null before, and on others than the host. */
  readonly passes: RoundPasses | null;
  /** Null before the first round of a split room, and on others than the host. */
  readonly traffic: RoundTraffic | null;
  /** Devices that this one was a neighbour of in a split room, and what went between them. */
  readonly beside: readonly Beside[];
  /** An evaluation that is running, in dev examples; null otherwise. Known on the host only. */
  readonly evaluation: { readonly done: number; readonly total: number } | null;
  /** The best score so far by what the session chooses by, the earliest of equals; null before the first. */
  readonly best: { readonly round: number; readonly by: Measure; readonly value: number } | null;
  /** The checkpoint that this device could go on from, in milliseconds since 1970; null without one. Known on the host only. */
  readonly kept: { readonly round: number; readonly atMs: number } | null;
  /** Devices that could go on at once if the host were gone, by id. Known on the host only. */
  readonly heirs: readonly string[];
  /** Devices to which the host's person gave their own table, by id, and whether it is there. Known on the host only. */
  readonly tables: Readonly<Record<string, 'coming' | 'held'>>;
  /** On a joined device: whether it has all that it takes to go on when the host is gone. */
  readonly follows: boolean;
  /** On the host: whether it leads because another host went away. */
  readonly followed: boolean;
  /** What the host's data was read as, and what of it is used; null until the data is read, and for other roles. */
  readonly data: DataReport | null;
  /** Whether the task's samples are pairs of texts; null until the data is read, and for other roles. */
  readonly pairs: boolean | null;
  readonly notices: readonly Notice[];
  /** Set when the session is over for this tab: why, in one sentence. */
  readonly ended: string | null;
}

/** What a person can do, whatever their role. */
export interface Session {
  readonly view: SessionView;
  /** Called after each change of `view`; returns the function that ends the subscription. */
  subscribe(listener: (view: SessionView) => void): () => void;
  leave(): void;
  /** This device goes on in the session in another role: `session` is to be shown and asked from now on. Told once at most. */
  readonly onSuccessor?: Listeners<Successor>;
}

/** What a device's part in a session has become, when it is host now or is no longer. */
export interface Successor {
  readonly session: Session;
  readonly host: HostSession | null;
  readonly joined: JoinedSession | null;
}

/** A session that somebody else holds. */
export interface JoinedSession extends Session {
  /** For several devices on one computer: what this one is made out to be from now on. */
  pretend(pretence: DevicePretence): Promise<void>;
  /** Whether this device rests: then plans go without it. Does nothing before it is ready. */
  rest(paused: boolean): void;
}

/** What the model says of a text: every class with its probability, in the labels' order, or a regression's value. */
export type Prediction =
  | {
      /** Of classes the probabilities add up to 1; of labels each has its own. */
      readonly kind: 'classes' | 'labels';
      readonly probabilities: readonly { readonly name: string; readonly probability: number }[];
    }
  | { readonly kind: 'value'; readonly value: number };

export interface TriedText {
  readonly prediction: Prediction;
  /** Rounds that the adapter had behind it when it answered. */
  readonly round: number;
  /** What it would have said before the first round; null when that is now. */
  readonly before: Prediction | null;
}

/** What the host's person may ask of the model besides a text; each rejects with a sentence when it has no answer. */
export interface Answers {
  /** What the last score says of each class, and the examples that the model is most wrong about. */
  devReport(): Promise<DevReport>;
  /** Reads a file of texts for its preview. */
  previewTable(file: NamedFile): Promise<TablePreview>;
  /** The text of a CSV file, in pieces, that answers each row of a file in its order; on this device alone, by the adapter as it is now. */
  predictFile(
    file: NamedFile,
    columns: TextColumns,
    onProgress: (done: number, total: number) => void,
  ): Promise<readonly string[]>;
}

/** Who comes into the session; what it leads to shows in the view. Ending the session is `leave`. */
export interface EntranceControls {
  /** `cap` counts the host's own device; 2 to 64. Nobody who is in has to go. */
  set(door: Door, cap: number): void;
  /** Lets a device in that waits. */
  admit(device: string): void;
  /** Sends a device away that waits; it may ask again. */
  refuse(device: string): void;
  /** Takes a device out, or sends away one that waits, for good: whoever comes from its address has to wait from now on. */
  remove(device: string): void;
  /** Whether a device's screen shows the digits that `view.proofs` has. Where it shows others, the device is removed. */
  confirmDigits(device: string, same: boolean): void;
}

export interface HostSession extends Session {
  /** Settles after the session's end, when what it keeps last is kept; absent where nothing is. */
  readonly closed?: Promise<void>;
  /** For several devices on one computer: what this one is made out to be from now on. */
  pretend(pretence: Pretence): Promise<void>;
  readonly entrance: EntranceControls;
  /** Starts or goes on with the rounds. Allowed as soon as one device is ready. */
  start(): void;
  pause(): void;
  /** Ends training after the current round and evaluates. */
  finish(): void;
  setPolicy(policy: Policy): void;
  /** Before the first round: how far training goes, its learning rate with it. */
  setExtent(extent: Extent): Promise<void>;
  /**
   * Gives a table of one's own, whole, to a device that proved to know the secret, so that it can go on when this one is gone. It cannot be
   * taken back. What comes of it shows in `view.tables`.
   */
  giveTable(device: string): void;
  /** As PEFT saves it: the last one, or the one that scored best so far. Every export rejects with a sentence when it cannot be made. */
  exportAdapter(which: AdapterChoice): Promise<readonly ExportedFile[]>;
  /** The whole model without adapters. */
  exportMerged(which: AdapterChoice): Promise<readonly ExportedFile[]>;
  /** The same as ONNX, laid out for transformers.js; too large a model for one ONNX file is refused. */
  exportOnnx(which: AdapterChoice): Promise<readonly ExportedFile[]>;
  /**
   * Asks the model as it is now, on this device alone; `pair` is the second text where the task has pairs (`view.pairs`). Works while
   * training runs, between two orders of this device. Rejects with a sentence.
   */
  tryText(text: string, pair: string | null): Promise<TriedText>;
  /** What else the model may be asked. */
  readonly answers: Answers;
  /** What happened so far, one JSON object a line: settings, plans, rounds, scores, who came and went. */
  runLog(): string;
  /** Everything that it takes to go on, in one file to keep; a person's own data is in it, too. */
  exportCheckpoint(): Promise<ExportedFile>;
}

/** The next bytes of one of an export's files. */
export interface StreamedPart {
  readonly name: string;
  /** Of the whole file. */
  readonly byteLength: number;
  readonly bytes: Uint8Array;
}

export interface HostOptions {
  readonly name: string;
  /** Without it `ask` with a table of one's own, `link` otherwise. */
  readonly door?: Door;
  /** Devices at most; as many as there may be without it. */
  readonly cap?: number;
  readonly policy: Policy;
  /** 1 is honest; more makes this device artificially slower. */
  readonly slowdown: number;
  /** Evaluations without a better score after which training ends; 0 never. */
  readonly patience: number;
  /** The most that training may take on this device, below what it usually may. */
  readonly memoryBytes?: number;
  /** The files of the model, where it lies in a folder of this device's own. */
  readonly folder?: readonly File[];
  /** What this device computes on; whatever is quicker without it. */
  readonly engine?: EngineChoice;
  /** Keeps the embeddings' tables in 8 bits, whatever the weights are kept in. A session that is gone on with keeps its own. */
  readonly embeddings?: 'int8';
  /** What hidden states are rounded to between the stages of a split room; f32 without it. A session that is gone on with keeps its own. */
  readonly hiddenStates?: HiddenStates;
  /** Part of the room's compute that audits of other devices may take; 0 believes everybody; the usual part where it is not said. */
  readonly audits?: number;
}

/** What a device is made out to be, for trying fleets out on one computer. */
export interface DevicePretence extends Pretence {
  /** Its way to the host carries no more. */
  readonly uplinkBitsPerSecond: number;
}

/** A session that one has the link of, or the code alone: then `secret` is null. */
export interface InvitedTo {
  readonly room: string;
  readonly secret: Secret | null;
}

export interface JoinOptions {
  readonly name: string;
  readonly watch: boolean;
  /** 1 is honest; more makes this device artificially slower. */
  readonly slowdown: number;
  /** The most that training may take on this device, below what it usually may. */
  readonly memoryBytes?: number;
  /** What this device computes on; whatever is quicker without it. */
  readonly engine?: EngineChoice;
}

/** How the page makes sessions, and what it may ask before there is one; web/page gets this and nothing else of the network. */
export interface SessionFactory {
  host(request: HostRequest, options: HostOptions): Promise<HostSession>;
  join(invitation: InvitedTo, options: JoinOptions): Promise<JoinedSession>;
  /** What a session is, before one joins it. Rejects with a sentence. */
  look(invitation: InvitedTo): Promise<Look>;
  /** What a plan would be. */
  readonly plan: AskPlanner;
  /** Fetches what joining will need while a person reads what it is; nothing from elsewhere than this server. */
  warm(look: Look): void;
  /** Sessions kept on this device, the latest first. Empty where the browser keeps nothing. */
  keptSessions(): Promise<readonly KeptSession[]>;
  /** Goes on with a kept session, under its old room code. Rejects with a sentence when it cannot be read. */
  resume(id: string): Promise<HostSession>;
  /** Goes on with what `exportCheckpoint` gave; `options` replace those of the session then. */
  resumeFile(bytes: Uint8Array, options: HostOptions): Promise<HostSession>;
  forget(id: string): Promise<void>;
  /** Deletes everything that this browser keeps for the page. Rejects with a sentence while a session is open in a tab. */
  deleteAll(): Promise<Deleted>;
  /** Reads a person's own file for its preview. Rejects with a sentence when it is no table. */
  previewTable(file: NamedFile): Promise<TablePreview>;
  /** What a base model is and whether this device can hold it, before any download of its weights. */
  preflight(source: ModelSource): Promise<Preflight>;
  /** Whether a task's data can be had where it is said to be. Rejects with a sentence when not. */
  reachTask(task: HostRequest['task']): Promise<void>;
  /** Models whose files this device keeps, so that they need no download the next time. */
  keptModels(): Promise<readonly KeptModel[]>;
  /** Deletes what is kept of a model, or, given null, of all. */
  forgetModels(name: string | null): Promise<void>;
}
