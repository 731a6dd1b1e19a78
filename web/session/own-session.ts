import type { ClientMessage } from '../../signaling/protocol/messages.ts';
import { LOCAL_LINK_BITS_PER_SECOND, type Profile } from '../../signaling/protocol/profile.ts';
import type { DeviceStatus } from '../../signaling/protocol/room-view.ts';
import type { Policy, SessionSettings } from '../../signaling/protocol/settings.ts';
import { SETTINGS_VERSION } from '../../signaling/protocol/version.ts';
import type {
  AdapterChoice,
  ExportedFile,
  ExportForm,
  HostRequest,
  HostWorkerApi,
  OpenedSession,
} from '../../worker/api/host-api.ts';
import { Asking } from './asking.ts';
import { Checkpoints } from './checkpoints.ts';
import { hostEntry } from './host-entry.ts';
import { type HostKey, writeHostKey } from './host-key.ts';
import { HostLinks } from './host-links.ts';
import { type Identity, newIdentity } from './identity.ts';
import { localLinkPair } from './links/message-link.ts';
import { RoomClient, type RoomMessage } from './links/room-client.ts';
import { firstDoor, OwnDoor } from './own-door.ts';
import { DeviceLinks } from './rounds/device-links.ts';
import { TrainerSeat } from './rounds/trainer-seat.ts';
import { checkpointName, type Resumed, recall, type SessionNote } from './session-note.ts';
import { Training } from './training/training.ts';
import { dataNotices } from './view/data-words.ts';
import { logEntries, RunLog } from './view/run-log.ts';
import type { HostOptions, HostSession, SessionView, TriedText } from './view/view.ts';
import { ViewStore } from './view/view-store.ts';
import { Ending, whileOpen, within } from './world/ending.ts';
import type { SessionEnvironment, WorkerHandle } from './world/environment.ts';
import { messageOf, withProgress } from './world/with-progress.ts';

const PROGRESS_EVERY_MS = 200;
/** A session that ends is kept once more; its worker is not waited for longer than this. */
const LAST_KEEP_MS = 5000;
const OVER = 'The session is over.';

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
  readonly #deviceLinks = new DeviceLinks();
  readonly answers = new Asking({
    worker: () => this.#api(),
    startWorker: () => this.#environment.startHostWorker(),
    seat: () => this.#seat,
    view: () => this.#store.view,
    open: (work) => this.#open(work),
  });
  readonly #offs: (() => void)[] = [];
  #client: RoomClient | null = null;
  #links: HostLinks | null = null;
  #seat: TrainerSeat | null = null;
  #profile: Profile | null = null;
  #status: DeviceStatus = { kind: 'joining' };
  #training: Training | null = null;
  #checkpoints: Checkpoints | null = null;
  readonly #ending = new Ending();
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
        send: (message) => this.#client?.send(message),
        onRemoved: (device) => this.#deviceLinks.detach(device),
        onCompared: (device) => this.#links?.compared(device),
      },
      firstDoor(environment.randomBytes, request, options, resumed),
    );
    this.#log = new RunLog(environment.nowMs, resumed?.note.log ?? [], environment.runLog, (sentence) =>
      this.#store.notice('problem', `${sentence} Training goes on.`),
    );
    if (resumed !== null) recall(resumed, this.#store, this.#log);
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
    this.#offs.push(environment.onLeaving(() => this.#hangUp()));
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
    this.#training?.start();
  }

  pause(): void {
    this.#training?.pause();
  }

  finish(): void {
    this.#training?.finish();
  }

  setPolicy(policy: Policy): void {
    this.#client?.send({ type: 'policy', policy });
  }

  exportAdapter = async (which: AdapterChoice) => this.#open(this.#api().exportAdapter(which));
  exportMerged = async (which: AdapterChoice) => this.#open(this.#api().exportMerged(which));
  exportOnnx = async (which: AdapterChoice) => this.#open(this.#api().exportOnnx(which));
  /** Bytes of an export; rejects as making it would, which needs not be tried for that. */
  exportBytes = async (form: ExportForm) => this.#open(this.#api().exportBytes(form));

  async tryText(text: string, pair: string | null): Promise<TriedText> {
    return this.answers.text(text, pair);
  }

  runLog(): string {
    return this.#log.text();
  }

  async exportCheckpoint(): Promise<ExportedFile> {
    const api = this.#api();
    await this.#open(this.#training?.quiet() ?? Promise.resolve());
    const { room } = this.#store.view;
    if (room === null) throw new Error('The session is not open yet; there is nothing to save.');
    const bytes = await this.#open(api.checkpoint(this.#note()));
    return { name: checkpointName(room.settings, this.#training?.round ?? 0), bytes };
  }

  leave(): void {
    if (this.#over) return;
    const kept = this.#keepWhatThereIs();
    this.#client?.send({ type: 'leave' });
    this.#end('You ended the session.', kept);
  }

  /**
   * The tab goes away, perhaps only to be loaded again. A session that can be gone on with keeps its room, where the others wait for
   * the host; any other one ends for all.
   */
  #hangUp(): void {
    if (this.#over) return;
    const { kept: checkpoint, room } = this.#store.view;
    const kept = this.#keepWhatThereIs();
    if (checkpoint === null || room?.phase === 'finished') this.#client?.send({ type: 'leave' });
    this.#end('This tab left the session.', kept);
  }

  #keepWhatThereIs(): Promise<void> {
    const worth = this.#training !== null && this.#training.round > 0;
    return worth ? (this.#checkpoints?.now() ?? Promise.resolve()) : Promise.resolve();
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

  #note(): string {
    const { id, name } = this.#identity;
    const { slowdown, patience } = this.#options;
    const policy = this.#store.view.room?.settings.policy ?? this.#options.policy;
    const note: SessionNote = {
      identity: { id, name },
      term: this.#term,
      options: { policy, slowdown, patience },
      finished: this.#training?.phase === 'finished',
      savedAtMs: this.#environment.nowMs(),
      log: [...this.#log.lines()],
    };
    return JSON.stringify(note);
  }

  /** What seats this host again; kept beside what it keeps, never within. */
  #hostKey(room: string): HostKey {
    const { id, key } = this.#identity;
    const claim = this.#claim();
    return { id, key, room, ...(claim !== null && { claim }), door: this.entrance.kept };
  }

  async #begin(request: HostRequest): Promise<void> {
    const { api } = this.#worker;
    const made = await withProgress(this.#open(api.open(request)), PROGRESS_EVERY_MS, async (isDone) => {
      const progress = await api.progress();
      if (!isDone() && !this.#over) this.#store.dispatch({ type: 'opening', opening: progress });
    });
    await this.entrance.measure(api.preflight(request.model, request.origin, this.#environment.memoryLimitBytes));
    if (this.#over) return;
    const { shape, task, training, lora, pairs, data } = made;
    this.#store.dispatch({ type: 'opening', opening: null });
    this.#store.dispatch({ type: 'data', data, pairs });
    for (const sentence of [...made.notices, ...dataNotices(data)]) this.#store.notice('news', sentence);
    const { model, weights } = request;
    const { policy } = this.#options;
    this.#enterRoom({ version: SETTINGS_VERSION, model, weights, shape, task, lora, training, policy }, made);
  }

  #enterRoom(settings: SessionSettings, { secondDev }: OpenedSession): void {
    const client = new RoomClient(this.#environment, () => this.#enter(settings));
    this.#client = client;
    client.onMessage((message) => this.#onMessage(message));
    client.onIntroduction((introduction) => this.#links?.introduce(introduction));
    client.onState((server) => this.#store.dispatch({ type: 'server', server }));
    this.#offs.push(this.#environment.onHidden((hidden) => client.send({ type: 'hidden', hidden })));
    const checkpoints = this.#makeCheckpoints();
    this.#checkpoints = checkpoints;
    const resumed = this.#resumed && { round: this.#resumed.round, finished: this.#resumed.note.finished };
    this.#training = new Training({
      term: this.#term,
      settings,
      resumed,
      secondDev,
      patience: this.#options.patience,
      worker: this.#worker.api,
      deviceLinks: this.#deviceLinks,
      room: () => this.#store.view.room,
      store: this.#store,
      send: (message) => client.send(message),
      onRound: (round, resting) => void (resting ? checkpoints?.now() : checkpoints?.roundDone(round)),
      onPhase: (phase) => void (phase === 'training' ? undefined : checkpoints?.now()),
    });
    const [environment, deviceLinks, store] = [this.#environment, this.#deviceLinks, this.#store];
    this.#links = new HostLinks({ environment, entrance: this.entrance, settings, client, deviceLinks, store });

    const seat = new TrainerSeat(environment, settings, (status) => this.#setStatus(status));
    this.#seat = seat;
    seat.prepare(this.#options.slowdown).then(
      (measured) => {
        const [hostEnd, deviceEnd] = localLinkPair();
        seat.attach(deviceEnd, LOCAL_LINK_BITS_PER_SECOND);
        this.#deviceLinks.attach(this.#identity.id, hostEnd);
        this.#profile = { ...measured, linkBitsPerSecond: LOCAL_LINK_BITS_PER_SECOND };
        client.send({ type: 'profile', profile: this.#profile });
        this.#setStatus({ kind: 'ready' });
      },
      (error: unknown) => {
        if (!this.#over) this.#setStatus({ kind: 'failed', sentence: messageOf(error).slice(0, 400) });
      },
    );
  }

  /** Null where nothing is kept. */
  #makeCheckpoints(): Checkpoints | null {
    const { keep } = this.#environment;
    if (keep === null) return null;
    const { id, name } = this.#identity;
    return new Checkpoints({
      keep: async () => {
        await this.#training?.quiet();
        const { room } = this.#store.view;
        const round = this.#training?.round ?? 0;
        if (room !== null) {
          const session = { id, deviceName: name, key: writeHostKey(this.#hostKey(room.id)) };
          await keep(this.#worker.api, session, this.#note());
        }
        return round;
      },
      onKept: (round) => this.#store.dispatch({ type: 'kept', kept: { round, atMs: this.#environment.nowMs() } }),
      onProblem: (sentence) => this.#store.notice('problem', sentence),
    });
  }

  /** What proves to a server that forgot the room that its code is this session's. */
  #claim(): string | null {
    return this.#client?.claim ?? this.#resumed?.key?.claim ?? null;
  }

  #enter(settings: SessionSettings): readonly ClientMessage[] {
    const { view } = this.#store;
    return hostEntry({
      device: this.#identity,
      settings,
      code: view.room?.id ?? this.#resumed?.key?.room,
      claim: this.#claim(),
      isClaimed: !(this.#client?.unclaimed ?? false),
      status: this.#status,
      profile: this.#profile,
      phase: this.#training?.phase ?? 'gathering',
      door: this.entrance.entry,
      view,
    });
  }

  #setStatus(status: DeviceStatus): void {
    this.#status = status;
    this.#store.dispatch({ type: 'status', status });
    this.#client?.send({ type: 'status', status });
  }

  #onMessage(message: RoomMessage): void {
    // The server has it from here. After a crash it may know rounds that the checkpoint does not.
    if (message.type === 'history') return;
    this.#store.dispatch({ type: 'message', message });
    const { ended } = this.#store.view;
    if (ended !== null) this.#end(ended, this.#keepWhatThereIs());
    else if (message.type === 'error') this.#store.notice('problem', message.sentence);
    if (message.type !== 'room') return;
    this.entrance.invite(message.room.id);
    this.#links?.reconcile(message.room);
    this.#training?.roomChanged();
  }

  /** `kept` settles when the worker has done its last work. */
  #end(sentence: string, kept: Promise<void> = Promise.resolve()): void {
    if (this.#over) return;
    this.#ending.end(OVER);
    for (const off of this.#offs) off();
    this.#training?.close();
    this.#seat?.close();
    this.#links?.close();
    this.#client?.close();
    this.#closing = within(LAST_KEEP_MS, kept).then(() => this.#worker.terminate());
    this.#store.dispatch({ type: 'ended', sentence });
  }
}
