import type { DataMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import type { Block, OrderTag } from '../../signaling/protocol/round.ts';
import type { SessionSettings } from '../../signaling/protocol/settings.ts';
import { type HiddenStates, type UnitRun, unitCount } from '../../signaling/protocol/split.ts';
import { localLinkPair, type MessageLink } from '../../web/session/links/message-link.ts';
import { ModelWorker } from '../../web/session/rounds/model-worker.ts';
import { StageSeat } from '../../web/session/stages/stage-seat.ts';
import type { DeviceWorkerApi } from '../../worker/api/device-api.ts';
import { type RandomModel, randomModel } from '../../worker/check/random-model.ts';
import { StageDesk } from '../../worker/device/stage-desk.ts';
import type { Engine } from '../../worker/engine/engine.ts';
import { createReferenceEngine } from '../../worker/engine/reference/engine.ts';
import { type Outcome, type Recipe, shared } from '../learn/pipeline-scene.ts';
import { profile, SETTINGS } from '../protocol/samples.ts';
import { NO_CHUNKS } from './no-chunks.ts';

export const LAYERS = 3;
export const model: RandomModel = await randomModel({ layers: LAYERS, lengths: [1, 2, 3, 4, 5, 6], tokens: 6 });
export const engine = shared(await createReferenceEngine(model));
await engine.setParameters(model.parameters);
export const recipe: Recipe = {
  batch: model.batch,
  round: 3,
  layers: [0, 1, 2],
  microBatchSizes: [2, 2, 1, 1],
  dropout: { probability: 0.2, seed: 8 },
};
export const settings: SessionSettings = {
  ...SETTINGS,
  shape: model.shape,
  lora: model.lora,
  task: { ...SETTINGS.task, roundTokens: 6 },
  training: { ...SETTINGS.training, samplesPerRound: 6, maxTokens: 6 },
  policy: 'split',
};
/** Of a model of three layers: units 0 to 4. */
export const RUNS: readonly UnitRun[] = [
  { from: 0, to: 2 },
  { from: 2, to: 3 },
  { from: 3, to: 5 },
];

const { linkBitsPerSecond: _, ...MEASURED } = profile();

/** A worker in this process, whose stage is a real one. */
export class DeskWorker implements DeviceWorkerApi {
  readonly chunks = NO_CHUNKS;
  readonly desk: StageDesk;
  /** Runs that were fetched. */
  readonly loaded: UnitRun[] = [];
  readonly passes: string[] = [];

  constructor(of: Engine) {
    this.desk = new StageDesk(of, { pace: { slowdown: 1 }, labelsPerSample: 1 });
  }

  async load() {
    return { engine: 'reference', backend: 'here', parameterCount: engine.layout.length };
  }
  async loadPart({ run }: Parameters<DeviceWorkerApi['loadPart']>[0]) {
    this.loaded.push(run);
    return this.load();
  }
  readonly prefetched: UnitRun[] = [];
  isRoomy = false;
  fits = async () => this.isRoomy;
  pretend = async () => null;
  warm = async () => undefined;
  holds = async () => this.loaded.at(-1) ?? null;
  prefetch = async ({ run }: Parameters<DeviceWorkerApi['prefetch']>[0]) => void this.prefetched.push(run);
  progress = async () => ({ stage: 'weights', done: 1, total: 1 }) as const;
  setStageParameters = (parameters: Parameters<DeviceWorkerApi['setStageParameters']>[0]) =>
    this.desk.setParameters(parameters);
  beginStage = (order: Parameters<DeviceWorkerApi['beginStage']>[0]) => this.desk.begin(order);
  give = async (values: Parameters<DeviceWorkerApi['give']>[0]) => this.desk.give(values);
  nextOfStage = async () => {
    const part = await this.desk.next();
    if (part.kind === 'passed') this.passes.push(`${part.direction === 'up' ? 'F' : 'B'}${part.microBatch + 1}`);
    return part;
  };
  cancel = () => this.desk.cancel();
  evaluateStage = (chunk: Parameters<DeviceWorkerApi['evaluateStage']>[0]) => this.desk.evaluate(chunk);
  profile = async () => MEASURED;
  hold = unasked;
  advance = unasked;
  setHeldParameters = unasked;
  held = unasked;
  heldPast = unasked;
  measure = async () => MEASURED;
  measureAgain = async () => null;
  stopMeasuring = async () => undefined;
  restated: DeviceWorkerApi['restated'] = async () => null;
  setParameters = unasked;
  begin = unasked;
  next = unasked;
  evaluate = unasked;
}

const unasked = async (): Promise<never> => {
  throw new Error('A stage alone was asked for.');
};

/** A seat whose worker nobody asks anything of. */
export function seatOf(id: string): StageSeat {
  const world = {
    origin: '',
    memoryLimitBytes: 1e9,
    startDeviceWorker: () => ({ api: new DeskWorker(engine), terminate: () => undefined }),
  };
  return new StageSeat(id, new ModelWorker(world, settings, () => undefined));
}

export class StageDevice {
  readonly id: string;
  readonly worker: DeskWorker;
  readonly model: ModelWorker;
  readonly seat: StageSeat;
  readonly host: MessageLink;
  /** Workers of runs beside its own. */
  readonly seconds: DeskWorker[] = [];

  constructor(id: string, of: Engine, relay: (message: DataMessage, from: string) => void) {
    this.id = id;
    this.worker = new DeskWorker(of);
    const world = {
      origin: '',
      memoryLimitBytes: 1e9,
      startDeviceWorker: () => ({ api: this.worker, terminate: () => undefined }),
    };
    this.model = new ModelWorker(world, settings, () => undefined);
    this.seat = new StageSeat(id, this.model, {
      secondModel: () => {
        const second = new DeskWorker(of);
        this.seconds.push(second);
        return new ModelWorker(
          { ...world, startDeviceWorker: () => ({ api: second, terminate: () => undefined }) },
          settings,
          () => undefined,
        );
      },
    });
    const [hostEnd, deviceEnd] = localLinkPair();
    this.host = hostEnd;
    this.seat.attach(deviceEnd, 1e9);
    hostEnd.onMessage((message) => relay(message, id));
  }
}

/** What a run's trained blocks are given, in the order in which they travel. */
function parametersOf(run: UnitRun): Float32Array {
  const { layout } = engine;
  const layers = layout.layers.filter((_, layer) => run.from <= layer + 1 && layer + 1 < run.to);
  const blocks = [...(run.to === unitCount(LAYERS) ? [layout.head] : []), ...layers];
  return Float32Array.from(
    blocks.flatMap(({ offset, length }) => [...model.parameters.subarray(offset, offset + length)]),
  );
}

/** The host's side of one pipeline, as far as devices see it: gives stages out, passes hidden states on, takes gradients. */
export class PipelineScene {
  readonly devices = new Map<string, StageDevice>();
  readonly gradients = new Map<Block, Float32Array>();
  readonly #done = new Set<number>();
  readonly failures: string[] = [];
  logits: Float32Array | null = null;
  /** Sees what the host passes on, and may change or lose it. */
  change: (message: DataMessage<'hidden'>) => readonly DataMessage<'hidden'>[] = (message) => [message];
  lossSum = 0;
  /** Micro-batches of passes that devices told of. */
  readonly passes = new Map<string, number[]>();
  onGradient: (from: string) => void = () => undefined;
  readonly #places: { device: string; epoch: number }[];
  readonly #codec: HiddenStates;
  readonly #window: (s: number) => number;
  #epoch = 1;
  readonly #watchers = new Set<() => void>();

  constructor(ids: readonly string[], codec: HiddenStates = 'f32', window: (s: number) => number = (s) => 3 - s) {
    this.#places = ids.slice(0, RUNS.length).map((device) => ({ device, epoch: 1 }));
    this.#codec = codec;
    this.#window = window;
    for (const id of ids) this.add(id);
  }

  add(id: string, of: Engine = engine): StageDevice {
    const device = new StageDevice(id, of, (message, from) => this.#heard(message, from));
    this.devices.set(id, device);
    return device;
  }

  device(id: string): StageDevice {
    const found = this.devices.get(id);
    if (found === undefined) throw new Error(`There is no ${id}.`);
    return found;
  }

  tag(s: number): OrderTag {
    return { term: 1, round: recipe.round, order: s + 1, epoch: this.#places[s]!.epoch };
  }

  async give(s: number): Promise<void> {
    await this.device(this.#places[s]!.device).host.send(this.order(s));
  }

  async giveAll(): Promise<void> {
    for (const s of RUNS.keys()) await this.give(s);
  }

  /** Another device takes a stage over, from the beginning. */
  async takeOver(s: number, device: string): Promise<void> {
    this.#places[s] = { device, epoch: ++this.#epoch };
    await this.give(s);
    const neighbour = this.#places[s];
    for (const [other, side] of [
      [s - 1, 'above'],
      [s + 1, 'below'],
    ] as const) {
      const place = this.#places[other];
      if (place === undefined) continue;
      await this.device(place.device).host.send({
        header: { type: 'rewire', tag: this.tag(other), side, neighbour },
        tensors: [],
      });
    }
  }

  order(s: number): DataMessage<'stage-order'> {
    const run = RUNS[s]!;
    const { batch, microBatchSizes: sizes, dropout } = recipe;
    const head = run.to === unitCount(LAYERS);
    return {
      header: {
        type: 'stage-order',
        tag: this.tag(s),
        stage: { pipeline: 0, index: s, ...run, window: this.#window(s), microBatches: sizes.length },
        sizes: [...sizes],
        version: 7,
        parameters: true,
        tokens: batch.tokens,
        codec: this.#codec,
        below: this.#places[s - 1] ?? null,
        above: this.#places[s + 1] ?? null,
        layers: recipe.layers.filter((layer) => run.from <= layer + 1 && layer + 1 < run.to),
        head,
        lowest: 0,
        share: 1,
        dropout,
      },
      tensors: [
        batch.lengths,
        batch.positions,
        ...(run.from === 0 ? [batch.ids] : []),
        ...(head ? [batch.labels] : []),
        parametersOf(run),
      ],
    };
  }

  chunk(s: number, evaluation: number): DataMessage<'stage-evaluate'> {
    const { header, tensors } = this.order(s);
    const { stage, sizes, version, parameters, tokens, codec, below, above } = header;
    const [lengths, , ...rest] = tensors;
    const ids = stage.from === 0 ? [rest[0]!] : [];
    return {
      header: {
        type: 'stage-evaluate',
        tag: { term: 1, evaluation, chunk: 0 },
        ...{ stage, sizes, version, parameters, tokens, codec, below, above },
      },
      tensors: [lengths!, ...ids, tensors.at(-1)!],
    };
  }

  /** Settles when `condition` holds, looked at after everything that the host hears. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }

  /** Everything that is on its way has come, and what it leads to, where no worker is at it. */
  async settle(): Promise<void> {
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  }

  done(): Promise<void> {
    return this.until(() => this.gradients.size === LAYERS + 1 && this.#done.size === RUNS.length);
  }

  get outcome(): Outcome {
    return { gradients: this.gradients, lossSum: this.lossSum };
  }

  #heard(message: DataMessage, from: string): void {
    const { header, tensors } = message;
    const current =
      'tag' in header && 'order' in header.tag && this.tag(header.tag.order - 1).epoch === header.tag.epoch;
    if (header.type === 'hidden')
      for (const passed of this.change({ header, tensors })) void this.devices.get(passed.header.to)?.host.send(passed);
    else if (header.type === 'gradient' && current && tensors[0] instanceof Float32Array) {
      // As the ledger does: what came for a block counts, and nothing later.
      if (!this.gradients.has(header.block)) this.gradients.set(header.block, tensors[0]);
      this.onGradient(from);
    } else if (header.type === 'done' && current) {
      if (!this.#done.has(header.tag.order)) this.lossSum += header.lossSum ?? Number.NaN;
      this.#done.add(header.tag.order);
    } else if (header.type === 'passed')
      this.passes.set(from, [...(this.passes.get(from) ?? []), ...header.passes.map(({ microBatch }) => microBatch)]);
    else if (header.type === 'failed') this.failures.push(`${from}: ${header.sentence}`);
    else if (header.type === 'logits' && tensors[0] instanceof Float32Array) this.logits = tensors[0];
    for (const watcher of [...this.#watchers]) watcher();
  }
}
