import type { RoomIntroduction } from '../../../signaling/protocol/messages.ts';
import * as say from '../../words/session/links.ts';
import { linkCounts } from '../transport/link-state.ts';
import { triedOf, Unreachable } from '../transport/unreachable.ts';
import { Emitter } from '../world/emitter.ts';
import { Ending } from '../world/ending.ts';
import { messageOf } from '../world/with-progress.ts';
import { fingerprintsOf } from './fingerprints.ts';
import {
  type AddressConnection,
  closing,
  earlyMessages,
  keepOneChannel,
  type OpenConnection,
  takeFaults,
} from './peer-connection.ts';

/** Streams of the negotiated channels, above those that PeerJS and the browsers number themselves. */
const CHANNEL_ID = 100;
const URGENT_ID = 101;
const OPEN_TIMEOUT_MS = 15_000;
/** A server that forgets its rooms again and again may cost links, not memory. */
const MAX_RETIRED = 4;
/** PeerJS keeps what comes for connections that it does not know, for ever. */
const FORGET_STRAYS_MS = 30_000;
const FIRST_RECONNECT_MS = 1000;
const MAX_RECONNECT_MS = 15_000;
/** Of a connection that is opened anew on purpose. */
const RENEW_MS = 50;

/** What an address uses of a PeerJS client, of its connections and of what is below them. */
export interface AddressPeer {
  readonly open: boolean;
  readonly destroyed: boolean;
  readonly options: { config?: unknown };
  connect(peerId: string, options: { reliable: boolean; serialization: string }): AddressConnection;
  on(event: 'open' | 'disconnected' | 'close', listener: () => void): unknown;
  on(event: 'connection', listener: (connection: AddressConnection) => void): unknown;
  on(event: 'call', listener: (call: { close(): void }) => void): unknown;
  on(event: 'error', listener: (error: { readonly type: string; readonly message: string }) => void): unknown;
  reconnect(): void;
  disconnect(): void;
  destroy(): void;
}

/** Another tab that connects; it may be let wait, but not for long. */
export interface Incoming {
  readonly peerId: string;
  open(): Promise<OpenConnection>;
  refuse(): void;
}

export interface AddressWorld {
  createPeer(introduction: RoomIntroduction): AddressPeer;
}

/**
 * Where this tab can be reached by others of its room. PeerJS introduces two tabs, over the server and under the id that the room gave to
 * each; the bytes then go over channels of our own on the same RTCPeerConnection.
 */
export class PeerAddress {
  readonly #environment: AddressWorld;
  readonly #accept: ((incoming: Incoming) => void) | null;
  readonly #address = new Emitter<string>();
  /** Called with the id under which this tab can be reached, again whenever it can be reached again. */
  readonly onAddress = this.#address.on;
  #introduction: RoomIntroduction | null = null;
  #peer: AddressPeer | null = null;
  /** Of ids that the room does not know any more: their links live on. */
  readonly #retired: AddressPeer[] = [];
  readonly #ending = new Ending();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #forgetting: ReturnType<typeof setInterval> | null = null;
  #reconnectMs = FIRST_RECONNECT_MS;
  readonly #unavailable = new Emitter<string>();
  readonly #renewed = new Emitter<string>();

  /** `accept` is told of others that connect: devices to their host, and in a split room stages to the one above them. */
  constructor(environment: AddressWorld, accept: ((incoming: Incoming) => void) | null = null) {
    this.#environment = environment;
    this.#accept = accept;
  }

  /** The room says under which id this tab is introduced, and which servers help; again whenever either changes. */
  introduce(introduction: RoomIntroduction): void {
    if (this.#closed) return;
    const before = this.#introduction;
    this.#introduction = introduction;
    if (this.#peer !== null && before?.id === introduction.id && before.token === introduction.token) {
      // PeerJS reads it for each connection that it makes.
      const { config } = this.#peer.options;
      this.#peer.options.config = { ...(config as object | undefined), iceServers: introduction.iceServers };
      return;
    }
    const old = this.#peer;
    if (old !== null) this.#retired.push(old);
    while (this.#retired.length > MAX_RETIRED) this.#retired.shift()?.destroy();
    this.#peer = null;
    if (old !== null && !old.destroyed) old.disconnect();
    this.#start();
  }

  /** Whether others can be reached. */
  get isOpen(): boolean {
    return this.#peer?.open ?? false;
  }

  /**
   * The way to the server may be another one: what this tab is introduced over is opened anew, since it may be dead without having said so. Links that
   * are opening are given up, those that are open stay.
   */
  ask(): void {
    const peer = this.#peer;
    if (this.#closed || peer === null || peer.destroyed) return;
    this.#reconnectMs = RENEW_MS;
    this.#renewed.emit(say.theNetworkIsAnother);
    if (peer.open) peer.disconnect();
    else if (this.#timer !== null) {
      clearTimeout(this.#timer);
      this.#timer = null;
      peer.reconnect();
    }
  }

  /** Opens a channel to the tab at `peerId`; rejects with a sentence when that does not work out. */
  connect(peerId: string): Promise<OpenConnection> {
    const peer = this.#peer;
    if (peer === null || !peer.open) return Promise.reject(new Error(say.theIntroductionServerIsNot));
    // `raw` keeps nothing of what comes over PeerJS's own channel.
    const connection = peer.connect(peerId, { reliable: true, serialization: 'raw' });
    takeFaults(connection);
    return this.#open(connection);
  }

  close(): void {
    this.#ending.end(say.theSessionIsOver);
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#forgetting !== null) clearInterval(this.#forgetting);
    for (const peer of [...this.#retired, this.#peer]) peer?.destroy();
  }

  get #closed(): boolean {
    return this.#ending.why !== null;
  }

  #start(): void {
    if (this.#closed || this.#introduction === null) return;
    const peer = this.#environment.createPeer(this.#introduction);
    const { id } = this.#introduction;
    this.#peer = peer;
    const again = (how: () => void): void => {
      if (this.#closed || this.#peer !== peer) return;
      if (this.#timer !== null) clearTimeout(this.#timer);
      this.#timer = setTimeout(() => {
        this.#timer = null;
        how();
      }, this.#reconnectMs);
      this.#reconnectMs = Math.min(MAX_RECONNECT_MS, 2 * this.#reconnectMs);
    };
    peer.on('open', () => {
      this.#reconnectMs = FIRST_RECONNECT_MS;
      this.#address.emit(id);
    });
    peer.on('connection', (connection) => {
      takeFaults(connection);
      if (this.#accept === null || this.#closed) connection.close();
      else
        this.#accept({
          peerId: connection.peer,
          open: () => this.#open(connection),
          refuse: () => connection.close(),
        });
    });
    peer.on('call', (call) => call.close());
    this.#forgetting ??= setInterval(() => this.#forgetStrays(), FORGET_STRAYS_MS);
    peer.on('disconnected', () => again(() => (peer.destroyed ? this.#start() : peer.reconnect())));
    peer.on('close', () => again(() => this.#start()));
    peer.on('error', (error) => {
      if (error.type === 'peer-unavailable') this.#unavailable.emit(error.message);
    });
  }

  #forgetStrays(): void {
    for (const peer of [...this.#retired, this.#peer]) {
      const strays: unknown = peer && Reflect.get(peer, '_lostMessages');
      if (strays instanceof Map) strays.clear();
    }
  }

  #open(connection: AddressConnection): Promise<OpenConnection> {
    const pc = connection.peerConnection;
    // Both sides create it at once, before the connection is up: data for a stream that one side does not know yet would be lost.
    const channel = pc.createDataChannel('tabloom', { negotiated: true, id: CHANNEL_ID, ordered: true });
    channel.binaryType = 'arraybuffer';
    const urgent = pc.createDataChannel('tabloom-urgent', { negotiated: true, id: URGENT_ID, ordered: true });
    urgent.binaryType = 'arraybuffer';
    const breach = new Emitter<string>();
    const early = earlyMessages(channel);
    return new Promise((resolve, reject) => {
      let isSettled = false;
      const settle = (act: () => void): void => {
        isSettled = true;
        clearTimeout(timer);
        for (const off of offs) off();
        act();
      };
      const fail = (why: string | Unreachable): void =>
        settle(() => {
          reject(typeof why === 'string' ? new Error(why) : why);
          connection.close();
        });
      /** No way was found; which ones there were the browser tells. */
      const lost = (why: string): void => {
        const asked = pc.getStats?.();
        if (asked === undefined) fail(why);
        asked?.then(
          (reports) => {
            const tried = triedOf(reports.values(), this.#introduction?.iceServers ?? []);
            if (!isSettled) fail(new Unreachable(tried));
          },
          () => !isSettled && fail(why),
        );
      };
      const onBreach = (why: string): void => {
        breach.emit(why);
        fail(why);
      };
      keepOneChannel(connection, onBreach);
      const timer = setTimeout(() => lost(say.theOtherDeviceCouldNot), OPEN_TIMEOUT_MS);
      const offs = [
        this.#unavailable.on((message) => {
          if (message.includes(connection.peer)) fail(say.theOtherDeviceIsNot);
        }),
        this.#renewed.on(fail),
        this.#ending.on(fail),
      ];
      channel.addEventListener('open', () =>
        settle(() => {
          try {
            resolve({
              channel,
              urgent,
              close: closing(channel, connection),
              early,
              ownFingerprint: fingerprintsOf(pc.localDescription?.sdp ?? ''),
              otherFingerprint: fingerprintsOf(pc.remoteDescription?.sdp ?? ''),
              onBreach: breach.on,
              counts: async () => linkCounts((await pc.getStats?.())?.values() ?? []),
            });
          } catch (error) {
            fail(messageOf(error));
          }
        }),
      );
      channel.addEventListener('close', () => fail(say.theConnectionToTheOtherDeviceWas));
      pc.addEventListener('connectionstatechange', () => {
        if (pc.connectionState !== 'failed') return;
        if (isSettled) channel.close();
        else lost(say.theConnectionToTheOtherDeviceFailed);
      });
    });
  }
}
