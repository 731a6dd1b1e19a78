import type { Extent, Policy } from '../../signaling/protocol/settings.ts';
import { SETTINGS_VERSION } from '../../signaling/protocol/version.ts';
import type { Pretence } from '../../worker/api/device-api.ts';
import type { AdapterChoice, ExportedFile, ExportForm, HostRequest, HostWorkerApi } from '../../worker/api/host-api.ts';
import * as say from '../words/session/session.ts';
import type { RoomMessage } from './links/room-client.ts';
import { Asking } from './own/asking.ts';
import { firstDoor, OwnDoor } from './own/own-door.ts';
import { OwnKeeping } from './own/own-keeping.ts';
import { OwnRoom } from './own/own-room.ts';
import { type Resumed, recall } from './own/session-note.ts';
import { DeviceLinks } from './rounds/device-links.ts';
import { dataNotices } from './view/data-words.ts';
import { logEntries, RunLog } from './view/run-log.ts';
import type {
  HostOptions,
  HostSession,
  InvitedTo,
  SessionView,
  StreamedPart,
  Successor,
  TriedText,
} from './view/view.ts';
import { ViewStore } from './view/view-store.ts';
import { Emitter } from './world/emitter.ts';
import { Ending, whileOpen, within } from './world/ending.ts';
import type { SessionEnvironment, WorkerHandle } from './world/environment.ts';
import { type Identity, newIdentity } from './world/identity.ts';
import { messageOf, withProgress } from './world/with-progress.ts';

const PROGRESS_EVERY_MS = 200;
/** A session that ends is kept once more; its worker is not waited for longer than this. */
const LAST_KEEP_MS = 5000;
const OVER = say.theSessionIsOver;

/** A host that another device has followed, and how it can go on as a device. */
export interface Deposed {
  readonly invitation: InvitedTo;
  readonly identity: Pick<Identity, 'id' | 'key'>;
  readonly name: string;
  readonly slowdown: number;
}

/** The device that created the session: it holds task and parameters, merges, and trains like any other. */
export class OwnSession implements HostSession {
  readonly #environment: SessionEnvironment;
  readonly #options: HostOptions;
  readonly #resumed: Resumed | null;
  readonly #identity: Identity;
  readonly #term: number;
  readonly #store: ViewStore;
  readonly #log: RunLog;
  readonly #worker: WorkerHandle<HostWorkerApi>;
  readonly entrance: OwnDoor;
  readonly #keeping: OwnKeeping;
  readonly #deviceLinks = new DeviceLinks();
  readonly answers = new Asking({
    worker: () => this.#api(),
    startWorker: () => this.#environment.startHostWorker(),
    seat: () => this.#room?.seat ?? null,
    askRoom: async (batch, parameters) => (await this.#room?.training.predict(batch, parameters)) ?? null,
    view: () => this.#store.view,
    open: (work) => this.#open(work),
  });
  /** Null until what it is of has been opened. */
  #room: OwnRoom | null = null;
  #pretence: Pretence | null = null;
  readonly #ending = new Ending();
  readonly #deposed = new Emitter<Deposed>();
  /** Told once, after the session has ended here. */
  readonly onDeposed = this.#deposed.on;
  readonly successor = new Emitter<Successor>();
  readonly onSuccessor = this.successor.on;
  readonly #offLeaving: () => void;
  /** Settles when a session that is over has been kept for the last time. */
  #closing: Promise<void> = Promise.resolve();

  constructor(
    environment: SessionEnvironment,
    request: HostRequest,
    options: HostOptions,
    resumed: Resumed | null = null,
  ) {
    this.#environment = environment;
    this.#options = options;
    this.#resumed = resumed;
    const fresh = newIdentity(environment, options.name);
    this.#identity = resumed?.key ? { ...fresh, id: resumed.key.id, key: resumed.key.key } : fresh;
    this.#term = (resumed?.note.term ?? 0) + 1;
    this.#store = new ViewStore('host', this.#identity.id);
    this.entrance = new OwnDoor(
      {
        origin: environment.origin,
        store: this.#store,
        send: (message) => this.#room?.send(message),
        onRemoved: (device) => this.#deviceLinks.detach(device),
        onCompared: (device) => this.#room?.compared(device),
      },
      firstDoor(environment.randomBytes, request, options, resumed),
    );
    this.#log = new RunLog(environment.nowMs, resumed?.note.log ?? [], environment.runLog, (sentence) =>
      this.#store.notice('problem', say.trainingGoes(sentence)),
    );
    if (resumed !== null) recall(resumed, this.#store, this.#log);
    if (resumed?.inherited) {
      this.#store.dispatch({ type: 'followed' });
      this.#store.notice('news', say.theHostWentAway);
    }
    const { name, slowdown, patience } = options;
    this.#log.add([{ type: 'options', name, slowdown, patience }]);
    let before = this.#store.view;
    this.#store.subscribe((view) => {
      const entries = logEntries(before, view);
      // First, because what cannot be logged changes the view again.
      before = view;
      this.#log.add(entries);
    });
    this.#worker = resumed?.worker ?? environment.startHostWorker();
    this.#keeping = new OwnKeeping({
      environment,
      identity: this.#identity,
      term: this.#term,
      options,
      store: this.#store,
      log: this.#log,
      entrance: this.entrance,
      worker: this.#worker.api,
      training: () => this.#room?.training ?? null,
      claim: () => this.#room?.claim ?? null,
      given: () => this.#room?.heirs.given ?? resumed?.key?.given ?? [],
    });
    this.#offLeaving = environment.onLeaving(() => this.#hangUp());
    this.#begin(request).catch((error: unknown) => this.#end(messageOf(error)));
  }

  get view(): SessionView {
    return this.#store.view;
  }

  /** Settles when a session that is over has been kept for the last time. */
  get closed(): Promise<void> {
    return this.#closing;
  }

  subscribe(listener: (view: SessionView) => void): () => void {
    return this.#store.subscribe(listener);
  }

  start(): void {
    this.#room?.training.start();
  }

  pause(): void {
    this.#room?.training.pause();
  }

  finish(): void {
    this.#room?.training.finish();
  }

  setPolicy(policy: Policy): void {
    this.#room?.send({ type: 'policy', policy });
  }

  async setExtent(extent: Extent): Promise<void> {
    const { phase } = this.#store.view.room ?? {};
    if (phase === 'gathering') await this.#open(this.#room?.setExtent(extent) ?? Promise.resolve());
  }

  giveTable(device: string): void {
    this.#room?.heirs.giveTable(device);
  }

  exportAdapter = async (which: AdapterChoice) => this.#open(this.#api().exportAdapter(which));
  exportMerged = async (which: AdapterChoice) => this.#open(this.#api().exportMerged(which));
  exportOnnx = async (which: AdapterChoice) => this.#open(this.#api().exportOnnx(which));
  /** An export's files, and then their bytes in parts, in order: the model is never whole in memory. One at a time. */
  async *exportParts(form: ExportForm, which: AdapterChoice): AsyncGenerator<StreamedPart, void, void> {
    const files = await this.#open(this.#api().openExport(form, which));
    for (;;) {
      const part = await this.#open(this.#api().nextPart());
      const file = part === null ? undefined : files[part.file];
      if (part === null || file === undefined) return;
      yield { ...file, bytes: part.bytes };
    }
  }

  /** Bytes of an export; rejects as making it would, which needs not be tried for that. */
  exportBytes = async (form: ExportForm) => this.#open(this.#api().exportBytes(form));

  async tryText(text: string, pair: string | null): Promise<TriedText> {
    return this.answers.text(text, pair);
  }

  runLog(): string {
    return this.#log.text();
  }

  async exportCheckpoint(): Promise<ExportedFile> {
    this.#api();
    return this.#keeping.file((work) => this.#open(work));
  }

  leave(): void {
    if (this.#over) return;
    const kept = this.#keeping.last();
    this.#room?.send({ type: 'leave' });
    this.#end(say.youEndedTheSession, kept);
  }

  /**
   * The tab goes away, perhaps only to be loaded again. A session that can be gone on with, here or by another device, keeps its room; any
   * other one ends for all.
   */
  #hangUp(): void {
    if (this.#over) return;
    const { kept: checkpoint, heirs, room } = this.#store.view;
    const kept = this.#keeping.last();
    if ((checkpoint === null && heirs.length === 0) || room?.phase === 'finished') this.#room?.send({ type: 'leave' });
    this.#end(say.thisTabLeftTheSession, kept);
  }

  /** For trying fleets out: what this device is made out to be, as soon as it has a room. */
  async pretend(pretence: Pretence): Promise<void> {
    this.#pretence = pretence;
    await this.#room?.pretend(pretence);
  }

  #api(): HostWorkerApi {
    if (this.#over) throw new Error(OVER);
    return this.#worker.api;
  }

  get #over(): boolean {
    return this.#ending.why !== null;
  }

  /** What the worker comes to, or a rejection when the session ends first: its worker is terminated then and settles nothing. */
  #open<T>(work: Promise<T>): Promise<T> {
    return whileOpen(this.#ending.on, work);
  }

  async #begin(request: HostRequest): Promise<void> {
    const { api } = this.#worker;
    const made = await withProgress(this.#open(api.open(request)), PROGRESS_EVERY_MS, async (isDone) => {
      const progress = await api.progress();
      if (!isDone() && !this.#over) this.#store.dispatch({ type: 'opening', opening: progress });
    });
    await this.entrance.measure(api.preflight(request.model, request.origin, this.#environment.memoryLimitBytes));
    if (this.#over) return;
    const { shape, task, training, lora, pairs, data, secondDev } = made;
    this.#store.dispatch({ type: 'opening', opening: null });
    this.#store.dispatch({ type: 'data', data, pairs });
    for (const sentence of [...made.notices, ...dataNotices(data)]) this.#store.notice('news', sentence);
    const { model, weights } = request;
    const { policy } = this.#options;
    const { hiddenStates, embeddings } = this.#resumed?.note.options ?? this.#options;
    const choices = { ...(hiddenStates === 'f16' && { hiddenStates }), ...(embeddings && { embeddings }) };
    const settings = { version: SETTINGS_VERSION, model, weights, shape, task, lora, training, policy };
    this.#room = new OwnRoom({
      environment: this.#environment,
      identity: this.#identity,
      term: this.#term,
      options: this.#options,
      settings: { ...settings, ...choices },
      secondDev,
      resumed: this.#resumed,
      store: this.#store,
      entrance: this.entrance,
      keeping: this.#keeping,
      deviceLinks: this.#deviceLinks,
      worker: api,
      task: request.task,
      seats: this.#resumed?.inherited ?? null,
      pretence: this.#pretence,
      onMessage: (message) => this.#onMessage(message),
    });
  }

  #onMessage(message: RoomMessage): void {
    // The server has it from here. After a crash it may know rounds that the checkpoint does not.
    if (message.type === 'history') return;
    this.#store.dispatch({ type: 'message', message });
    const { ended } = this.#store.view;
    if (message.type === 'error' && message.why === 'deposed') this.#depose();
    else if (ended !== null) this.#end(ended, this.#keeping.last());
    else if (message.type === 'error') this.#store.notice('problem', message.sentence);
    if (message.type !== 'room') return;
    this.entrance.invite(message.room.id);
    this.#room?.roomChanged();
  }

  /** Another device is host by now: this one has no room of its own any more. What it trained alone is not the session's. */
  #depose(): void {
    const room = this.#store.view.room?.id ?? this.#resumed?.key?.room;
    this.#end(this.#store.view.ended ?? say.anotherDeviceLeadsThisSession);
    const { id, key } = this.#identity;
    if (room === undefined) return;
    const { name, slowdown } = this.#options;
    this.#deposed.emit({ invitation: { room, secret: this.entrance.secret }, identity: { id, key }, name, slowdown });
  }

  /** `kept` settles when the worker has done its last work. */
  #end(sentence: string, kept: Promise<void> = Promise.resolve()): void {
    if (this.#over) return;
    this.#ending.end(OVER);
    this.#offLeaving();
    this.#room?.close();
    this.#closing = within(LAST_KEEP_MS, kept).then(() => this.#worker.terminate());
    this.#store.dispatch({ type: 'ended', sentence });
  }
}
