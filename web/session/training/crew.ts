import type { DeviceView, RoomView } from '../../../signaling/protocol/room-view.ts';
import type { SessionSettings } from '../../../signaling/protocol/settings.ts';
import * as say from '../../words/session/training.ts';
import type { DeviceLinks } from '../rounds/device-links.ts';
import { awaited } from '../rounds/split/layout.ts';
import { holdsAll, isReady } from './ready.ts';

export interface CrewContext {
  readonly settings: SessionSettings;
  readonly deviceLinks: Pick<DeviceLinks, 'has'>;
  readonly room: () => RoomView | null;
}

/** Who is there to train, as the room and the host's own links say together. */
export class Crew {
  readonly #context: CrewContext;

  constructor(context: CrewContext) {
    this.#context = context;
  }

  get devices(): readonly DeviceView[] {
    return this.#context.room()?.devices ?? [];
  }

  get host(): string | null {
    return this.#context.room()?.host ?? null;
  }

  get plan(): RoomView['plan'] {
    return this.#context.room()?.plan ?? null;
  }

  /** The plan, where all stages that it may have are there with their runs. */
  get laidOut(): RoomView['plan'] {
    const { plan, devices } = this;
    const { deviceLinks } = this.#context;
    return plan !== null && awaited(plan, devices, (device) => deviceLinks.has(device)).length === 0 ? plan : null;
  }

  /** Devices that can do a whole model's work. */
  get ready(): readonly DeviceView[] {
    const { deviceLinks, settings } = this.#context;
    const { layers } = settings.shape;
    return this.devices.filter((one) => isReady(one) && holdsAll(one, layers) && deviceLinks.has(one.id));
  }

  get isManned(): boolean {
    return this.ready.length > 0 || this.laidOut !== null;
  }

  nameOf(id: string): string {
    return this.devices.find((device) => device.id === id)?.name ?? say.aDevice;
  }
}
