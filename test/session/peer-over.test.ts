import type { Peer } from 'peerjs';
import { afterEach, expect, it } from 'vitest';
import type { ControlSocket } from '../../web/session/transport/control-socket.ts';
import { peerOver } from '../../web/session/transport/peer-over.ts';

const before: unknown = Reflect.get(globalThis, 'WebSocket');
afterEach(() => void Reflect.set(globalThis, 'WebSocket', before));

it('gives PeerJS a connection for its WebSocket, which itself may be a plain one by the same name', () => {
  const opened: string[] = [];
  class Plain implements ControlSocket {
    readonly readyState = 0;
    constructor(url: string) {
      opened.push(url);
    }
    send = () => undefined;
    close = () => undefined;
    addEventListener = () => undefined;
  }
  Reflect.set(globalThis, 'WebSocket', Plain);
  const make = (url: string) => {
    const Named: new (address: string) => unknown = Reflect.get(globalThis, 'WebSocket');
    expect(new Named(url)).not.toBeInstanceOf(Plain);
  };
  const peer = peerOver(
    (url) => {
      const Named: new (address: string) => ControlSocket = Reflect.get(globalThis, 'WebSocket');
      return new Named(url);
    },
    () => {
      make('ws://first');
      return { reconnect: () => make('ws://again') } as Peer;
    },
  );
  peer.reconnect();
  expect(opened).toEqual(['ws://first', 'ws://again']);
  expect(Reflect.get(globalThis, 'WebSocket')).toBe(Plain);
});
