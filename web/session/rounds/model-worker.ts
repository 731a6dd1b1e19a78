import type { Profile } from '../../../signaling/protocol/profile.ts';
import type { DeviceStatus } from '../../../signaling/protocol/room-view.ts';
import type { SessionSettings } from '../../../signaling/protocol/settings.ts';
import { holdsRun, type UnitRun, wholeRun } from '../../../signaling/protocol/split.ts';
import type { DeviceWorkerApi, MeasuredAgain, Pretence } from '../../../worker/api/device-api.ts';
import type { StageChunk, StageParameters } from '../../../worker/api/stage-api.ts';
import * as say from '../../words/session/rounds.ts';
import { Emitter } from '../world/emitter.ts';
import { Ending, whileOpen } from '../world/ending.ts';
import type { SessionEnvironment, WorkerHandle } from '../world/environment.ts';
import { withProgress } from '../world/with-progress.ts';

const PROGRESS_EVERY_MS = 250;

export type SeatWorld = Pick<SessionEnvironment, 'origin' | 'memoryLimitBytes' | 'engine' | 'startDeviceWorker'>;
export type Measured = Omit<Profile, 'linkBitsPerSecond'>;

/** How a model's files come here from other devices, before they are loaded. */
export interface ModelSharing {
  gather(run: UnitRun): Promise<void>;
  /** The worker may have read more of them. */
  look(): Promise<void>;
  /** In bytes. */
  readonly progress: { readonly done: number; readonly total: number };
}

/** A device's worker as its seats share it: what of the model it has, and which trained values. */
export class ModelWorker {
  readonly #worker: WorkerHandle<DeviceWorkerApi>;
  readonly #world: SeatWorld;
  readonly settings: SessionSettings;
  readonly #onStatus: (status: DeviceStatus) => void;
  readonly #ending = new Ending();
  /** The values that the worker has, or the version that it holds itself; null while that is not known. */
  #set: Float32Array | StageParameters | number | null = null;
  #holds: UnitRun | null = null;
  sharing: ModelSharing | null = null;
  readonly #held = new Emitter<UnitRun | null>();
  /** What of the model is in memory is another run now. */
  readonly onHolds = this.#held.on;
  readonly #restated = new Emitter<Measured>();
  /** The device gave out, and claims less memory than before. */
  readonly onRestated = this.#restated.on;
  #slowdown: number;
  #pretence: Pretence | null = null;
  /** One after the other: the model is fetched once at a time. */
  #loading: Promise<unknown> = Promise.resolve();
  #last: Promise<unknown> = Promise.resolve();
  #isMeasuring = false;

  constructor(world: SeatWorld, settings: SessionSettings, onStatus: (status: DeviceStatus) => void, slowdown = 1) {
    this.#slowdown = slowdown;
    this.#world = world;
    this.settings = settings;
    this.#onStatus = onStatus;
    this.#worker = world.startDeviceWorker();
  }

  get api(): DeviceWorkerApi {
    return this.#worker.api;
  }

  get holds(): UnitRun | null {
    return this.#holds;
  }

  get isClosed(): boolean {
    return this.#ending.why !== null;
  }

  /** Loads the model and measures the device. Rejects with a sentence for the person. */
  async prepare(slowdown: number): Promise<Measured> {
    this.#slowdown = slowdown;
    const { shape } = this.settings;
    await this.#load(wholeRun(shape.layers), () => this.api.load(this.#request()));
    this.#onStatus({ kind: 'profiling' });
    return this.#stated(await this.open(this.api.profile({ memoryLimitBytes: this.#world.memoryLimitBytes })));
  }

  /** Whether the whole model's weights are within what training may take here. */
  fits(): Promise<boolean> {
    const { memoryLimitBytes } = this.#world;
    return this.open(this.api.fits({ settings: this.settings, memoryLimitBytes }));
  }

  /** Measures the device before it fetches anything of the model, on one layer of the same shape. */
  async measure(slowdown: number): Promise<Measured> {
    this.#slowdown = slowdown;
    this.#onStatus({ kind: 'profiling' });
    const { origin: _, ...request } = this.#request();
    return this.#stated(await this.open(this.api.measure(request)));
  }

  /** From now on, whatever is loaded; what the device states under it, null before it has measured itself. */
  async pretend(pretence: Pretence): Promise<Measured | null> {
    this.#pretence = pretence;
    return this.open(this.api.pretend(pretence));
  }

  async #stated(honest: Measured): Promise<Measured> {
    return (this.#pretence && (await this.pretend(this.#pretence))) ?? honest;
  }

  /** Has the run in memory, and fetches it where need be. Rejects with a sentence. */
  hold(run: UnitRun): Promise<void> {
    const held = this.#loading.then(async () => {
      if (!holdsRun(this.#holds, run)) await this.#load(run, () => this.api.loadPart({ ...this.#request(), run }));
    });
    this.#loading = held.catch(() => undefined);
    return held;
  }

  /** Brings a run onto this device without holding it; what goes wrong with it costs time later, and nothing now. */
  async prefetch(run: UnitRun): Promise<void> {
    const { origin } = this.#world;
    await this.open(this.sharing?.gather(run) ?? Promise.resolve()).catch(() => undefined);
    await this.open(this.api.prefetch({ settings: this.settings, origin, run })).catch(() => undefined);
  }

  /** Trained values that are set in `work`, and what is begun with them: nobody else sets others in between. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isMeasuring) void this.open(this.api.stopMeasuring()).catch(() => undefined);
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** Its seconds once more; null where there is other work, which goes first also where it comes meanwhile. */
  measureAgain(): Promise<MeasuredAgain | null> {
    return this.alone(async () => {
      this.#isMeasuring = true;
      try {
        return await this.open(this.api.measureAgain());
      } finally {
        this.#isMeasuring = false;
      }
    });
  }

  /** Asks whether the device gave out, where there is reason to believe it. */
  async lookAtClaim(): Promise<void> {
    const measured = await this.open(this.api.restated()).catch(() => null);
    if (measured !== null) this.#restated.emit(measured);
  }

  /** Within `alone`, as is the next one. */
  async setParameters(values: Float32Array): Promise<void> {
    if (values === this.#set) return;
    this.#set = null;
    await this.open(this.api.setParameters(values));
    this.#set = values;
  }

  /** Those of the state that the worker holds, which is of this version. */
  async setHeldParameters(version: number): Promise<void> {
    if (version === this.#set) return;
    this.#set = null;
    await this.open(this.api.setHeldParameters());
    this.#set = version;
  }

  /** The worker holds another state, perhaps of the same version. */
  stateReplaced(): void {
    if (typeof this.#set === 'number') this.#set = null;
  }

  async setStageParameters(parameters: StageParameters): Promise<void> {
    if (parameters === this.#set) return;
    this.#set = null;
    await this.open(this.api.setStageParameters(parameters));
    this.#set = parameters;
  }

  /** With trained values of its own; those that were set may be others afterwards. */
  evaluateStage(chunk: StageChunk): Promise<Float32Array> {
    this.#set = null;
    return this.open(this.api.evaluateStage(chunk));
  }

  /** A worker that was terminated settles nothing. */
  open<T>(work: Promise<T>): Promise<T> {
    return whileOpen(this.#ending.on, work);
  }

  close(): void {
    this.#ending.end(say.theSessionIsOver);
    this.#worker.terminate();
  }

  #request() {
    const { origin, memoryLimitBytes, engine } = this.#world;
    return { settings: this.settings, origin, slowdown: this.#slowdown, memoryLimitBytes, ...(engine && { engine }) };
  }

  async #load(run: UnitRun, load: () => Promise<unknown>): Promise<void> {
    this.#hold(null);
    this.#onStatus({ kind: 'loading', done: 0, total: 1 });
    this.#set = null;
    if (this.settings.model.kind === 'hub') await this.#gather(run);
    await withProgress(this.open(load()), PROGRESS_EVERY_MS, async (isDone) => {
      void this.sharing?.look();
      const { done, total, transfer } = await this.api.progress();
      if (!isDone())
        this.#onStatus({ kind: 'loading', done, total: Math.max(1, total), ...(transfer && { transfer }) });
    });
    void this.sharing?.look();
    this.#hold(run);
  }

  /** What does not come from others is fetched when it is loaded, and what is wrong is said then. */
  async #gather(run: UnitRun): Promise<void> {
    const { sharing } = this;
    if (sharing === null) return;
    const gathered = this.open(sharing.gather(run)).catch(() => {
      if (this.isClosed) throw new Error(say.theSessionIsOver);
    });
    await withProgress(gathered, PROGRESS_EVERY_MS, async (isDone) => {
      const { done, total } = sharing.progress;
      if (!isDone() && done > 0) this.#onStatus({ kind: 'loading', done, total });
    });
  }

  #hold(run: UnitRun | null): void {
    if (run === this.#holds) return;
    this.#holds = run;
    this.#held.emit(run);
  }
}
