import type { DataMessage, TensorSizes } from '../../../signaling/protocol/exchange/data-messages.ts';
import type { FrameTensor } from '../../../signaling/protocol/exchange/frames.ts';
import type { StageHeader } from '../../../signaling/protocol/exchange/stage-messages.ts';
import { MAX_HIDDEN_SAMPLES } from '../../../signaling/protocol/limits.ts';
import type { OrderTag } from '../../../signaling/protocol/round.ts';
import * as say from '../../words/session/stages.ts';
import type { MessageLink } from '../links/message-link.ts';
import { tensorSizes } from '../links/tensor-sizes.ts';
import { type Heard, hearAbandoned, hearOrder, isCurrent, NOTHING_HEARD } from '../rounds/heard.ts';
import type { ModelWorker } from '../rounds/model-worker.ts';
import { Emitter } from '../world/emitter.ts';
import { type Early, EarlyHidden } from './cuts/early-hidden.ts';
import type { Beside, Side } from './cuts/neighbours.ts';
import { Outbox } from './cuts/outbox.ts';
import { Traffic } from './cuts/traffic.ts';
import { StageAudits, shownMessage } from './stage-audits.ts';
import { StageChunks } from './stage-chunks.ts';
import { StageRound } from './stage-round.ts';
import type { RunnerContext, StageRunner } from './stage-runner.ts';
import { StageRunners } from './stage-runners.ts';
import { StageVersions } from './stage-versions.ts';

/** Hidden states that may wait for their order, as rounds of the session's largest: one may be under way and the next one begun. */
const EARLY_ROUNDS = 2;

/** What chunks of evaluations may hold, as the session's longest messages. */
const MAX_CHUNKS_AS_MESSAGES = 4;

type Hidden = DataMessage<'hidden'>;

/** Links to neighbours, where there are any. */
export interface DirectLinks {
  /** Settles when it is on its way; null where there is no link to the device that this is for. */
  send(message: Hidden): Promise<void> | null;
  /** It said what no stage says. */
  lose(device: string, sentence: string): void;
}

export interface StageSeatContext {
  /** Who is host now. */
  readonly host: () => string | null;
  /** A worker for a run beside this device's own, within the memory that its own leaves; null where there is none to be had. */
  readonly secondModel: () => ModelWorker | null;
}

/** What belongs to one link to the host and goes with it. */
interface Attachment {
  readonly link: MessageLink;
  bitsPerSecond: number;
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
  readonly #context: StageSeatContext;
  readonly #sizes: TensorSizes;
  readonly #early: EarlyHidden;
  readonly #chunks: StageChunks;
  readonly #audits: StageAudits;
  readonly #outbox = new Outbox((message) => this.#send(message));
  readonly #beside = new Emitter<readonly Beside[]>();
  readonly traffic = new Traffic();
  /** Who is beside this device in the round under way, by stage of it, whenever that changes. */
  readonly onBeside = this.#beside.on;
  readonly #idle = new Emitter<void>();
  readonly #done = new Emitter<void>();
  /** An order is done. */
  readonly onDone = this.#done.on;
  direct: DirectLinks | null = null;
  #attached: Attachment | null = null;
  readonly #runners: StageRunners;

  constructor(self: string, model: ModelWorker, context: Partial<StageSeatContext> = {}) {
    this.#self = self;
    this.#context = { host: () => null, secondModel: () => null, ...context };
    this.#model = model;
    this.#runners = this.#newRunners(model);
    const { settings } = model;
    this.#sizes = tensorSizes(settings);
    const { samplesPerRound, maxTokens } = settings.training;
    const samples = Math.max(samplesPerRound, MAX_HIDDEN_SAMPLES);
    this.#early = new EarlyHidden(2 * EARLY_ROUNDS * samples * maxTokens * settings.shape.hiddenSize * 4);
    this.#audits = new StageAudits({
      model: () => (this.#runners.hasSecond ? null : this.#context.secondModel()),
      answer: (message) => this.#attached?.link.send(message) ?? Promise.resolve(),
    });
    this.#chunks = new StageChunks({
      self,
      model,
      say: (message) => this.#outbox.add(message),
      answer: (message) => void this.#attached?.link.send(message),
      onWrong: (device, sentence) => this.direct?.lose(device, sentence),
      maxBytes: MAX_CHUNKS_AS_MESSAGES * this.#sizes.toDeviceBytes,
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

  /** At which its link is known to carry from now on. */
  paceAt(bitsPerSecond: number): void {
    if (this.#attached !== null) this.#attached.bitsPerSecond = bitsPerSecond;
  }

  /** Settles when this device's own worker has no order under way. */
  quiet(): Promise<void> {
    if (this.#runners.own.isIdle) return Promise.resolve();
    return new Promise((resolve) => {
      const off = this.#idle.on(() => {
        if (!this.#runners.own.isIdle) return;
        off();
        resolve();
      });
    });
  }

  /** Hidden states that came over the link to a neighbour. */
  receive(message: Hidden, device: string): void {
    const { from, to } = message.header;
    if (from !== device || to !== this.#self) this.direct?.lose(device, say.aNeighbouringStageSpoke);
    // Of a pair whose words the host wants to see itself.
    else if (!this.#runners.rounds.some((round) => round.isRelayed(device)))
      this.#hear({ message, sender: device, isRelayed: false });
  }

  /** The link to a neighbour is new, or gone: what was on its way may be lost, and is said again. */
  again(device: string): void {
    for (const round of this.#runners.rounds)
      for (const side of ['below', 'above'] as const)
        if (round.neighbours[side]?.device === device) this.#sayAgain(round, side);
  }

  close(): void {
    this.#attached = null;
    this.#drop();
  }

  #drop(): void {
    this.#chunks.clear();
    this.#audits.clear();
    this.#early.clear();
    this.#outbox.keepOnly(() => false);
    this.#endWhere(() => true);
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
        this.#endWhere((round) => !isCurrent(heard, round.header.tag));
        return;
      }
      case 'abandon':
        attached.heard = hearAbandoned(attached.heard, header.tag);
        this.#endWhere((round) => !isCurrent(attached.heard, round.header.tag));
        return;
      case 'rewire':
        this.#rewire(header);
        return;
      case 'merged':
        this.#endWhere(({ header: { tag } }) => tag.term === header.term && tag.round <= header.round);
        return;
      case 'hidden':
        if (message.header.type === 'hidden')
          this.#hear({ message: { header, tensors }, sender: header.from, isRelayed: true });
        return;
      case 'show':
        this.#show(attached, header);
        return;
      case 'stage-audit':
        this.#audits.begin(header, tensors, this.#model.settings);
        return;
      case 'shown':
        this.#audits.take(header, tensors[0]);
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
    let runner: StageRunner;
    try {
      if (parameters === null) throw new Error(say.thisDeviceDoesNotHave(header.version));
      round = new StageRound(header, tensors, this.#model.settings.shape);
      runner = this.#runners.for(header.tag);
    } catch (error) {
      this.#fail(header, error);
      return;
    }
    runner.begin(round, parameters, {
      bitsPerSecond: attached.bitsPerSecond,
      send: (message, pace) => attached.link.send(message, pace),
    });
    this.#forgetSaid();
    this.#tellBeside();
  }

  #newRunners(model: ModelWorker): StageRunners {
    const context: RunnerContext = {
      self: this.#self,
      say: (message) => this.#outbox.add(message),
      sent: () => this.traffic.newlySent(),
      onBegun: () => this.#lookAgain(),
      onDone: () => this.#done.emit(),
      onFailed: (header, error) => this.#fail(header, error),
      onIdle: () => this.#idle.emit(),
    };
    return new StageRunners(model, context, () => {
      // Somebody waits for this, and for those nobody does.
      this.#audits.clear();
      return this.#context.secondModel();
    });
  }

  #endWhere(isOver: (round: StageRound) => boolean): void {
    this.#runners.endWhere(isOver);
    this.#forgetSaid();
  }

  /** What was said of orders that are over does not go any more. */
  #forgetSaid(): void {
    const rounds = this.#runners.rounds;
    this.#outbox.keepOnly(({ header }) => 'chunk' in header.of || rounds.some((round) => round.isSaying(header)));
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
    const runner = this.#runners.find((round) => round.isAddressed(message.header));
    if (runner === undefined) {
      if (this.#runners.rounds.every((round) => round.isBefore(message.header))) this.#early.keep(early);
      return;
    }
    const received = runner.receive(message, sender);
    if (received.kind === 'early') this.#early.keep(early);
    else if (received.kind === 'wrong' && !isRelayed) this.direct?.lose(sender, received.sentence);
  }

  #lookAgain(): void {
    for (const early of this.#early.takeAll()) this.#consider(early);
  }

  #rewire({ tag, side, neighbour }: StageHeader<'rewire'>): void {
    const round = this.#runners.rounds.find(({ header: { tag: own } }) => isSameTag(own, tag));
    if (round === undefined) return;
    round.neighbours[side] = neighbour;
    this.#tellBeside();
    this.#sayAgain(round, side);
  }

  #show({ link }: Attachment, { tag, side, direction }: StageHeader<'show'>): void {
    const round = this.#runners.rounds.find(({ header: { tag: own } }) => isSameTag(own, tag));
    if (round === undefined) return;
    for (const shown of round.shown(side, direction))
      void link.send(shownMessage(tag, side, direction, round.header.codec, shown));
  }

  #tellBeside(): void {
    this.#beside.emit(
      this.#runners.rounds.map(({ neighbours: { below, above } }) => ({
        below: below?.device ?? null,
        above: above?.device ?? null,
      })),
    );
  }

  #sayAgain(round: StageRound, side: Side): void {
    // What still waits to be said there is among it.
    const direction = side === 'above' ? 'up' : 'down';
    this.#outbox.keepOnly(({ header }) => header.direction !== direction || !round.isSaying(header));
    for (const message of round.again(side, this.#self)) this.#outbox.add(message);
  }

  /** The link to the host is the host's own. */
  #isWithHost(device: string): boolean {
    const host = this.#context.host();
    return host === device || host === this.#self;
  }

  #send(message: Hidden): Promise<void> {
    const bytes = message.tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const { to } = message.header;
    if (to === this.#self) {
      // The stage beside this one is this device's own.
      this.#consider({ message, sender: to, isRelayed: true });
      return Promise.resolve();
    }
    const isRelayed = this.#runners.rounds.some((round) => round.isSaying(message.header) && round.isRelayed(to));
    const direct = isRelayed ? null : (this.direct?.send(message) ?? null);
    this.traffic.sent(to, bytes, direct === null && !this.#isWithHost(to));
    return direct ?? this.#attached?.link.send(message) ?? Promise.resolve();
  }

  /** Says so to the host, where it still waits for this. */
  #fail({ tag }: StageHeader<'stage-order'>, error: unknown): void {
    void this.#model.lookAtClaim();
    const attached = this.#attached;
    if (attached === null || !isCurrent(attached.heard, tag)) return;
    const sentence = (error instanceof Error && error.message) || say.theDeviceCouldNotDo;
    void attached.link.send({ header: { type: 'failed', tag, sentence: sentence.slice(0, 400) }, tensors: [] });
  }
}

const isSameTag = (a: OrderTag, b: OrderTag): boolean =>
  a.term === b.term && a.round === b.round && a.order === b.order && a.epoch === b.epoch;
