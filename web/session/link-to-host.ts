import { hexToBytes } from '@noble/hashes/utils.js';
import type { DataMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import type { RoomView } from '../../signaling/protocol/room-view.ts';
import * as say from '../words/session/session.ts';
import type { ChannelLink, Opened } from './links/channel-link.ts';
import { openLink } from './links/open-link.ts';
import type { PeerAddress } from './links/peer-links.ts';
import { tensorSizes } from './links/tensor-sizes.ts';
import { type LinkState, watchLink } from './transport/link-state.ts';
import { Unreachable } from './transport/unreachable.ts';
import type { SessionEnvironment } from './world/environment.ts';

/** Before a link is tried again; twice as long after each try that comes to nothing. */
const RELINK_MS = 1500;
const MAX_RELINK_MS = 12_000;

/** `failures`: tries in a row that came to nothing. */
export const relinkMs = (failures: number): number =>
  Math.min(MAX_RELINK_MS, RELINK_MS * 2 ** Math.max(0, failures - 1));

/** Whether the host says that it has no link to the device. */
export const isUnlinked = (room: RoomView | null, device: string): boolean =>
  room?.devices.some(({ id, linked }) => id === device && !linked) === true;

/** When a link to the host is tried again, after tries that came to nothing. */
export class Relinking {
  #failures = 0;
  /** The host's address that was tried last. */
  #tried: string | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** The network is another one since a link was last there: the first try is made at once. */
  #isHurried = false;

  /** Where the network is another one, what is there is asked whether it still is, and what is not is tried anew. Returns what ends it. */
  watch(
    { onMoved }: Pick<SessionEnvironment, 'onMoved'>,
    there: () => readonly ({ ask(): void } | null)[],
  ): () => void {
    const moved = (): void => {
      this.#isHurried = true;
      // Whoever waits tries as soon as there is an address again.
      this.stop();
      this.#timer = null;
      for (const each of there()) each?.ask();
    };
    return onMoved?.(moved) ?? (() => undefined);
  }

  /** Of the same address one waits; a host that came back under another one is reached at once. */
  mayTry(host: string): boolean {
    if (this.#timer !== null && this.#tried === host) return false;
    this.#tried = host;
    return true;
  }

  worked(): void {
    this.#isHurried = false;
    this.#failures = 0;
  }

  failed(): void {
    this.#failures++;
  }

  /** Another host has done nothing yet. */
  forget(): void {
    this.#failures = 0;
    this.#tried = null;
  }

  later(again: () => void): void {
    this.stop();
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        again();
      },
      this.#isHurried && this.#failures <= 1 ? 0 : relinkMs(this.#failures),
    );
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}

interface LinkContext {
  readonly room: RoomView;
  readonly device: string;
  /** What is made of the session's secret; null for a device that came with the code alone. */
  readonly secret: Uint8Array | null;
  /** By what the host knows this device again after the digits were compared. */
  readonly compared: Uint8Array | null;
  readonly randomBytes: (length: number) => Uint8Array;
  readonly tell: (opened: Opened) => void;
  readonly onCompared: (key: Uint8Array) => void;
  readonly onState: (state: LinkState) => void;
  /** What the host says where both ends proved that they know the secret. */
  readonly onSure: (message: DataMessage, answer: (message: DataMessage) => void) => void;
}

/** A device's link to the host at this address. Rejects with a sentence. */
export async function linkToHost(address: PeerAddress, host: string, context: LinkContext): Promise<ChannelLink> {
  const { room, device, secret, compared, randomBytes, tell, onCompared, onState, onSure } = context;
  const { name = say.theHost } = room.devices.find(({ id }) => id === room.host) ?? {};
  const connection = await address.connect(host).catch((error: unknown) => {
    throw error instanceof Unreachable ? error.named(name) : error;
  });
  const { link, proof, digits } = await openLink(
    connection,
    tensorSizes(room.settings),
    {
      own: 'device',
      room: room.id,
      host: room.host,
      device,
      keys: { ...(secret && { secret }), ...(compared && { compared }) },
      // The host has the secret that its link carries.
      expected: secret !== null,
    },
    randomBytes,
  );
  tell({ proof, digits });
  watchLink(connection.counts, link.onClose, onState);
  link.onMessage((message) => {
    const { header } = message;
    if (proof === 'secret') onSure(message, (answer) => void link.send(answer));
    else if (header.type === 'compared') {
      onCompared(hexToBytes(header.key));
      tell({ proof: 'compared', digits: null });
    }
  });
  return link;
}
