import type { AddressConnection } from '../../web/session/links/peer-connection.ts';
import type { AddressPeer } from '../../web/session/links/peer-links.ts';
import { type FakeChannel, fakeChannels } from './fake-channel.ts';

/** A connection whose channel opens, or does not, when the test says so. */
export class FakeConnection implements AddressConnection {
  readonly peer: string;
  readonly channel: FakeChannel;
  /** The other end of the channel. */
  readonly far: FakeChannel;
  closed = 0;
  connectionState: RTCPeerConnectionState = 'new';
  readonly #listeners = new Map<string, ((event: { channel: { close(): void } }) => void)[]>();
  readonly peerConnection: AddressConnection['peerConnection'];

  constructor(peer: string) {
    this.peer = peer;
    [this.channel, this.far] = fakeChannels();
    const state = () => this.connectionState;
    this.peerConnection = {
      get connectionState() {
        return state();
      },
      localDescription: { sdp: `v=0\r\na=fingerprint:sha-256 ${'AA:'.repeat(31)}AA\r\n` },
      remoteDescription: { sdp: `v=0\r\na=fingerprint:sha-256 ${'BB:'.repeat(31)}BB\r\n` },
      ondatachannel: () => undefined,
      ontrack: () => undefined,
      createDataChannel: (label) => {
        if (label === 'tabloom') return this.channel;
        // As if it never opened: everything goes over the other.
        const [urgent] = fakeChannels();
        urgent.open = false;
        return urgent;
      },
      addEventListener: (type: string, listener: (event: { channel: { close(): void } }) => void) => {
        this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
      },
    };
  }

  fire(type: 'connectionstatechange' | 'track' | 'datachannel', channel = { close: () => undefined }): void {
    for (const listener of this.#listeners.get(type) ?? []) listener({ channel });
  }

  close(): void {
    this.closed++;
    this.channel.close();
  }

  become(state: RTCPeerConnectionState): void {
    this.connectionState = state;
    this.fire('connectionstatechange');
  }
}

export class FakePeer implements AddressPeer {
  open = true;
  destroyed = false;
  readonly options: { config?: unknown } = {};
  readonly connections: FakeConnection[] = [];
  /** Each event has another kind of listener; this only keeps them. */
  readonly #listeners = new Map<string, ((value: never) => void)[]>();

  connect(peerId: string): FakeConnection {
    const connection = new FakeConnection(peerId);
    this.connections.push(connection);
    return connection;
  }

  on(event: string, listener: (value: never) => void): void {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
  }

  emit(event: string, value?: unknown): void {
    for (const listener of this.#listeners.get(event) ?? []) Reflect.apply(listener, undefined, [value]);
  }

  reconnect(): void {
    this.open = true;
  }

  disconnect(): void {
    this.open = false;
  }

  destroy(): void {
    this.destroyed = true;
    this.open = false;
  }
}
