import type { Peer } from 'peerjs';
import type { ControlSocket } from './control-socket.ts';

/**
 * PeerJS (1.5.5) makes its own WebSocket, by the global name, while a `Peer` is made and while it reconnects. Here, for the time of those
 * two calls, the name stands for an object of a WebSocket's shape over whatever connection is to be had. Goes when PeerJS takes a socket.
 */
export function peerOver(openSocket: (url: string) => ControlSocket, make: () => Peer): Peer {
  const plain: unknown = Reflect.get(globalThis, 'WebSocket');
  const named = <T>(socket: unknown, call: () => T): T => {
    const before: unknown = Reflect.get(globalThis, 'WebSocket');
    Reflect.set(globalThis, 'WebSocket', socket);
    try {
      return call();
    } finally {
      Reflect.set(globalThis, 'WebSocket', before);
    }
  };
  class GivenSocket extends PeerSocket {
    constructor(url: string) {
      // What is opened here may be a WebSocket, and that is the browser's own.
      super(named(plain, () => openSocket(url)));
    }
  }
  const peer = named(GivenSocket, make);
  const reconnect = peer.reconnect.bind(peer);
  peer.reconnect = () => named(GivenSocket, reconnect);
  return peer;
}

/** As much of a WebSocket as PeerJS uses. */
class PeerSocket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { readonly data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  readonly #socket: ControlSocket;

  constructor(socket: ControlSocket) {
    this.#socket = socket;
    socket.addEventListener('open', () => this.onopen?.());
    socket.addEventListener('message', (event) => this.onmessage?.(event));
    socket.addEventListener('close', () => this.onclose?.());
  }

  get readyState(): number {
    return this.#socket.readyState;
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  close(): void {
    this.#socket.close();
  }
}
