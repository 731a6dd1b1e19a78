import * as Comlink from 'comlink';
import type { Profile } from '../../signaling/protocol/profile.ts';
import type { Transfer } from '../../signaling/protocol/room-view.ts';
import { type ModelShape, type SessionSettings, WEIGHT_STORAGES } from '../../signaling/protocol/settings.ts';
import { bytesText } from '../../signaling/protocol/words/quantities.ts';
import type { TokenBatch } from '../api/batch.ts';
import type { DeviceWorkerApi, LoadProgress } from '../api/device-api.ts';
import type { WorkOrder, WorkPart } from '../api/work.ts';
import { selfTest } from '../check/self-test.ts';
import type { Engine, EngineRequest } from '../engine/engine.ts';
import { lossOf } from '../engine/loss.ts';
import type { ChunkStore } from '../files/chunk-store.ts';
import type { OpenFile } from '../files/open-file.ts';
import { evaluateBatch, runOrder } from '../learn/trainer.ts';
import { maxTokens } from '../model/config.ts';
import { frozenBytes, frozenTensors } from '../model/description.ts';
import { modelFiles } from '../model/open-model.ts';
import { measureSeconds } from './calibration.ts';
import { ENGINES } from './engines.ts';
import { probeMemory } from './memory-probe.ts';
import { memoryOf, slowed } from './stated.ts';
import { stepPause } from './step-pause.ts';
import { TransferMeter } from './transfer-meter.ts';

interface Loaded {
  readonly settings: SessionSettings;
  readonly engine: Engine;
  readonly slowdown: number;
}

interface RunningOrder {
  readonly parts: AsyncGenerator<WorkPart, void, void>;
  readonly stop: AbortController;
}

/** A device's worker behind its messages: model, engine, one order at a time. */
export class Device implements DeviceWorkerApi {
  readonly #open: OpenFile;
  readonly #store: ChunkStore | null;
  #loaded: Loaded | undefined;
  #progress: LoadProgress = { stage: 'config', done: 0, total: 1 };
  #transfer: (() => Transfer) | null = null;
  #order: RunningOrder | undefined;
  /** What training may claim, as it was probed; before that nothing says that there is too little. */
  #limitBytes = Number.POSITIVE_INFINITY;
  /** Settles when an order that was given up has left the engine. */
  #ending: Promise<unknown> = Promise.resolve();

  /** `open` reads model files; headless devices also know `file:` addresses. `store` keeps those of a hub; null keeps none. */
  constructor(open: OpenFile, store: ChunkStore | null) {
    this.#open = open;
    this.#store = store;
  }

  async load({
    settings,
    origin,
    slowdown,
    memoryLimitBytes,
  }: Parameters<DeviceWorkerApi['load']>[0]): ReturnType<DeviceWorkerApi['load']> {
    await this.#loaded?.engine.dispose();
    this.#loaded = undefined;
    this.#progress = { stage: 'config', done: 0, total: 1 };
    const { model, weights: weightStorage, shape, lora, task, training } = settings;
    let remark: string | undefined;
    const files = modelFiles(this.#open, this.#store, model, origin, {
      onProblem: (sentence) => {
        remark = sentence;
        console.warn(sentence);
      },
    });
    refuseOtherShape(await files.shape(), shape);
    refuseTooLarge(settings, memoryLimitBytes);
    if (training.maxTokens > maxTokens(shape))
      throw new Error(
        `The session's samples have up to ${training.maxTokens} tokens; the model takes ${maxTokens(shape)}.`,
      );
    const now = () => performance.now() / 1000;
    const weights = await files.weights((bytes) => meter.add(bytes, now()));
    const meter = new TransferMeter(weights.fileBytes(frozenTensors(shape)).total, now());
    this.#progress = { stage: 'weights', done: 0, total: 1 };
    this.#transfer = () => ({ ...meter.at(now()), ...(remark === undefined ? {} : { remark }) });
    const { engine, failed } = await chooseEngine({
      shape,
      lora,
      labelCount: task.labelCount,
      loss: lossOf(task, training),
      weights,
      weightStorage,
      withDropout: training.dropout > 0,
      onProgress: (progress) => {
        this.#progress = progress;
      },
    });
    this.#loaded = { settings, engine, slowdown };
    return { engine: engine.name, backend: `${engine.backend}${failed}`, parameterCount: engine.layout.length };
  }

  async progress(): Promise<LoadProgress> {
    if (this.#progress.stage !== 'weights' || this.#transfer === null) return this.#progress;
    const transfer = this.#transfer();
    return { stage: 'weights', done: transfer.bytes, total: transfer.totalBytes, transfer };
  }

  async profile({ memoryLimitBytes }: { memoryLimitBytes: number }): Promise<Omit<Profile, 'linkBitsPerSecond'>> {
    const { engine, settings, slowdown } = this.#ready();
    const speed = await measureSeconds(engine, settings);
    // Seconds at the length that rounds really have, memory at the length that they may have.
    const tokens = settings.training.maxTokens;
    const limitBytes = await probeMemory(engine, {
      samples: settings.training.samplesPerRound,
      tokens,
      limitBytes: memoryLimitBytes,
    });
    this.#limitBytes = limitBytes;
    const memoryBytesPerSecond = await engine.copyBytesPerSecond();
    return {
      engine: engine.name,
      backend: engine.backend,
      ...slowed({ ...speed, memoryBytesPerSecond }, slowdown),
      memory: memoryOf(engine, tokens, limitBytes),
    };
  }

  async setParameters(values: Float32Array): Promise<void> {
    await this.#ready().engine.setParameters(values);
  }

  async begin(order: WorkOrder): Promise<void> {
    if (this.#order !== undefined) throw new Error('This device is still working on another order.');
    await this.#ending;
    const { engine, slowdown } = this.#ready();
    const stop = new AbortController();
    this.#order = { parts: runOrder(engine, order, stepPause(slowdown, stop.signal)), stop };
  }

  async next(): Promise<WorkPart> {
    const order = this.#order;
    if (order === undefined) throw new Error('There is no order to go on with.');
    try {
      const { value: part } = await order.parts.next();
      if (part === undefined) throw new Error('The order was given up.');
      if (part.kind === 'gradient') return Comlink.transfer(part, [part.gradient.buffer]);
      this.#finish(order);
      return part;
    } catch (error) {
      this.#finish(order);
      throw error;
    }
  }

  async cancel(): Promise<void> {
    const order = this.#order;
    if (order === undefined) return;
    order.stop.abort(new Error('The order was given up.'));
    this.#finish(order);
    // Ends a generator that nobody is pulling; one that runs ends by itself after its step.
    this.#ending = order.parts.return().catch(() => undefined);
    await this.#ending;
  }

  async evaluate(batch: TokenBatch): Promise<Float32Array> {
    const { engine, slowdown } = this.#ready();
    const longest = batch.lengths.reduce((a, b) => Math.max(a, b), 1);
    const most = evaluatedAtOnce(engine, Math.min(longest, batch.tokens), this.#limitBytes);
    const logits = await evaluateBatch(engine, batch, most, stepPause(slowdown, new AbortController().signal));
    return Comlink.transfer(logits, [logits.buffer]);
  }

  #finish(order: RunningOrder): void {
    if (this.#order === order) this.#order = undefined;
  }

  #ready(): Loaded {
    if (this.#loaded === undefined) throw new Error('The device has not loaded a model yet.');
    return this.#loaded;
  }
}

/** The first engine that runs here and passes the self-test; `failed` says which ones did not. */
async function chooseEngine(request: EngineRequest): Promise<{ engine: Engine; failed: string }> {
  const failed: string[] = [];
  let reason: unknown = new Error('No engine runs on this device: it has neither WebGPU nor WebAssembly.');
  for (const kind of ENGINES) {
    if ((await kind.absent()) !== null || !(await kind.trains())) continue;
    try {
      await selfTest(kind.create, request.weightStorage);
      const engine = await kind.create(request);
      return { engine, failed: failed.length === 0 ? '' : ` (${failed.join(', ')} failed here)` };
    } catch (error) {
      // A model that is at fault itself fails with the next engine, too.
      reason = error;
      failed.push(kind.id);
      console.warn(error instanceof Error ? error.message : String(error));
    }
  }
  throw reason;
}

/** More samples at once make evaluation no faster. */
const MOST_EVALUATED_AT_ONCE = 32;

/** The most samples of `tokens` tokens whose forward pass fits `limitBytes`; one at least. */
export function evaluatedAtOnce(engine: Pick<Engine, 'bytes'>, tokens: number, limitBytes: number): number {
  let samples = MOST_EVALUATED_AT_ONCE;
  const fits = () => {
    const { weightsBytes, transientBytes } = engine.bytes(samples, tokens, 0);
    return weightsBytes + transientBytes <= limitBytes;
  };
  while (samples > 1 && !fits()) samples = Math.floor(samples / 2);
  return samples;
}

/** Every engine holds at least the frozen tensors in the session's storage. */
function refuseTooLarge({ model, shape, weights }: SessionSettings, memoryLimitBytes: number): void {
  const bytes = frozenBytes(shape, weights);
  if (bytes <= memoryLimitBytes) return;
  const lean = WEIGHT_STORAGES.find((storage) => frozenBytes(shape, storage) <= memoryLimitBytes);
  throw new Error(
    `The weights of ${model.id} take ${bytesText(bytes)} here, and training may use ${bytesText(memoryLimitBytes)}.${
      lean === undefined ? '' : ` A session with ${lean} weights takes ${bytesText(frozenBytes(shape, lean))}.`
    }`,
  );
}

function refuseOtherShape(found: ModelShape, expected: ModelShape): void {
  for (const [key, value] of Object.entries(expected))
    if (Object.entries(found).find(([name]) => name === key)?.[1] !== value)
      throw new Error(
        `The model's config.json and the session disagree about ${key}; was the model changed meanwhile?`,
      );
}
