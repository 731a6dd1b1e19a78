import { MAX_DEVICES_IN_ROOM } from '../../signaling/protocol/limits.ts';
import type { Introduction } from '../../signaling/protocol/messages.ts';
import type { RoomView } from '../../signaling/protocol/room-view.ts';
import type { SessionSettings } from '../../signaling/protocol/settings.ts';
import { ChannelLink, type LinkChannel } from './links/channel-link.ts';
import { answerProbes } from './links/link-probe.ts';
import { type AddressWorld, PeerAddress } from './links/peer-links.ts';
import type { RoomClient } from './links/room-client.ts';
import { tensorSizes } from './links/tensor-sizes.ts';
import type { DeviceLinks } from './rounds/device-links.ts';
import type { ViewStore } from './view/view-store.ts';
import { Ending } from './world/ending.ts';
import { messageOf } from './world/with-progress.ts';

/** A tab may reach the host before the room has told the host of its address. */
const INTRODUCTION_MS = 10_000;
/** Links that may be opening at once; the rest are closed, and try again. */
const MAX_OPENING_LINKS = 2 * MAX_DEVICES_IN_ROOM;

export interface HostLinksContext {
  readonly environment: AddressWorld;
  readonly settings: SessionSettings;
  readonly client: Pick<RoomClient, 'send'>;
  readonly deviceLinks: DeviceLinks;
  readonly store: ViewStore;
}

/** The host's side of the links to devices: its address, who is let in, and what the room is told of them. */
export class HostLinks {
  readonly #context: HostLinksContext;
  readonly #address: PeerAddress;
  #opening = 0;
  readonly #ending = new Ending();

  constructor(context: HostLinksContext) {
    this.#context = context;
    const { client, deviceLinks, store } = context;
    this.#address = new PeerAddress(context.environment);
    this.#address.onIncoming(({ peerId, channel }) => void this.#welcome(peerId, channel));
    deviceLinks.onEvent((event) => {
      if (event.type === 'message') return;
      client.send({ type: 'linked', device: event.device, linked: event.type === 'attached' });
      if (event.type === 'detached' && !this.#closed)
        store.notice('news', `The link to ${this.#nameOf(event.device)} is down: ${event.why}`);
    });
  }

  /** The room says how this tab can be reached. */
  introduce(introduction: Introduction): void {
    this.#address.introduce(introduction);
  }

  /** The server forgets links when it restarts, and the room tells us of devices that are gone for good. */
  reconcile(room: RoomView): void {
    const { deviceLinks, client } = this.#context;
    for (const { id, linked, online } of room.devices) {
      const open = deviceLinks.has(id);
      deviceLinks.doubt(id, !online);
      if (id !== room.host && linked !== open) client.send({ type: 'linked', device: id, linked: open });
    }
  }

  close(): void {
    this.#ending.end('The session is over.');
    this.#context.deviceLinks.closeAll();
    this.#address.close();
  }

  get #closed(): boolean {
    return this.#ending.why !== null;
  }

  /** Accepts a link only from an address that the room knows as one of its devices. */
  async #welcome(peerId: string, opening: Promise<LinkChannel>): Promise<void> {
    const { deviceLinks, settings, store } = this.#context;
    if (this.#opening >= MAX_OPENING_LINKS) {
      opening.then(
        (channel) => channel.close(),
        () => undefined,
      );
      return;
    }
    this.#opening++;
    try {
      const [channel, device] = await Promise.all([opening, this.#deviceAt(peerId)]);
      if (device === null || this.#closed) return channel.close();
      const link = new ChannelLink(channel, tensorSizes(settings), 'host');
      answerProbes(link);
      deviceLinks.attach(device, link);
    } catch (error) {
      if (!this.#closed) store.notice('news', `A device could not be linked: ${messageOf(error)}`);
    } finally {
      this.#opening--;
    }
  }

  #deviceAt(peerId: string): Promise<string | null> {
    const { store } = this.#context;
    const find = (): string | null => store.view.room?.devices.find((d) => d.peerId === peerId)?.id ?? null;
    const known = find();
    if (known !== null) return Promise.resolve(known);
    return new Promise((resolve) => {
      const settle = (device: string | null): void => {
        clearTimeout(timer);
        for (const off of offs) off();
        resolve(device);
      };
      const timer = setTimeout(() => settle(null), INTRODUCTION_MS);
      const offs = [
        store.subscribe(() => {
          const device = find();
          if (device !== null) settle(device);
        }),
        this.#ending.on(() => settle(null)),
      ];
    });
  }

  #nameOf(device: string): string {
    return this.#context.store.view.room?.devices.find((d) => d.id === device)?.name ?? 'a device';
  }
}
