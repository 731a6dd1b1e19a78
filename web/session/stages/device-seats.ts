import type { DeviceStatus } from '../../../signaling/protocol/room-view.ts';
import type { SessionSettings } from '../../../signaling/protocol/settings.ts';
import type { MessageLink } from '../links/message-link.ts';
import type { SeatWorld } from '../rounds/model-worker.ts';
import { TrainerSeat } from '../rounds/trainer-seat.ts';
import { type HolderContext, RunHolder } from './run-holder.ts';
import { StageSeat } from './stage-seat.ts';

interface SeatsContext extends Omit<HolderContext, 'seat' | 'stages'> {
  readonly settings: SessionSettings;
  readonly onStatus: (status: DeviceStatus) => void;
}

/** Everything that a device does for a session: one worker, orders for the whole model, stages of a split one, and what of it is held. */
export class DeviceSeats {
  readonly trainer: TrainerSeat;
  readonly stages: StageSeat;
  readonly #holder: RunHolder;

  constructor(world: SeatWorld, context: SeatsContext) {
    this.trainer = new TrainerSeat(world, context.settings, context.onStatus);
    this.stages = new StageSeat(context.self, this.trainer.model, () => context.room()?.host ?? null);
    this.#holder = new RunHolder({ ...context, seat: this.trainer, stages: this.stages });
  }

  /** Measures the device, and loads what the room needs of it. */
  begin(): void {
    this.#holder.begin();
  }

  /** Takes work from this link from now on. */
  attach(link: MessageLink, bitsPerSecond: number): void {
    this.trainer.attach(link, bitsPerSecond);
    this.stages.attach(link, bitsPerSecond);
  }

  roomChanged(): void {
    this.#holder.roomChanged();
  }

  close(): void {
    this.#holder.close();
    this.stages.close();
    this.trainer.close();
  }
}
