import type { DataMessage } from '../../../signaling/protocol/exchange/data-messages.ts';
import type { Profile } from '../../../signaling/protocol/profile.ts';
import type { DeviceStatus } from '../../../signaling/protocol/room-view.ts';
import type { SessionSettings } from '../../../signaling/protocol/settings.ts';
import type { TokenBatch } from '../../../worker/api/batch.ts';
import type { DeviceWorkerApi } from '../../../worker/api/device-api.ts';
import type { MessageLink } from '../links/message-link.ts';
import type { SessionEnvironment, WorkerHandle } from '../world/environment.ts';
import { withProgress } from '../world/with-progress.ts';
import type { ParameterState } from './fleet.ts';

const PROGRESS_EVERY_MS = 250;

const CLOSED = 'The session ended before the text was tried.';

type Work = DataMessage<'order'> | DataMessage<'evaluate'>;

/** A question of this device's own person. */
interface Question {
  readonly batch: TokenBatch;
  readonly parameters: ParameterState;
  readonly resolve: (logits: Float32Array) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * A device's part in training: its worker with the model, its profile, and the orders that come over its link. Orders are done one after
 * the other; an order's gradients are sent as soon as each exists, while deeper layers are still being computed.
 */
export class TrainerSeat {
  readonly #worker: WorkerHandle<DeviceWorkerApi>;
  readonly #environment: SessionEnvironment;
  readonly #settings: SessionSettings;
  readonly #onStatus: (status: DeviceStatus) => void;
  #link: MessageLink | null = null;
  #linkBitsPerSecond = 0;
  #queue: Work[] = [];
  #questions: Question[] = [];
  #working = false;
  #current: number | null = null;
  #version = -1;
  #closed = false;

  constructor(environment: SessionEnvironment, settings: SessionSettings, onStatus: (status: DeviceStatus) => void) {
    this.#environment = environment;
    this.#settings = settings;
    this.#onStatus = onStatus;
    this.#worker = environment.startDeviceWorker();
  }

  /** Loads the model and measures the device. Rejects with a sentence for the person. */
  async prepare(slowdown: number): Promise<Omit<Profile, 'linkBitsPerSecond'>> {
    const { api } = this.#worker;
    this.#onStatus({ kind: 'loading', done: 0, total: 1 });
    const { origin, memoryLimitBytes } = this.#environment;
    const request = { settings: this.#settings, origin, slowdown, memoryLimitBytes };
    await withProgress(api.load(request), PROGRESS_EVERY_MS, async (isDone) => {
      const { done, total, transfer } = await api.progress();
      if (!isDone() && !this.#closed)
        this.#onStatus({ kind: 'loading', done, total: Math.max(1, total), ...(transfer && { transfer }) });
    });
    this.#onStatus({ kind: 'profiling' });
    return api.profile({ memoryLimitBytes: this.#environment.memoryLimitBytes });
  }

  /** Takes orders from this link from now on; those of an earlier link are dropped, the host has given them to others. */
  attach(link: MessageLink, linkBitsPerSecond: number): void {
    this.#link = link;
    this.#linkBitsPerSecond = linkBitsPerSecond;
    this.#version = -1;
    this.#queue = [];
    link.onMessage((message) => {
      if (this.#link === link) this.#take(message);
    });
  }

  /** Logits, (B,labels), of samples that are in no order; computed as soon as the running order is done. */
  predict(batch: TokenBatch, parameters: ParameterState): Promise<Float32Array> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new Error(CLOSED));
      this.#questions.push({ batch, parameters, resolve, reject });
      void this.#work();
    });
  }

  close(): void {
    this.#closed = true;
    this.#queue = [];
    for (const { reject } of this.#questions.splice(0)) reject(new Error(CLOSED));
    this.#worker.terminate();
  }

  #take(message: DataMessage): void {
    const { header } = message;
    if (header.type === 'order' || header.type === 'evaluate') {
      // Narrowing the header does not narrow the message that holds it.
      this.#queue.push({ header, tensors: message.tensors } as Work);
      void this.#work();
    } else if (header.type === 'abandon') {
      this.#queue = this.#queue.filter((work) => work.header.type !== 'order' || work.header.order !== header.order);
      if (this.#current === header.order) void this.#worker.api.cancel();
    }
  }

  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    try {
      while (!this.#closed) {
        await this.#answer();
        const work = this.#queue.shift();
        if (work === undefined) break;
        const link = this.#link;
        if (link === null) break;
        try {
          await this.#setParameters(work);
          if (work.header.type === 'order') await this.#order(link, work as DataMessage<'order'>);
          else await this.#evaluate(link, work as DataMessage<'evaluate'>);
        } catch (error) {
          const sentence = error instanceof Error ? error.message : 'The device could not do its part.';
          const order = work.header.type === 'order' ? work.header.order : null;
          if (!this.#closed)
            await link.send({ header: { type: 'failed', order, sentence: sentence.slice(0, 400) }, tensors: [] });
        }
      }
    } finally {
      this.#working = false;
      this.#current = null;
    }
  }

  /** The parameters stay set: whoever sends the next work compares versions and sends its own along where they differ. */
  async #answer(): Promise<void> {
    // A question stays in the list until it is answered: `close` refuses those that never will be.
    for (let next = this.#questions[0]; next !== undefined; next = this.#questions[0]) {
      const { batch, parameters, resolve, reject } = next;
      const { api } = this.#worker;
      try {
        if (parameters.version !== this.#version) {
          await api.setParameters(parameters.values);
          this.#version = parameters.version;
        }
        resolve(await api.evaluate(batch, batch.lengths.length));
      } catch (error) {
        reject(error);
      }
      this.#questions.shift();
    }
  }

  async #setParameters({ header, tensors }: Work): Promise<void> {
    if (header.parameters) {
      const values = tensors.at(-1);
      if (!(values instanceof Float32Array)) throw new Error('An order came without its parameters.');
      await this.#worker.api.setParameters(values);
      this.#version = header.version;
    } else if (header.version !== this.#version)
      throw new Error(`An order is for version ${header.version}, but this device has version ${this.#version}.`);
  }

  async #order(link: MessageLink, { header, tensors }: DataMessage<'order'>): Promise<void> {
    const { order, round, layers, head, microBatch, recompute, dropout } = header;
    const [ids, lengths, labels, positions] = tensors;
    const batch = receivedBatch(ids, lengths, labels, positions, header.tokens);
    const { api } = this.#worker;
    this.#current = order;
    const pace = { bitsPerSecond: Math.max(1, header.share * this.#linkBitsPerSecond) };
    await api.begin({ round, batch, layers, head, microBatch, recompute, dropout });
    for (;;) {
      const part = await api.next();
      if (part.kind === 'gradient')
        // Not awaited: the next layer is computed while this one travels. The link keeps the order.
        void link.send(
          { header: { type: 'gradient', order, round, block: part.block }, tensors: [part.gradient] },
          pace,
        );
      else {
        const { lossSum, computeSeconds } = part;
        await link.send({ header: { type: 'done', order, round, lossSum, computeSeconds }, tensors: [] });
        return;
      }
    }
  }

  async #evaluate(link: MessageLink, { header, tensors }: DataMessage<'evaluate'>): Promise<void> {
    const [ids, lengths] = tensors;
    const none = new Float32Array(header.samples);
    const batch = receivedBatch(ids, lengths, none, new Int32Array(header.samples), header.tokens);
    const logits = await this.#worker.api.evaluate(batch, header.samples);
    await link.send({ header: { type: 'logits', evaluation: header.evaluation }, tensors: [logits] });
  }
}

type FrameTensor = Float32Array | Int32Array | undefined;

/** The tensors' sizes and values were validated when the message was read; this names them. */
function receivedBatch(
  ids: FrameTensor,
  lengths: FrameTensor,
  labels: FrameTensor,
  positions: FrameTensor,
  tokens: number,
): TokenBatch {
  if (
    !(ids instanceof Int32Array && lengths instanceof Int32Array) ||
    !(labels instanceof Float32Array && positions instanceof Int32Array)
  )
    throw new Error('An order came without its samples.');
  return { ids, lengths, labels, positions, tokens };
}
