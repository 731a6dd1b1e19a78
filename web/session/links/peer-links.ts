import type { Introduction } from '../../../signaling/protocol/messages.ts';
import { Emitter } from '../world/emitter.ts';
import { Ending } from '../world/ending.ts';
import type { LinkChannel } from './channel-link.ts';

/** Stream of the negotiated channel, above those that PeerJS and the browsers number themselves. */
const CHANNEL_ID = 100;
const OPEN_TIMEOUT_MS = 15_000;
const FIRST_RECONNECT_MS = 1000;
const MAX_RECONNECT_MS = 15_000;

/** What an address uses of a PeerJS client, of its connections and of what is below them. */
export interface AddressPeer {
  readonly open: boolean;
  readonly destroyed: boolean;
  /** `config` is read for each connection that it makes. */
  readonly options: { config?: unknown };
  connect(peerId: string, options: { reliable: boolean; serialization: string }): AddressConnection;
  on(event: 'open' | 'disconnected' | 'close', listener: () => void): unknown;
  on(event: 'connection', listener: (connection: AddressConnection) => void): unknown;
  on(event: 'error', listener: (error: { readonly type: string; readonly message: string }) => void): unknown;
  reconnect(): void;
  /** From the server; its connections live on. */
  disconnect(): void;
  destroy(): void;
}

export interface AddressConnection {
  readonly peer: string;
  readonly peerConnection: {
    readonly connectionState: RTCPeerConnectionState;
    createDataChannel(label: string, options: RTCDataChannelInit): LinkChannel;
    addEventListener(type: 'connectionstatechange', listener: () => void): void;
  };
  close(): void;
}

export interface AddressWorld {
  createPeer(introduction: Introduction): AddressPeer;
}

/**
 * Where this tab can be reached by others of its room. PeerJS introduces two tabs, over the server and under the id that the room gave to
 * each; the bytes then go over a channel of our own on the same RTCPeerConnection.
 */
export class PeerAddress {
  readonly #environment: AddressWorld;
  readonly #address = new Emitter<string>();
  readonly #incoming = new Emitter<{ peerId: string; channel: Promise<LinkChannel> }>();
  /** Called with the id under which this tab can be reached, again whenever it can be reached again. */
  readonly onAddress = this.#address.on;
  /** Host only: another tab connects. */
  readonly onIncoming = this.#incoming.on;
  #introduction: Introduction | null = null;
  #peer: AddressPeer | null = null;
  /** Of ids that the room does not know any more: their links live on. */
  readonly #retired: AddressPeer[] = [];
  readonly #ending = new Ending();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #reconnectMs = FIRST_RECONNECT_MS;
  readonly #unavailable = new Emitter<string>();

  constructor(environment: AddressWorld) {
    this.#environment = environment;
  }

  /** The room says under which id this tab is introduced, and which servers help; again whenever either changes. */
  introduce(introduction: Introduction): void {
    if (this.#closed) return;
    const before = this.#introduction;
    this.#introduction = introduction;
    const old = this.#peer;
    if (old !== null && before?.id === introduction.id && before.token === introduction.token) {
      old.options.config = { iceServers: introduction.iceServers };
      return;
    }
    if (old !== null) {
      this.#retired.push(old);
      this.#peer = null;
      if (!old.destroyed) old.disconnect();
    }
    this.#start();
  }

  /** Whether others can be reached. */
  get isOpen(): boolean {
    return this.#peer?.open ?? false;
  }

  /** Opens a channel to the tab at `peerId`; rejects with a sentence when that does not work out. */
  connect(peerId: string): Promise<LinkChannel> {
    const peer = this.#peer;
    if (peer === null || !peer.open) return Promise.reject(new Error('The introduction server is not connected.'));
    const connection = peer.connect(peerId, { reliable: true, serialization: 'binary' });
    return this.#channel(connection);
  }

  close(): void {
    this.#ending.end('The session is over.');
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const peer of [...this.#retired, this.#peer]) peer?.destroy();
  }

  get #closed(): boolean {
    return this.#ending.why !== null;
  }

  #start(): void {
    if (this.#closed || this.#introduction === null) return;
    const { id } = this.#introduction;
    const peer = this.#environment.createPeer(this.#introduction);
    this.#peer = peer;
    const again = (how: () => void): void => {
      if (this.#closed || this.#peer !== peer) return;
      if (this.#timer !== null) clearTimeout(this.#timer);
      this.#timer = setTimeout(how, this.#reconnectMs);
      this.#reconnectMs = Math.min(MAX_RECONNECT_MS, 2 * this.#reconnectMs);
    };
    peer.on('open', () => {
      this.#reconnectMs = FIRST_RECONNECT_MS;
      this.#address.emit(id);
    });
    peer.on('connection', (connection) =>
      this.#incoming.emit({ peerId: connection.peer, channel: this.#channel(connection) }),
    );
    peer.on('disconnected', () => again(() => (peer.destroyed ? this.#start() : peer.reconnect())));
    peer.on('close', () => again(() => this.#start()));
    peer.on('error', (error) => {
      if (error.type === 'peer-unavailable') this.#unavailable.emit(error.message);
    });
  }

  #channel(connection: AddressConnection): Promise<LinkChannel> {
    const pc = connection.peerConnection;
    // Both sides create it at once, before the connection is up: data for a stream that one side does not know yet would be lost.
    const channel = pc.createDataChannel('tabloom', { negotiated: true, id: CHANNEL_ID, ordered: true });
    channel.binaryType = 'arraybuffer';
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        for (const off of offs) off();
        act();
      };
      const fail = (why: string): void =>
        settle(() => {
          connection.close();
          reject(new Error(why));
        });
      const timer = setTimeout(() => fail('The other device could not be reached over WebRTC.'), OPEN_TIMEOUT_MS);
      const offs = [
        this.#unavailable.on((message) => {
          if (message.includes(connection.peer)) fail('The other device is not there any more.');
        }),
        this.#ending.on(fail),
      ];
      channel.addEventListener('open', () => settle(() => resolve(channel)));
      channel.addEventListener('close', () => fail('The connection to the other device was closed.'));
      pc.addEventListener('connectionstatechange', () => {
        if (pc.connectionState === 'failed') {
          fail('The connection to the other device failed.');
          channel.close();
        }
      });
    });
  }
}
