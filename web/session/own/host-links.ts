import { bytesToHex } from '@noble/hashes/utils.js';
import { proofKeyOf } from '../../../signaling/protocol/door/secret.ts';
import { MAX_DEVICES_IN_ROOM } from '../../../signaling/protocol/limits.ts';
import type { RoomIntroduction } from '../../../signaling/protocol/messages.ts';
import type { RoomView } from '../../../signaling/protocol/room-view.ts';
import type { SessionSettings } from '../../../signaling/protocol/settings.ts';
import * as say from '../../words/session/own.ts';
import { answerProbes } from '../links/link-probe.ts';
import type { MessageLink } from '../links/message-link.ts';
import { openLink } from '../links/open-link.ts';
import type { OpenConnection } from '../links/peer-connection.ts';
import { type AddressWorld, type Incoming, PeerAddress } from '../links/peer-links.ts';
import type { RoomClient } from '../links/room-client.ts';
import { tensorSizes } from '../links/tensor-sizes.ts';
import type { DeviceLinks } from '../rounds/device-links.ts';
import { watchLink } from '../transport/link-state.ts';
import type { ViewStore } from '../view/view-store.ts';
import { Allowance, type Rate } from '../world/allowance.ts';
import { Ending } from '../world/ending.ts';
import type { SessionEnvironment } from '../world/environment.ts';
import { messageOf } from '../world/with-progress.ts';
import type { OwnDoor } from './own-door.ts';

/** A tab may reach the host before the room has told the host of its address. */
const INTRODUCTION_MS = 10_000;
/** Links that may be opening at once; the rest are closed, and try again. */
const MAX_OPENING_LINKS = 2 * MAX_DEVICES_IN_ROOM;
/** The same of one device: it may have given up an attempt that this side still waits for. */
const MAX_OPENING_OF_ONE = 3;
/** Links that one device may ask for; each costs the host some milliseconds, and a few messages more. */
const LINK_RATE: Rate = { burst: 10, perSecond: 1 / 6 };
/** Links that did not come about are told of so often, of one device. */
const TROUBLE_RATE: Rate = { burst: 2, perSecond: 1 / 60 };
/** Devices of which that is remembered. */
const MAX_KNOWN_CALLERS = 4 * MAX_DEVICES_IN_ROOM;
/** Of the key by which a device is known on later links after the digits were compared. */
const COMPARED_KEY_BYTES = 32;

export interface HostLinksContext {
  readonly environment: AddressWorld & Pick<SessionEnvironment, 'randomBytes'>;
  readonly entrance: Pick<OwnDoor, 'secret' | 'standing'>;
  readonly settings: SessionSettings;
  readonly client: Pick<RoomClient, 'send'>;
  readonly deviceLinks: DeviceLinks;
  readonly store: ViewStore;
  /** A device has a link; it may be asked for, or ask for, the model's files. */
  readonly onLinked: (device: string, link: MessageLink) => void;
}

/** The host's side of the links to devices: its address, who is let in, and what the room is told of them. */
export class HostLinks {
  readonly #context: HostLinksContext;
  readonly #address: PeerAddress;
  /** Links that are opening, by PeerJS id. */
  readonly #opening = new Map<string, number>();
  /** By PeerJS id, the latest last. */
  readonly #callers = new Map<string, { readonly links: Allowance; readonly troubles: Allowance }>();
  readonly #proofKey: Uint8Array;
  /** Of devices whose digits were compared. */
  readonly #compared = new Map<string, Uint8Array>();
  readonly #ending = new Ending();

  constructor(context: HostLinksContext) {
    this.#context = context;
    const { client, deviceLinks, store } = context;
    this.#proofKey = proofKeyOf(context.entrance.secret);
    this.#address = new PeerAddress(context.environment, (incoming) => void this.#welcome(incoming));
    deviceLinks.onEvent((event) => {
      if (event.type === 'message') return;
      client.send({ type: 'linked', device: event.device, linked: event.type === 'attached' });
      if (event.type === 'detached') store.dispatch({ type: 'proof', device: event.device, proof: null });
      if (event.type === 'detached' && !this.#closed)
        store.notice('news', say.theLinkToIsDown(this.#nameOf(event.device), event.why));
    });
  }

  /** The room says how this tab can be reached. */
  introduce(introduction: RoomIntroduction): void {
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

  /** The network is another one. */
  moved(): void {
    this.#address.ask();
    this.#context.deviceLinks.askAll();
  }

  close(): void {
    this.#ending.end(say.theSessionIsOver);
    this.#context.deviceLinks.closeAll();
    this.#address.close();
  }

  get #closed(): boolean {
    return this.#ending.why !== null;
  }

  /** The host's person has compared the digits, and they were the same: the device is known by a key of its own on later links. */
  compared(device: string): void {
    const { deviceLinks, environment, store } = this.#context;
    if (store.view.proofs[device]?.proof !== 'not proven') return;
    const key = environment.randomBytes(COMPARED_KEY_BYTES);
    this.#compared.set(device, key);
    deviceLinks.tell(device, { type: 'compared', key: bytesToHex(key) });
    store.dispatch({ type: 'proof', device, proof: { proof: 'compared', digits: null } });
  }

  /** Accepts a link only from an address that the room knows as one of its devices. */
  async #welcome(incoming: Incoming): Promise<void> {
    const { peerId } = incoming;
    const { store } = this.#context;
    const ofOne = this.#opening.get(peerId) ?? 0;
    const all = [...this.#opening.values()].reduce((sum, count) => sum + count, 0);
    const caller = this.#caller(peerId);
    if (all >= MAX_OPENING_LINKS || ofOne >= MAX_OPENING_OF_ONE || !caller.links.spend(performance.now())) {
      incoming.refuse();
      return;
    }
    this.#opening.set(peerId, ofOne + 1);
    try {
      const [connection, device] = await Promise.all([incoming.open(), this.#deviceAt(peerId)]);
      if (device === null || this.#closed) connection.close();
      else await this.#link(connection, device);
    } catch (error) {
      if (!this.#closed && caller.troubles.spend(performance.now()))
        store.notice('news', say.aDeviceCouldNot(messageOf(error)));
    } finally {
      const left = (this.#opening.get(peerId) ?? 1) - 1;
      if (left > 0) this.#opening.set(peerId, left);
      else this.#opening.delete(peerId);
    }
  }

  #caller(peerId: string) {
    const nowMs = performance.now();
    const caller = this.#callers.get(peerId) ?? {
      links: new Allowance(LINK_RATE, nowMs),
      troubles: new Allowance(TROUBLE_RATE, nowMs),
    };
    this.#callers.delete(peerId);
    this.#callers.set(peerId, caller);
    for (const oldest of this.#callers.keys()) {
      if (this.#callers.size <= MAX_KNOWN_CALLERS) break;
      this.#callers.delete(oldest);
    }
    return caller;
  }

  async #link(connection: OpenConnection, device: string): Promise<void> {
    const { deviceLinks, environment, entrance, settings, store } = this.#context;
    const how = entrance.standing(device);
    const room = store.view.room?.id;
    if (how === 'removed' || room === undefined) {
      connection.close();
      return;
    }
    const compared = this.#compared.get(device);
    const { link, proof, digits } = await openLink(
      connection,
      tensorSizes(settings),
      {
        own: 'host',
        room,
        host: store.view.self,
        device,
        keys: { secret: this.#proofKey, ...(compared && { compared }) },
        expected: how === 'must prove',
      },
      environment.randomBytes,
    );
    if (this.#closed || entrance.standing(device) === 'removed') return link.close();
    answerProbes(link);
    deviceLinks.attach(device, link);
    this.#context.onLinked(device, link);
    store.dispatch({ type: 'proof', device, proof: { proof, digits } });
    watchLink(connection.counts, link.onClose, (state) => store.dispatch({ type: 'link', device, state }));
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
    return this.#context.store.view.room?.devices.find((d) => d.id === device)?.name ?? say.aDevice;
  }
}
