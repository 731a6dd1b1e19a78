import type { DataMessage, TensorSizes } from '../../../signaling/protocol/exchange/data-messages.ts';
import type { FrameTensor } from '../../../signaling/protocol/exchange/frames.ts';
import type { StageHeader } from '../../../signaling/protocol/exchange/stage-messages.ts';
import { MAX_HIDDEN_SAMPLES } from '../../../signaling/protocol/limits.ts';
import type { StageParameters } from '../../../worker/api/stage-api.ts';
import type { MessageLink } from '../links/message-link.ts';
import { tensorSizes } from '../links/tensor-sizes.ts';
import { type Heard, hearAbandoned, hearOrder, isCurrent, NOTHING_HEARD } from '../rounds/heard.ts';
import type { ModelWorker } from '../rounds/model-worker.ts';
import { Emitter } from '../world/emitter.ts';
import { type Early, EarlyHidden } from './early-hidden.ts';
import type { Beside, Side } from './neighbours.ts';
import { Outbox } from './outbox.ts';
import { PassReport } from './pass-report.ts';
import { StageChunks } from './stage-chunks.ts';
import { StageRound } from './stage-round.ts';
import { StageVersions } from './stage-versions.ts';
import { Traffic } from './traffic.ts';

/** Hidden states that may wait for their order, as rounds of the session's largest: one may be under way and the next one begun. */
const EARLY_ROUNDS = 2;

type Hidden = DataMessage<'hidden'>;

/** Links to neighbours, where there are any. */
export interface DirectLinks {
  /** Settles when it is on its way; null where there is no link to the device that this is for. */
  send(message: Hidden): Promise<void> | null;
  /** It said what no stage says. */
  lose(device: string, sentence: string): void;
}

/** What belongs to one link to the host and goes with it. */
interface Attachment {
  readonly link: MessageLink;
  readonly bitsPerSecond: number;
  heard: Heard;
  readonly versions: StageVersions;
}

/**
 * A device's part in a split room: the stage that it is in each round. What its neighbours say goes to the worker and what the worker makes
 * goes to them, directly or by way of the host. What was said is kept until the round is merged: where a neighbour is lost, the next one gets it again.
 * What is of another epoch, round or term, or came before, is dropped.
 */
export class StageSeat {
  readonly #self: string;
  readonly #model: ModelWorker;
  readonly #host: () => string | null;
  readonly #sizes: TensorSizes;
  readonly #early: EarlyHidden;
  readonly #chunks: StageChunks;
  readonly #outbox = new Outbox((message) => this.#send(message));
  readonly #beside = new Emitter<Beside>();
  readonly traffic = new Traffic();
  /** Who is beside this device in the round under way, whenever that changes. */
  readonly onBeside = this.#beside.on;
  readonly #idle = new Emitter<void>();
  readonly #done = new Emitter<void>();
  /** An order is done. */
  readonly onDone = this.#done.on;
  direct: DirectLinks | null = null;
  #attached: Attachment | null = null;
  #round: StageRound | null = null;
  /** Those whose work has begun and not ended. */
  #going = 0;
  /** The round that the worker was told to begin; and the one that it has begun, which takes what neighbours say. */
  #running: StageRound | null = null;
  #begun: StageRound | null = null;

  /** `host` tells who is host now. */
  constructor(self: string, model: ModelWorker, host: () => string | null = () => null) {
    this.#self = self;
    this.#host = host;
    this.#model = model;
    const { settings } = model;
    this.#sizes = tensorSizes(settings);
    const { samplesPerRound, maxTokens } = settings.training;
    const samples = Math.max(samplesPerRound, MAX_HIDDEN_SAMPLES);
    this.#early = new EarlyHidden(2 * EARLY_ROUNDS * samples * maxTokens * settings.shape.hiddenSize * 4);
    this.#chunks = new StageChunks({
      self,
      model,
      say: (message) => this.#outbox.add(message),
      answer: (message) => void this.#attached?.link.send(message),
      onWrong: (device, sentence) => this.direct?.lose(device, sentence),
    });
  }

  /** Takes orders from this link from now on; those of an earlier link are dropped, the host has given them to others. */
  attach(link: MessageLink, bitsPerSecond: number): void {
    this.#drop();
    const attached: Attachment = {
      link,
      bitsPerSecond,
      heard: NOTHING_HEARD,
      versions: new StageVersions(this.#sizes),
    };
    this.#attached = attached;
    link.onMessage((message) => {
      if (this.#attached === attached) this.#take(attached, message);
    });
    link.onClose(() => {
      if (this.#attached !== attached) return;
      this.#attached = null;
      this.#drop();
    });
  }

  /** Settles when no order is under way. */
  quiet(): Promise<void> {
    if (this.#going === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const off = this.#idle.on(() => {
        off();
        resolve();
      });
    });
  }

  /** Hidden states that came over the link to a neighbour. */
  receive(message: Hidden, device: string): void {
    const { from, to } = message.header;
    if (from !== device || to !== this.#self) this.direct?.lose(device, 'A neighbouring stage spoke for another one.');
    else this.#hear({ message, sender: device, isRelayed: false });
  }

  /** The link to a neighbour is new, or gone: what was on its way may be lost, and is said again. */
  again(device: string): void {
    for (const side of ['below', 'above'] as const)
      if (this.#round?.neighbours[side]?.device === device) this.#sayAgain(this.#round, side);
  }

  close(): void {
    this.#attached = null;
    this.#drop();
  }

  #drop(): void {
    this.#chunks.clear();
    this.#early.clear();
    this.#outbox.keepOnly(() => false);
    this.#end();
  }

  /** What is kept of the round goes; a worker that is still at it stops. */
  #end(): void {
    this.#round = null;
    this.#outbox.keepOnly(({ header: { of } }) => 'chunk' in of);
    if (this.#running !== null) void this.#model.api.cancel();
  }

  #take(attached: Attachment, message: DataMessage): void {
    const { header, tensors } = message;
    switch (header.type) {
      case 'order':
      case 'stage-order': {
        const heard = hearOrder(attached.heard, header.tag);
        if (heard === null) return;
        attached.heard = heard;
        if (header.type === 'stage-order') this.#begin(attached, header, tensors);
        else if (this.#round !== null && !isCurrent(heard, this.#round.header.tag)) this.#end();
        return;
      }
      case 'abandon':
        attached.heard = hearAbandoned(attached.heard, header.tag);
        if (this.#round !== null && !isCurrent(attached.heard, this.#round.header.tag)) this.#end();
        return;
      case 'rewire':
        this.#rewire(header);
        return;
      case 'merged': {
        const tag = this.#round?.header.tag;
        if (tag !== undefined && tag.term === header.term && tag.round <= header.round) this.#end();
        return;
      }
      case 'hidden':
        if (message.header.type === 'hidden')
          this.#hear({ message: { header, tensors }, sender: header.from, isRelayed: true });
        return;
      case 'stage-evaluate':
        this.#chunks.begin(header, tensors, attached.versions.take(header, tensors));
        this.#lookAgain();
        return;
      default:
        return;
    }
  }

  #begin(attached: Attachment, header: StageHeader<'stage-order'>, tensors: readonly FrameTensor[]): void {
    const parameters = attached.versions.take(header, tensors);
    let round: StageRound;
    try {
      if (parameters === null)
        throw new Error(`This device does not have version ${header.version} of its parameters.`);
      round = new StageRound(header, tensors, this.#model.settings.shape);
    } catch (error) {
      this.#fail(attached, header, error);
      return;
    }
    this.#end();
    this.#round = round;
    this.#tellBeside(round);
    this.#going++;
    this.#run(attached, round, parameters)
      .catch((error: unknown) => this.#fail(attached, header, error))
      .finally(() => {
        if (--this.#going === 0) this.#idle.emit();
      });
  }

  async #run(attached: Attachment, round: StageRound, parameters: StageParameters): Promise<void> {
    const model = this.#model;
    const { link, bitsPerSecond } = attached;
    const { tag, share } = round.header;
    const isWanted = (): boolean => this.#attached === attached && this.#round === round;
    const report = new PassReport((passes) => {
      if (isWanted()) void link.send({ header: { type: 'passed', tag, passes: [...passes] }, tensors: [] });
    });
    const pace = { bitsPerSecond: Math.max(1, share * bitsPerSecond) };
    try {
      await model.hold(round.order.run);
      await model.alone(async () => {
        await model.open(model.api.cancel());
        if (!isWanted()) return;
        await model.setStageParameters(parameters);
        if (!isWanted()) return;
        this.#running = round;
        await model.open(model.api.beginStage(round.order));
        this.#begun = round;
      });
      if (!isWanted()) return;
      this.#lookAgain();
      for (;;) {
        const part = await model.open(model.api.nextOfStage());
        if (!isWanted()) return;
        if (part.kind === 'passed') report.add(part);
        else if (part.kind === 'gradient')
          void link.send({ header: { type: 'gradient', tag, block: part.block }, tensors: [part.gradient] }, pace);
        else if (part.kind === 'done') {
          this.#running = null;
          report.flush();
          const lossSum = Number.isFinite(part.lossSum) ? part.lossSum : null;
          const { computeSeconds } = part;
          const sent = this.traffic.newlySent();
          void link.send({ header: { type: 'done', tag, lossSum, computeSeconds, sent }, tensors: [] });
          this.#done.emit();
          return;
        } else {
          const message = round.say(part, this.#self);
          if (message === null) throw new Error('Hidden states are not finite numbers any more.');
          this.#outbox.add(message);
        }
      }
    } catch (error) {
      if (isWanted()) throw error;
    } finally {
      report.stop();
      // Left before its end: the worker takes nothing else until this one is given up.
      if (this.#running === round) {
        this.#running = null;
        await model.open(model.api.cancel());
      }
    }
  }

  #hear(early: Early): void {
    const { message, sender, isRelayed } = early;
    const bytes = message.tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
    this.traffic.received(sender, bytes, isRelayed && !this.#isWithHost(sender));
    this.#consider(early);
  }

  #consider(early: Early): void {
    const { message, sender, isRelayed } = early;
    if ('chunk' in message.header.of) {
      if (!this.#chunks.receive(message, sender)) this.#early.keep(early);
      return;
    }
    const round = this.#round;
    // Before its passes have begun, too: what comes then waits with what is early.
    if (round === null || this.#begun !== round) {
      if (round === null || round.isWaitingFor(message)) this.#early.keep(early);
      return;
    }
    const received = round.receive(message, sender);
    if (received.kind === 'early') this.#early.keep(early);
    else if (received.kind === 'given') void this.#model.api.give(received.values).catch(() => undefined);
    else if (received.kind === 'wrong' && !isRelayed) this.direct?.lose(sender, received.sentence);
  }

  #lookAgain(): void {
    for (const early of this.#early.takeAll()) this.#consider(early);
  }

  #rewire({ tag, side, neighbour }: StageHeader<'rewire'>): void {
    const round = this.#round;
    const own = round?.header.tag;
    const isMine =
      own !== undefined &&
      own.term === tag.term &&
      own.round === tag.round &&
      own.order === tag.order &&
      own.epoch === tag.epoch;
    if (round === null || !isMine) return;
    round.neighbours[side] = neighbour;
    this.#tellBeside(round);
    this.#sayAgain(round, side);
  }

  #tellBeside({ neighbours: { below, above } }: StageRound): void {
    this.#beside.emit({ below: below?.device ?? null, above: above?.device ?? null });
  }

  #sayAgain(round: StageRound, side: Side): void {
    for (const message of round.again(side, this.#self)) this.#outbox.add(message);
  }

  /** The link to the host is the host's own. */
  #isWithHost(device: string): boolean {
    const host = this.#host();
    return host === device || host === this.#self;
  }

  #send(message: Hidden): Promise<void> {
    const bytes = message.tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const { to } = message.header;
    const direct = this.direct?.send(message) ?? null;
    this.traffic.sent(to, bytes, direct === null && !this.#isWithHost(to));
    return direct ?? this.#attached?.link.send(message) ?? Promise.resolve();
  }

  /** Says so to the host, where it still waits for this. */
  #fail(attached: Attachment, { tag }: StageHeader<'stage-order'>, error: unknown): void {
    if (attached !== this.#attached || !isCurrent(attached.heard, tag)) return;
    if (this.#round?.header.tag === tag) this.#round = null;
    const sentence = (error instanceof Error && error.message) || 'The device could not do its part.';
    void attached.link.send({ header: { type: 'failed', tag, sentence: sentence.slice(0, 400) }, tensors: [] });
  }
}
