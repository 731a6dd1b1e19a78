import type { AddressConnection, AddressPeer } from '../../web/session/links/peer-links.ts';
import { FakeChannel } from './fake-channel.ts';

/** A connection whose channel opens, or does not, when the test says so. */
export class FakeConnection implements AddressConnection {
  readonly peer: string;
  readonly channel = new FakeChannel(1e9, 1);
  closed = 0;
  connectionState: RTCPeerConnectionState = 'new';
  readonly #changed: (() => void)[] = [];

  constructor(peer: string) {
    this.peer = peer;
  }

  get peerConnection() {
    const changed = this.#changed;
    const state = () => this.connectionState;
    return {
      get connectionState() {
        return state();
      },
      createDataChannel: () => this.channel,
      addEventListener: (_: 'connectionstatechange', listener: () => void) => void changed.push(listener),
    };
  }

  close(): void {
    this.closed++;
  }

  become(state: RTCPeerConnectionState): void {
    this.connectionState = state;
    for (const listener of this.#changed) listener();
  }
}

export class FakePeer implements AddressPeer {
  open = true;
  destroyed = false;
  readonly options = {};
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
