import { memoryLeft } from '../../../signaling/protocol/pipeline/memory-left.ts';
import type { DeviceStatus } from '../../../signaling/protocol/room-view.ts';
import type { SessionSettings } from '../../../signaling/protocol/settings.ts';
import { bytesText } from '../../../signaling/protocol/words/quantities.ts';
import type { Pretence } from '../../../worker/api/device-api.ts';
import * as say from '../../words/session/stages.ts';
import { ModelExchange } from '../chunks/model-exchange.ts';
import type { MessageLink } from '../links/message-link.ts';
import { type Fresh, type KnownLink, MeasuringAgain } from '../measuring/measuring-again.ts';
import { type Measured, ModelWorker, type SeatWorld } from '../rounds/model-worker.ts';
import { TrainerSeat } from '../rounds/trainer-seat.ts';
import { type HolderContext, RunHolder } from './run-holder.ts';
import { StageSeat } from './stage-seat.ts';

/** Whose seats they are. */
export type SeatsOwner = Pick<
  SeatsContext,
  | 'slowdown'
  | 'room'
  | 'isHost'
  | 'onStatus'
  | 'onMeasured'
  | 'onFresh'
  | 'onHolds'
  | 'onStanding'
  | 'onFailed'
  | 'onNews'
>;

interface SeatsContext extends Omit<HolderContext, 'seat' | 'stages'> {
  readonly settings: SessionSettings;
  /** They are the seats of the device that leads the session. */
  readonly isHost: boolean;
  readonly onStatus: (status: DeviceStatus) => void;
  /** It measured itself again, as no work came in between; `best` is the quickest that it ever measured. */
  readonly onFresh: (fresh: Fresh, best: Measured) => void;
  /** A sentence for the device's person. */
  readonly onNews: (sentence: string) => void;
  /** What the device is made out to be; null, or absent, for what it is. */
  readonly pretence?: Pretence | null;
}

/** Everything that a device does for a session: one worker, orders for the whole model, stages of a split one, and what of it is held. */
export class DeviceSeats {
  readonly trainer: TrainerSeat;
  readonly stages: StageSeat;
  readonly exchange: ModelExchange;
  readonly #holder: RunHolder;
  #owner: SeatsOwner;
  #measured: Measured | null = null;
  #link: KnownLink | null = null;
  readonly #again: MeasuringAgain;

  constructor(world: SeatWorld, context: SeatsContext) {
    const { self, settings, slowdown, pretence = null } = context;
    this.#owner = context;
    this.trainer = new TrainerSeat(world, settings, (status) => this.#owner.onStatus(status));
    if (pretence !== null) void this.trainer.model.pretend(pretence).catch(() => undefined);
    const { model } = this.trainer;
    this.exchange = new ModelExchange({
      ...{ self, settings, origin: world.origin, chunks: model.api.chunks },
      room: () => this.#owner.room(),
      isHost: () => this.#owner.isHost,
    });
    model.sharing = this.exchange;
    model.onRestated((measured) => this.#gaveOut(measured));
    this.stages = new StageSeat(self, this.trainer.model, {
      host: () => this.#owner.room()?.host ?? null,
      secondModel: () => this.#secondModel(world, context),
    });
    this.#holder = new RunHolder({
      ...{ self, slowdown, seat: this.trainer, stages: this.stages },
      room: () => this.#owner.room(),
      onMeasured: (measured) => {
        this.#measured = measured;
        this.#owner.onMeasured(measured);
      },
      onHolds: (run) => this.#owner.onHolds(run),
      onStanding: (status) => this.#owner.onStanding(status),
      onFailed: (sentence) => this.#owner.onFailed(sentence),
    });
    this.#again = new MeasuringAgain({
      self,
      room: () => this.#owner.room(),
      link: () => this.#link,
      measure: () => this.trainer.model.measureAgain(),
      onFresh: (fresh) => this.#fresh(fresh),
    });
  }

  /** The next plan asks less of it. */
  #gaveOut(measured: Measured): void {
    this.#measured = measured;
    this.#owner.onMeasured(measured);
    this.#owner.onNews(say.thisDeviceRanOut(bytesText(measured.memory.limitBytes)));
  }

  #fresh(fresh: Fresh): void {
    const { bitsPerSecond = fresh.linkBitsPerSecond } = this.#link ?? {};
    if (this.#link !== null) this.#link = { ...this.#link, bitsPerSecond: fresh.linkBitsPerSecond };
    if (bitsPerSecond !== fresh.linkBitsPerSecond)
      for (const seat of [this.trainer, this.stages]) seat.paceAt(fresh.linkBitsPerSecond);
    if (this.#measured === null || wholeSeconds(fresh.measured) < wholeSeconds(this.#measured))
      this.#measured = fresh.measured;
    this.#owner.onFresh(fresh, this.#measured);
  }

  /** They go on as somebody else's, with the model that they have. Null where they are not measured yet. */
  handTo(owner: SeatsOwner): { readonly measured: Measured; readonly standing: DeviceStatus } | null {
    this.#owner = owner;
    return this.#measured && { measured: this.#measured, standing: this.#holder.standing };
  }

  /** Measures the device, and loads what the room needs of it. */
  begin(): void {
    this.#holder.begin();
  }

  /** What it states of itself changes with it, where it has measured itself. */
  async pretend(pretence: Pretence): Promise<void> {
    const measured = await this.trainer.model.pretend(pretence);
    if (measured === null || this.#measured === null) return;
    this.#measured = measured;
    this.#owner.onMeasured(measured);
  }

  /** Takes work from this link from now on, at that rate. */
  attach<Link extends MessageLink>(link: Link, bitsPerSecond: number): Link {
    const isNew = this.#link?.link !== link;
    this.#link = { link, bitsPerSecond };
    for (const seat of [this.trainer, this.stages])
      if (isNew) seat.attach(link, bitsPerSecond);
      else seat.paceAt(bitsPerSecond);
    return link;
  }

  roomChanged(): void {
    this.#holder.roomChanged();
    this.#again.roomChanged();
  }

  /** For a run beside this device's own, within what its own leaves of the memory. */
  #secondModel(world: SeatWorld, { self, settings, slowdown }: SeatsContext): ModelWorker | null {
    const measured = this.#measured;
    if (measured === null) return null;
    const profile = { ...measured, linkBitsPerSecond: 1 };
    const left = memoryLeft(self, profile, this.#owner.room()?.plan ?? null, settings);
    return left <= 0
      ? null
      : new ModelWorker({ ...world, memoryLimitBytes: left }, settings, () => undefined, slowdown);
  }

  close(): void {
    this.#again.close();
    this.#holder.close();
    this.stages.close();
    this.trainer.close();
  }
}

/** What decides which of two measurements of a device is the quicker one. */
const wholeSeconds = ({ overheadSeconds, secondsPerSample }: Measured): number =>
  overheadSeconds + secondsPerSample.forwardPerLayer + secondsPerSample.backwardPerLayer;
