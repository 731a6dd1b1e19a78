import type { DataMessage } from '../../../signaling/protocol/exchange/data-messages.ts';
import { encodeUpload } from '../../../signaling/protocol/exchange/upload-codec.ts';
import type { DeviceStatus } from '../../../signaling/protocol/room-view.ts';
import type { OrderTag } from '../../../signaling/protocol/round.ts';
import type { SessionSettings } from '../../../signaling/protocol/settings.ts';
import type { TokenBatch } from '../../../worker/api/batch.ts';
import * as say from '../../words/session/rounds.ts';
import { type HeldVersion, KeepingUp, type StateMessage } from '../held/keeping-up.ts';
import type { MessageLink } from '../links/message-link.ts';
import { tensorSizes } from '../links/tensor-sizes.ts';
import { AuditAnswer, answerEvaluation, MAX_WAITING_AUDITS, type OrderPace, sliceSamples } from './answers.ts';
import type { ParameterState } from './device-links.ts';
import { type Heard, hearAbandoned, hearOrder, isCurrent, NOTHING_HEARD } from './heard.ts';
import { type Measured, ModelWorker, type SeatWorld } from './model-worker.ts';
import {
  heldBytes,
  isEarlier,
  keepParameters,
  nextWork,
  receivedBatch,
  type SentParameters,
} from './received-batch.ts';

/** Orders and chunks that may wait for this device; a host gives it all orders of a round at most. */
const MAX_QUEUED_WORK = 128;
/** Vectors of the session's state, and steps of it, that may wait; a device that is so far behind is given the whole later. */
const MAX_QUEUED_VECTORS = 8;
/** Its bytes, as multiples of the session's longest order: what a round has in all, twice, and what was given out again. */
const MAX_QUEUED_ORDERS = 4;
/** Texts that its own person may have waiting. */
const MAX_QUESTIONS = 8;
/** Orders whose gradients may be on their way while the next one is computed. */
const MAX_UPLOADING_ORDERS = 2;

const CLOSED = say.theSessionEndedBefore;

type Work = DataMessage<'order'> | DataMessage<'evaluate'> | DataMessage<'audit'>;
/** Done in the order in which it came, but for audits: an evaluation may be of the state before a step. */
type Queued = Work | StateMessage;

/** A question of this device's own person. */
interface Question {
  readonly batch: TokenBatch;
  readonly parameters: ParameterState;
  readonly resolve: (logits: Float32Array) => void;
  readonly reject: (reason: unknown) => void;
}

/** What belongs to one link and goes with it. */
interface Attachment {
  readonly link: MessageLink;
  bitsPerSecond: number;
  heard: Heard;
  queue: Queued[];
  /** The latest that came with each kind of work, also with work that was taken away again: the host sends each version once. */
  parameters: SentParameters;
  /** Of the orders that are done; each settles when its gradients are sent. */
  readonly uploads: Promise<unknown>[];
}

/**
 * A device's part in training: its worker with the model, its profile, and the orders that come over its link. Orders are done one after
 * the other; an order's gradients are sent as soon as each exists, while deeper layers are still being computed. What is taken away, or
 * was asked over a link that is gone, is stopped.
 */
export class TrainerSeat {
  readonly model: ModelWorker;
  readonly #keepingUp: KeepingUp;
  readonly #maxQueuedBytes: number;
  #attached: Attachment | null = null;
  #questions: Question[] = [];
  #working = false;
  #running: OrderTag | null = null;
  #auditing = false;
  /** One that is not done yet; its work is first in the queue. */
  #audited: AuditAnswer | null = null;
  /** Of the latest order. */
  #pace: OrderPace | null = null;

  constructor(world: SeatWorld, settings: SessionSettings, onStatus: (status: DeviceStatus) => void) {
    this.#maxQueuedBytes = MAX_QUEUED_ORDERS * tensorSizes(settings).toDeviceBytes;
    this.model = new ModelWorker(world, settings, onStatus);
    this.#keepingUp = new KeepingUp(this.model.api);
  }

  /** Loads the model and measures the device. Rejects with a sentence for the person. */
  prepare(slowdown: number): Promise<Measured> {
    return this.model.prepare(slowdown);
  }

  get held(): HeldVersion | null {
    return this.#keepingUp.held;
  }

  /** Takes orders from this link from now on; those of an earlier link are dropped, the host has given them to others. */
  attach(link: MessageLink, linkBitsPerSecond: number): void {
    const attached: Attachment = {
      link,
      bitsPerSecond: linkBitsPerSecond,
      heard: NOTHING_HEARD,
      queue: [],
      parameters: { order: null, evaluate: null },
      uploads: [],
    };
    this.#detach();
    this.#attached = attached;
    link.onMessage((message) => {
      if (this.#attached === attached) this.#take(attached, message);
    });
    link.onClose(() => {
      if (this.#attached === attached) this.#detach();
    });
    if (this.#keepingUp.held !== null) this.#sayWhatIsHeld(attached);
  }

  /** At which its link is known to carry from now on. */
  paceAt(bitsPerSecond: number): void {
    if (this.#attached !== null) this.#attached.bitsPerSecond = bitsPerSecond;
  }

  /** Logits, (B,labels), of samples that are in no order; computed as soon as the running order is done. */
  predict(batch: TokenBatch, parameters: ParameterState): Promise<Float32Array> {
    return new Promise((resolve, reject) => {
      if (this.model.isClosed) return reject(new Error(CLOSED));
      if (this.#questions.length >= MAX_QUESTIONS) return reject(new Error(say.textsAreWaiting(MAX_QUESTIONS)));
      this.#questions.push({ batch, parameters, resolve, reject });
      void this.#work();
    });
  }

  close(): void {
    this.#attached = null;
    for (const { reject } of this.#questions.splice(0)) reject(new Error(CLOSED));
    this.model.close();
  }

  #detach(): void {
    this.#attached = null;
    this.#cancel();
  }

  #cancel(): void {
    if (this.#running !== null || this.#auditing) void this.model.api.cancel();
  }

  #take(attached: Attachment, message: DataMessage): void {
    const { header, tensors } = message;
    if (header.type === 'audit') this.#queueAudit(attached, { header, tensors });
    else if (header.type === 'order' || header.type === 'evaluate') {
      keepParameters(attached.parameters, header, tensors);
      const { queue } = attached;
      if (header.type === 'order') {
        const heard = hearOrder(attached.heard, header.tag);
        if (heard === null) return;
        this.#heard(attached, heard);
      } else
        attached.queue = queue.filter((work) => work.header.type !== 'evaluate' || !isEarlier(work.header, header));
      const bytes = attached.queue.reduce((sum, work) => sum + heldBytes(work), heldBytes(message));
      if (attached.queue.length >= MAX_QUEUED_WORK || bytes > this.#maxQueuedBytes) {
        this.#fail(attached, header, new Error(say.thisDeviceHasAsMuch));
        return;
      }
      attached.queue.push(header.type === 'order' ? { header, tensors } : { header, tensors });
      void this.#work();
    } else if (header.type === 'stage-order') {
      const heard = hearOrder(attached.heard, header.tag);
      if (heard !== null) this.#heard(attached, heard);
    } else if (header.type === 'state' || header.type === 'update') {
      const waiting = attached.queue.filter(isOfState).length;
      if (waiting >= MAX_QUEUED_VECTORS) {
        attached.queue = attached.queue.filter((queued) => !isOfState(queued));
        this.#keepingUp.letGo();
        this.#sayWhatIsHeld(attached);
        return;
      }
      attached.queue.push(header.type === 'state' ? { header, tensors } : { header, tensors });
      void this.#work();
    } else if (header.type === 'abandon') this.#heard(attached, hearAbandoned(attached.heard, header.tag));
  }

  #queueAudit(attached: Attachment, work: DataMessage<'audit'>): void {
    const waiting = attached.queue.filter(({ header }) => header.type === 'audit').length;
    if (waiting < MAX_WAITING_AUDITS) attached.queue.push(work);
    else this.#fail(attached, work.header, new Error(say.thisDeviceHasAsMany));
    void this.#work();
  }

  /** Drops what is another device's now, or of an earlier round. */
  #heard(attached: Attachment, heard: Heard): void {
    attached.heard = heard;
    attached.queue = attached.queue.filter(({ header }) => header.type !== 'order' || isCurrent(heard, header.tag));
    if (this.#running !== null && !isCurrent(heard, this.#running)) void this.model.api.cancel();
  }

  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    try {
      for (;;) {
        await this.#answer();
        const attached = this.#attached;
        const work = attached === null ? undefined : nextWork(attached.queue);
        if (attached === null || work === undefined) {
          // Whoever heard an answer may have asked again before this went on.
          if (this.#questions.length > 0) continue;
          break;
        }
        if (isOfState(work)) await this.#keepUp(attached, work);
        else await this.#do(attached, work);
      }
    } finally {
      this.#working = false;
    }
  }

  async #do(attached: Attachment, { header, tensors }: Work): Promise<void> {
    try {
      if (header.type === 'order') await this.#order(attached, header, tensors);
      else if (header.type === 'audit') await this.#audit(attached, { header, tensors });
      else {
        const set = () => this.#setVersion(attached, header.version);
        await attached.link.send(await answerEvaluation(this.model, { header, tensors }, set));
      }
    } catch (error) {
      this.#fail(attached, header, error);
    }
  }

  async #keepUp(attached: Attachment, message: StateMessage): Promise<void> {
    if (message.header.type === 'state') {
      // Versions that were sent before may be of a state that was taken back.
      attached.parameters = { order: null, evaluate: null };
      this.model.stateReplaced();
    }
    const kept = await this.model.open(this.#keepingUp.take(message)).catch(() => false);
    if (!kept) this.#sayWhatIsHeld(attached);
  }

  /** So that the host gives the whole to a device that has nothing, and to no other. */
  #sayWhatIsHeld({ link }: Attachment): void {
    void link.send({ header: { type: 'holds', state: this.#keepingUp.held }, tensors: [] });
  }

  /** Says so to the host, where it still waits for this. */
  #fail(attached: Attachment, header: Work['header'], error: unknown): void {
    void this.model.lookAtClaim();
    if (attached !== this.#attached) return;
    if (header.type === 'order' && !isCurrent(attached.heard, header.tag)) return;
    const sentence = (error instanceof Error && error.message) || say.theDeviceCouldNotDo;
    const { tag } = header;
    void attached.link.send({ header: { type: 'failed', tag, sentence: sentence.slice(0, 400) }, tensors: [] });
  }

  async #answer(): Promise<void> {
    // A question stays in the list until it is answered: `close` refuses those that never will be.
    for (let next = this.#questions[0]; next !== undefined; next = this.#questions[0]) {
      const { batch, parameters, resolve, reject } = next;
      try {
        const { model } = this;
        const logits = await model.alone(async () => {
          await model.setParameters(parameters.values);
          return model.open(model.api.evaluate(batch));
        });
        resolve(logits);
      } catch (error) {
        reject(error);
      }
      this.#questions.shift();
    }
  }

  async #setVersion({ parameters }: Attachment, version: number): Promise<void> {
    const { order, evaluate } = parameters;
    const there = [order, evaluate].filter((one) => one !== null);
    const found = there.find((one) => one.version === version);
    if (found === undefined && this.#keepingUp.held?.version === version) {
      await this.model.setHeldParameters(version);
      return;
    }
    if (found === undefined) {
      const held = this.#keepingUp.held === null ? [] : [this.#keepingUp.held];
      const versions = [...there, ...held].map((one) => one.version).join(' and ');
      throw new Error(say.workIsForVersionBut(version, versions || 'none'));
    }
    await this.model.setParameters(found.values);
  }

  async #order(
    attached: Attachment,
    header: DataMessage<'order'>['header'],
    tensors: DataMessage<'order'>['tensors'],
  ): Promise<void> {
    const { tag, layers, head, microBatch, recompute, dropout } = header;
    const { link, uploads, bitsPerSecond } = attached;
    const { model } = this;
    const batch = receivedBatch(tensors, header.tokens);
    if (uploads.length >= MAX_UPLOADING_ORDERS) await uploads.shift();
    const isWanted = (): boolean => this.#attached === attached && isCurrent(attached.heard, tag);
    const pace = { bitsPerSecond: Math.max(1, header.share * bitsPerSecond) };
    const sends: Promise<void>[] = [];
    try {
      await model.alone(async () => {
        await this.#setVersion(attached, header.version);
        if (!isWanted()) return;
        this.#running = tag;
        await model.open(model.api.begin({ round: tag.round, batch, layers, head, microBatch, recompute, dropout }));
      });
      while (isWanted()) {
        const part = await model.open(model.api.next());
        if (part.kind === 'gradient') {
          const { block, gradient } = part;
          const key = { seed: dropout.seed, round: tag.round, block, position: batch.positions[0]! };
          const encoded = encodeUpload(gradient, model.settings.training.uploads, key);
          // Not awaited: the next layer is computed while this one travels. The link keeps the order.
          sends.push(link.send({ header: { type: 'gradient', tag, block }, tensors: encoded }, pace));
          continue;
        }
        this.#running = null;
        if (part.gaveOut) void model.lookAtClaim();
        const { computeSeconds } = part;
        this.#pace = { samples: batch.lengths.length, seconds: computeSeconds };
        const lossSum = Number.isFinite(part.lossSum) ? part.lossSum : null;
        void link.send({ header: { type: 'done', tag, lossSum, computeSeconds }, tensors: [] });
        uploads.push(Promise.all(sends));
        return;
      }
    } finally {
      // Left before its end: the worker takes no other order until this one is given up.
      if (this.#running !== null) {
        this.#running = null;
        await model.open(model.api.cancel());
      }
    }
  }

  /** So much of it as nobody waits for; what is left goes on when no order is there. */
  async #audit(attached: Attachment, work: DataMessage<'audit'>): Promise<void> {
    const begun = this.#audited?.work.header === work.header ? this.#audited : null;
    const audit = begun ?? new AuditAnswer(work);
    this.#audited = null;
    this.#auditing = true;
    try {
      const answer = await audit.next(this.model, sliceSamples(this.#pace));
      if (answer !== null) void attached.link.send(answer);
      else if (this.#attached === attached) {
        this.#audited = audit;
        attached.queue.unshift(work);
      }
    } finally {
      this.#auditing = false;
    }
  }
}

const isOfState = (queued: Queued): queued is StateMessage =>
  queued.header.type === 'state' || queued.header.type === 'update';
