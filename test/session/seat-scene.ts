import { vi } from 'vitest';
import type { DataMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import type { DeviceStatus } from '../../signaling/protocol/room-view.ts';
import type { OrderTag } from '../../signaling/protocol/round.ts';
import { localLinkPair, type MessageLink } from '../../web/session/links/message-link.ts';
import { TrainerSeat } from '../../web/session/rounds/trainer-seat.ts';
import type { TokenBatch } from '../../worker/api/batch.ts';
import type { DeviceWorkerApi } from '../../worker/api/device-api.ts';
import type { LearnedState } from '../../worker/api/host-api.ts';
import type { WorkOrder, WorkPart } from '../../worker/api/work.ts';
import { profile, SETTINGS } from '../protocol/samples.ts';
import { NO_CHUNKS } from './no-chunks.ts';

const unasked = async (): Promise<never> => {
  throw new Error('This worker is no stage.');
};

/** A worker that does what the test says, when it says so; one order at a time, as the real one. */
export class ScriptedWorker implements DeviceWorkerApi {
  chunks: DeviceWorkerApi['chunks'] = NO_CHUNKS;
  readonly did: string[] = [];
  terminated = false;
  order: WorkOrder | null = null;
  /** The values that orders and chunks are computed with. */
  values: Float32Array | null = null;
  #part: { resolve: (part: WorkPart) => void; reject: (error: Error) => void } | null = null;
  #logits: ((logits: Float32Array) => void) | null = null;
  warm = async () => undefined;
  load: DeviceWorkerApi['load'] = async () => ({ engine: 'x', backend: 'x', parameterCount: 1 });

  async profile() {
    const { linkBitsPerSecond: _, ...measured } = profile();
    return measured;
  }

  measureAgain: DeviceWorkerApi['measureAgain'] = async () => null;
  stopMeasuring = async () => undefined;
  restated: DeviceWorkerApi['restated'] = async () => null;

  async setParameters(values: Float32Array): Promise<void> {
    this.values = values;
    this.did.push(`parameters ${values[0]}`);
  }

  /** The first value of what is held, to which each step adds that of its gradient. */
  #held: LearnedState | null = null;

  async hold(state: LearnedState): Promise<number> {
    this.#held = { ...state, values: state.values.slice() };
    return this.#digest();
  }

  async advance(update: { readonly gradient: Float32Array } | null): Promise<number> {
    const held = this.#held;
    if (held === null) throw new Error('Nothing is held.');
    held.values[0] += update?.gradient[0] ?? 0;
    return this.#digest();
  }

  /** Of a scripted state: its first value. */
  #digest(): number {
    return this.#held?.values[0] ?? 0;
  }

  async setHeldParameters(): Promise<void> {
    this.values = this.#held?.values ?? null;
    this.did.push(`held parameters ${this.values?.[0]}`);
  }

  async heldPast(): Promise<readonly []> {
    return [];
  }

  async held(): Promise<LearnedState | null> {
    return this.#held;
  }

  async begin(order: WorkOrder): Promise<void> {
    if (this.order !== null) throw new Error('This device is still working on another order.');
    this.order = order;
    this.did.push(`begin ${order.round} [${order.layers}]`);
  }

  next(): Promise<WorkPart> {
    return new Promise((resolve, reject) => {
      this.#part = { resolve, reject };
    });
  }

  async cancel(): Promise<void> {
    if (this.order === null) return;
    this.did.push('cancel');
    this.order = null;
    this.#part?.reject(new Error('The order was given up.'));
  }

  evaluate(batch: TokenBatch): Promise<Float32Array> {
    this.did.push(`evaluate ${batch.lengths.length}`);
    return new Promise((resolve) => {
      this.#logits = resolve;
    });
  }

  fits = async () => true;
  pretend = async () => null;
  holds = async () => null;
  prefetch = async () => undefined;
  measure = () => this.profile();
  loadPart = (request: Parameters<DeviceWorkerApi['loadPart']>[0]) => this.load(request);
  setStageParameters = unasked;
  beginStage = unasked;
  give = unasked;
  nextOfStage = unasked;
  evaluateStage = unasked;

  async progress() {
    return { stage: 'weights', done: 1, total: 2 } as const;
  }

  gradient(block: number | 'head', value = 1): void {
    this.#part?.resolve({ kind: 'gradient', block, gradient: new Float32Array([value]) });
  }

  done(gaveOut = false): void {
    this.order = null;
    const done = { kind: 'done', lossSum: 3, computeSeconds: 1, forwardSeconds: 1 } as const;
    this.#part?.resolve(gaveOut ? { ...done, gaveOut } : done);
  }

  fail(sentence: string): void {
    this.#part?.reject(new Error(sentence));
    this.order = null;
  }

  logits(): void {
    this.#logits?.(new Float32Array([0, 1]));
  }
}

export const settle = () => vi.advanceTimersByTimeAsync(0);
export const tag = (order: number, epoch = 1, round = 1, term = 1): OrderTag => ({ term, round, order, epoch });

export class SeatScene {
  readonly worker = new ScriptedWorker();
  readonly statuses: DeviceStatus[] = [];
  readonly seat: TrainerSeat;
  readonly answers: string[] = [];
  /** Whether what the device says it holds is among the answers. */
  hears = false;
  host: MessageLink;

  constructor(settings = SETTINGS) {
    this.seat = new TrainerSeat(
      {
        origin: 'http://127.0.0.1:1',
        memoryLimitBytes: 1e9,
        startDeviceWorker: () => ({
          api: this.worker,
          terminate: () => {
            this.worker.terminated = true;
          },
        }),
      },
      settings,
      (status) => this.statuses.push(status),
    );
    this.host = this.link();
  }

  /** A new link; the seat takes orders from it. */
  link(wrap: (deviceEnd: MessageLink) => MessageLink = (end) => end): MessageLink {
    const [hostEnd, deviceEnd] = localLinkPair();
    hostEnd.onMessage(({ header }) => {
      if (header.type === 'gradient')
        this.answers.push(`${header.tag.order}.${header.tag.epoch} block ${header.block}`);
      else if (header.type === 'done')
        this.answers.push(`${header.tag.order}.${header.tag.epoch} done ${header.lossSum}`);
      else if (header.type === 'failed') this.answers.push(`failed: ${header.sentence}`);
      else if (header.type === 'holds' && this.hears) this.answers.push(`holds ${header.state?.version ?? 'nothing'}`);
      else if (header.type === 'logits') this.answers.push(`logits ${header.tag.chunk}`);
    });
    this.seat.attach(wrap(deviceEnd), 1e6);
    this.host = hostEnd;
    return hostEnd;
  }

  async send(...messages: DataMessage[]): Promise<void> {
    for (const message of messages) await this.host.send(message);
    await settle();
  }
}

export const order = (of: OrderTag, layers: number[], parameters: number | null = null): DataMessage<'order'> => ({
  header: {
    type: 'order',
    tag: of,
    layers,
    head: false,
    samples: { start: 0, count: 1 },
    microBatch: 1,
    version: 7,
    parameters: parameters !== null,
    tokens: 1,
    share: 1,
    dropout: { probability: 0, seed: 1 },
  },
  tensors: [
    Int32Array.of(5),
    Int32Array.of(1),
    Float32Array.of(0),
    Int32Array.of(0),
    ...(parameters === null ? [] : [Float32Array.of(parameters)]),
  ],
});
export const evaluate = (evaluation: number, chunk: number): DataMessage<'evaluate'> => ({
  header: {
    type: 'evaluate',
    tag: { term: 1, evaluation, chunk },
    version: 7,
    parameters: false,
    samples: 1,
    tokens: 1,
  },
  tensors: [Int32Array.of(5), Int32Array.of(1)],
});
export const abandon = (of: OrderTag): DataMessage<'abandon'> => ({
  header: { type: 'abandon', tag: of },
  tensors: [],
});
export const text: TokenBatch = {
  ids: Int32Array.of(1),
  lengths: Int32Array.of(1),
  labels: Float32Array.of(0),
  positions: Int32Array.of(0),
  tokens: 1,
};
