import * as Comlink from 'comlink';
import type { Profile } from '../../signaling/protocol/profile.ts';
import type { Transfer } from '../../signaling/protocol/room-view.ts';
import { labelsPerSample, type SessionSettings } from '../../signaling/protocol/settings.ts';
import { holdsRun, partOf, type UnitRun, wholeRun } from '../../signaling/protocol/split.ts';
import type { TokenBatch } from '../api/batch.ts';
import type { DeviceWorkerApi, Loaded, LoadProgress, LoadRequest, MeasuredAgain, Pretence } from '../api/device-api.ts';
import type { LearnedState, PastState, StateUpdate } from '../api/host-api.ts';
import type { StageChunk, StageOrder, StageParameters, StagePart, StageValues } from '../api/stage-api.ts';
import type { WorkOrder, WorkPart } from '../api/work.ts';
import type { Engine } from '../engine/engine.ts';
import { storageOf } from '../engine/part.ts';
import type { ChunkStore } from '../files/chunk-store.ts';
import { FolderFiles } from '../files/folder-files.ts';
import type { OpenFile } from '../files/open-file.ts';
import { HeldState } from '../learn/held-state.ts';
import { longestOf } from '../learn/stage-memory.ts';
import { evaluateBatch, runOrder } from '../learn/trainer.ts';
import { frozenBytes, frozenTensors } from '../model/description.ts';
import { parameterLayout } from '../model/layout.ts';
import { ModelChunks } from '../model/model-chunks.ts';
import { modelFiles } from '../model/open-model.ts';
import { measureSeconds } from './calibration.ts';
import { Claim, gaveOut, orderBytes, orderWithin, persistent, persistentOrder } from './giving-out.ts';
import { OwnEngine, passThrough, refuseLongSamples, refuseOtherShape, refuseTooLarge, requestOf } from './loading.ts';
import { measurePart, measurePartAgain } from './measure-part.ts';
import { probeMemory } from './memory-probe.ts';
import { evaluatedAtOnce, refuseLarge } from './order-memory.ts';
import { OwnMeasure } from './own-measure.ts';
import { StageDesk } from './stage-desk.ts';
import { memoryOf, type Stated, unitBytes } from './stated.ts';
import { stepPause } from './step-pause.ts';
import { TransferMeter } from './transfer-meter.ts';
import { Warmth } from './warming.ts';

interface Held {
  readonly settings: SessionSettings;
  readonly engine: Engine;
  readonly run: UnitRun;
  readonly desk: StageDesk;
  readonly memoryLimitBytes: number;
}

interface RunningOrder {
  readonly parts: AsyncGenerator<WorkPart, void, void>;
  readonly stop: AbortController;
}

/** A device's worker behind its messages: model, engine, one order at a time. */
export class Device implements DeviceWorkerApi {
  readonly #warmth: Warmth;
  readonly #store: ChunkStore | null;
  readonly chunks: ModelChunks;
  #held: Held | undefined;
  /** At which the last files came that were not here yet. */
  #downloadBitsPerSecond: number | null = null;
  #progress: LoadProgress = { stage: 'config', done: 0, total: 1 };
  #transfer: (() => Transfer) | null = null;
  #order: RunningOrder | undefined;
  #loads = 0;
  #state: HeldState | null = null;
  /** Of the session that it was measured for, whatever of its model is loaded. */
  #settings: SessionSettings | null = null;
  /** How slow this device is made, whatever is loaded. */
  readonly #pace = { slowdown: 1 };
  readonly #measured = new OwnMeasure();
  readonly #claim = new Claim();
  readonly #own: OwnEngine;
  /** Settles when an order that was given up has left the engine. */
  #ending: Promise<unknown> = Promise.resolve();

  /** `open` reads model files; headless devices also know `file:` addresses. `store` keeps those of a hub; null keeps none. */
  constructor(open: OpenFile, store: ChunkStore | null, folder = new FolderFiles()) {
    this.#warmth = new Warmth(folder.opening(open), store);
    this.#own = new OwnEngine(this.#warmth.test);
    this.#store = store;
    this.chunks = new ModelChunks(this.#warmth.open, store, folder);
  }

  async warm({ model, origin }: Parameters<DeviceWorkerApi['warm']>[0]): Promise<void> {
    await this.#warmth.begin(model, origin);
  }

  async load(request: LoadRequest): Promise<Loaded> {
    return this.#load(request, wholeRun(request.settings.shape.layers));
  }

  async loadPart(request: LoadRequest & { readonly run: UnitRun }): Promise<Loaded> {
    return this.#load(request, request.run);
  }

  async fits({ settings, memoryLimitBytes }: Parameters<DeviceWorkerApi['fits']>[0]): Promise<boolean> {
    return frozenBytes(settings.shape, storageOf(requestOf(settings))) <= memoryLimitBytes;
  }

  async measure({ settings, slowdown, ...request }: Parameters<DeviceWorkerApi['measure']>[0]): Promise<Stated> {
    this.#settings = settings;
    this.#own.choice = request.engine;
    const { memoryLimitBytes } = request;
    const part = await measurePart(settings, { slowdown: 1, memoryLimitBytes }, this.#own.create);
    const profile = { ...part, backend: this.#own.told(part.backend) };
    this.#claim.probedBytes = profile.memory.limitBytes;
    this.#measured.take(profile, (terms) => measurePartAgain(settings, this.#own.create, terms));
    return (await this.pretend({ slowdown, share: 1, memoryLimitBytes })) ?? profile;
  }

  async pretend(pretence: Pretence): Promise<Stated | null> {
    this.#pace.slowdown = pretence.slowdown;
    const stated = this.#measured.stated(pretence);
    return stated && { ...stated, ...this.#download() };
  }

  async measureAgain(): Promise<MeasuredAgain | null> {
    if (this.#order !== undefined || this.#held?.desk.isBusy) return null;
    const again = await this.#measured.again();
    return again && { ...again, measured: { ...again.measured, ...this.#download() } };
  }

  async restated(): Promise<Stated | null> {
    const stated = this.#claim.takeNews() ? this.#measured.claim(this.#claim.limitBytes) : null;
    return stated && { ...stated, ...this.#download() };
  }

  async stopMeasuring(): Promise<void> {
    await this.#measured.stop();
  }

  async prefetch({ settings, origin, run }: Parameters<DeviceWorkerApi['prefetch']>[0]): Promise<void> {
    const { model, shape } = settings;
    // Files of this machine are here already, and without a store nothing would stay.
    if (this.#store === null || model.kind !== 'hub') return;
    const files = modelFiles(this.#warmth.open, this.#store, model, origin, { onKept: this.chunks.note });
    const loads = this.#loads;
    await passThrough(files, frozenTensors(shape, partOf(run, shape.layers)), () => this.#loads === loads);
  }

  async holds(): Promise<UnitRun | null> {
    return this.#held?.run ?? null;
  }

  async #load(request: LoadRequest, run: UnitRun): Promise<Loaded> {
    const { settings, origin, slowdown, memoryLimitBytes } = request;
    this.#loads++;
    this.#settings = settings;
    await this.cancel();
    await this.#measured.stop();
    const before = this.#held;
    this.#held = undefined;
    await before?.engine.dispose();
    this.#progress = { stage: 'config', done: 0, total: 1 };
    const { model, shape } = settings;
    let remark: string | undefined;
    const files = modelFiles(this.#warmth.open, this.#store, model, origin, {
      onKept: this.chunks.note,
      onProblem: (sentence) => {
        remark = sentence;
        console.warn(sentence);
      },
    });
    refuseOtherShape(await files.shape(), shape);
    const part = partOf(run, shape.layers);
    refuseTooLarge(settings, part, memoryLimitBytes);
    refuseLongSamples(settings);
    const now = () => performance.now() / 1000;
    const weights = await files.weights((bytes) => meter.add(bytes, now()));
    const { total, kept } = weights.fileBytes(frozenTensors(shape, part));
    const meter = new TransferMeter(total, now());
    this.#progress = { stage: 'weights', done: 0, total: 1 };
    this.#transfer = () => ({ ...meter.at(now()), ...(remark === undefined ? {} : { remark }) });
    const onProgress = (progress: LoadProgress): void => {
      this.#progress = progress;
    };
    this.#own.choice = request.engine;
    const engine = await this.#own.create({ ...requestOf(settings), weights, part, onProgress });
    this.#warmth.release();
    // What was on this device already says nothing about its way to the hub.
    if (kept === 0) this.#downloadBitsPerSecond = meter.bitsPerSecond ?? this.#downloadBitsPerSecond;
    this.#pace.slowdown = slowdown;
    const limitBytes = () => Math.min(memoryLimitBytes, this.#claim.limitBytes);
    const terms = { pace: this.#pace, labelsPerSample: labelsPerSample(settings.task), limitBytes };
    const desk = new StageDesk(engine, terms);
    this.#held = { settings, engine, run, desk, memoryLimitBytes };
    return { engine: engine.name, backend: this.#own.told(engine.backend), parameterCount: engine.layout.length };
  }

  #download(): Pick<Profile, 'downloadBitsPerSecond'> {
    return this.#downloadBitsPerSecond === null ? {} : { downloadBitsPerSecond: this.#downloadBitsPerSecond };
  }

  async progress(): Promise<LoadProgress> {
    if (this.#progress.stage !== 'weights' || this.#transfer === null) return this.#progress;
    const transfer = this.#transfer();
    return { stage: 'weights', done: transfer.bytes, total: transfer.totalBytes, transfer };
  }

  async profile({ memoryLimitBytes }: { memoryLimitBytes: number }): Promise<Stated> {
    const { engine, settings } = this.#ready();
    const { fixedSeconds, ...speed } = (await measureSeconds(engine, settings)).speed;
    // Seconds at the length that rounds really have, memory at the length that they may have.
    const tokens = settings.training.maxTokens;
    const limitBytes = await probeMemory(engine, {
      samples: settings.training.samplesPerRound,
      tokens,
      limitBytes: memoryLimitBytes,
    });
    this.#claim.probedBytes = limitBytes;
    const memoryBytesPerSecond = await engine.copyBytesPerSecond();
    const profile = {
      engine: engine.name,
      backend: this.#own.told(engine.backend),
      ...speed,
      memoryBytesPerSecond,
      memory: memoryOf(engine, tokens, limitBytes),
      parts: { fixedSeconds, ...unitBytes(engine.shape, engine.layout, storageOf(requestOf(settings))) },
    };
    this.#measured.take(profile, (terms) =>
      this.#held?.engine === engine
        ? measureSeconds(engine, settings, undefined, terms)
        : measurePartAgain(settings, this.#own.create, terms),
    );
    return (await this.pretend({ slowdown: this.#pace.slowdown, share: 1, memoryLimitBytes })) ?? profile;
  }

  async setParameters(values: Float32Array): Promise<void> {
    const { engine, desk } = this.#ready();
    await desk.idle();
    await desk.alone(() => engine.setParameters(values));
  }

  async setStageParameters(parameters: StageParameters): Promise<void> {
    await this.#ready().desk.setParameters(parameters);
  }

  async hold(state: LearnedState): Promise<number> {
    if (this.#settings === null) throw new Error('The device knows of no session yet.');
    const { shape, lora, task, training } = this.#settings;
    this.#state = new HeldState(parameterLayout(shape, lora, task.labelCount), training, state, this.#state);
    return this.#state.digest;
  }

  async advance(update: Pick<StateUpdate, 'gradient' | 'learningRate'> | null): Promise<number> {
    return this.#holding().advance(update);
  }

  async setHeldParameters(): Promise<void> {
    await this.setParameters(this.#holding().values);
  }

  async held(): Promise<LearnedState | null> {
    const copy = this.#state?.copy() ?? null;
    return copy && Comlink.transfer(copy, buffersOf(copy));
  }

  async heldPast(): Promise<readonly PastState[]> {
    const past = this.#state?.handOverPast() ?? [];
    return Comlink.transfer(past, past.flatMap(buffersOf));
  }

  #holding(): HeldState {
    if (this.#state !== null) return this.#state;
    throw new Error('This device holds nothing of what the session has learned.');
  }

  async begin(order: WorkOrder): Promise<void> {
    const { engine, desk, memoryLimitBytes } = this.#ready();
    if (this.#order !== undefined || desk.isBusy) throw new Error('This device is still working on another order.');
    await this.#ending;
    refuseLarge(engine, order, memoryLimitBytes);
    const stop = new AbortController();
    const pause = stepPause(this.#pace, stop.signal);
    const run = (anew: WorkOrder) => runOrder(engine, anew, pause);
    // Of a plan that was made before the device gave out.
    const fitting = orderWithin(engine, order, this.#claim.leftBytes);
    const smaller = (large: WorkOrder) => this.#claim.gaveOut(engine, orderBytes(engine, large));
    this.#order = { parts: persistentOrder(run, fitting, engine, smaller), stop };
  }

  async next(): Promise<WorkPart> {
    const order = this.#order;
    if (order === undefined) throw new Error('There is no order to go on with.');
    try {
      const { value: part } = await order.parts.next();
      if (part === undefined) throw new Error('The order was given up.');
      if (part.kind === 'gradient') return Comlink.transfer(part, [part.gradient.buffer]);
      this.#finish(order);
      return this.#claim.isNews ? { ...part, gaveOut: true } : part;
    } catch (error) {
      this.#finish(order);
      throw error;
    }
  }

  async beginStage(order: StageOrder): Promise<void> {
    const { desk, run } = this.#ready();
    if (this.#order !== undefined) throw new Error('This device is still working on another order.');
    if (!holdsRun(run, order.run))
      throw new Error(
        `Units ${order.run.from} to ${order.run.to - 1} of the model are wanted; this device holds ${run.from} to ${run.to - 1}.`,
      );
    await this.#ending;
    await desk.begin(order);
  }

  async give(values: StageValues): Promise<void> {
    this.#ready().desk.give(values);
  }

  async nextOfStage(): Promise<StagePart> {
    const { desk, engine } = this.#ready();
    const part = await desk.next().catch(async (error: unknown) => {
      // What it had of the round is gone: the host gives it out again.
      if (gaveOut(error)) await this.#claim.gaveOut(engine);
      throw error;
    });
    if (part.kind === 'gradient') return Comlink.transfer(part, [part.gradient.buffer]);
    if (part.kind === 'hidden' || part.kind === 'dHidden') return Comlink.transfer(part, [part.values.buffer]);
    return part;
  }

  async cancel(): Promise<void> {
    await this.#held?.desk.cancel();
    const order = this.#order;
    if (order === undefined) return;
    order.stop.abort(new Error('The order was given up.'));
    this.#finish(order);
    // Ends a generator that nobody is pulling; one that runs ends by itself after its step.
    this.#ending = order.parts.return().catch(() => undefined);
    await this.#ending;
  }

  async evaluate(batch: TokenBatch): Promise<Float32Array> {
    const { engine, desk } = this.#ready();
    const most = evaluatedAtOnce(engine, longestOf(batch.lengths, batch.tokens), this.#claim.limitBytes);
    const pause = stepPause(this.#pace, new AbortController().signal);
    const evaluate = (atOnce: number) => desk.alone(() => evaluateBatch(engine, batch, atOnce, pause));
    const logits = await persistent(evaluate, most, () => this.#claim.gaveOut(engine));
    return Comlink.transfer(logits, [logits.buffer]);
  }

  async evaluateStage(chunk: StageChunk): Promise<Float32Array> {
    const values = await this.#ready().desk.evaluate(chunk);
    return Comlink.transfer(values, [values.buffer]);
  }

  #finish(order: RunningOrder): void {
    if (this.#order === order) this.#order = undefined;
  }

  #ready(): Held {
    if (this.#held === undefined) throw new Error('The device has not loaded a model yet.');
    return this.#held;
  }
}

const buffersOf = ({ values, firstMoment, secondMoment }: PastState) => [
  values.buffer,
  firstMoment.buffer,
  secondMoment.buffer,
];
