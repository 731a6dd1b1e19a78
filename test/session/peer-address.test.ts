import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { PeerAddress } from '../../web/session/links/peer-links.ts';
import { FakeConnection, FakePeer } from './fake-peer.ts';

/** How a tab stays reachable, whatever becomes of the introduction server. */
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const INTRODUCTION = { id: 'thistab', token: '0'.repeat(32), iceServers: [] };

function scene() {
  const peers: FakePeer[] = [];
  const createPeer = () => {
    const peer = new FakePeer();
    peers.push(peer);
    return peer;
  };
  const address = new PeerAddress({ createPeer }, () => undefined);
  const told: string[] = [];
  address.onAddress((id) => told.push(id));
  return { address, peers, told };
}

it('a connection to the server that is lost is tried again after 1, 2, 4, 8 and then every 15 s, from 1 s once it was open', () => {
  const { address, peers } = scene();
  address.introduce(INTRODUCTION);
  const [peer] = peers as [FakePeer];
  const reconnect = vi.spyOn(peer, 'reconnect');
  const triedAfter = (ms: number) => {
    const before = reconnect.mock.calls.length;
    peer.emit('disconnected');
    vi.advanceTimersByTime(ms - 1);
    expect(reconnect.mock.calls.length).toBe(before);
    vi.advanceTimersByTime(1);
    expect(reconnect.mock.calls.length).toBe(before + 1);
  };
  for (const seconds of [1, 2, 4, 8, 15, 15]) triedAfter(1000 * seconds);
  peer.emit('open');
  triedAfter(1000);
  // Told twice of one loss, it tries once, after the later wait.
  reconnect.mockClear();
  peer.emit('disconnected');
  peer.emit('disconnected');
  vi.advanceTimersByTime(60_000);
  expect(reconnect).toHaveBeenCalledTimes(1);
  address.close();
});

it('a client that is no more is replaced, and only the one that counts now is', () => {
  const { address, peers, told } = scene();
  address.introduce(INTRODUCTION);
  peers[0]?.emit('open');
  peers[0]!.destroyed = true;
  peers[0]?.emit('disconnected');
  vi.advanceTimersByTime(1000);
  expect(peers).toHaveLength(2);
  peers[1]?.emit('open');
  expect(told).toEqual(['thistab', 'thistab']);
  peers[0]?.emit('close');
  vi.advanceTimersByTime(60_000);
  expect(peers).toHaveLength(2);
  peers[1]?.emit('close');
  vi.advanceTimersByTime(1000);
  expect(peers).toHaveLength(3);
  address.close();
  peers[2]?.emit('close');
  vi.advanceTimersByTime(60_000);
  expect([peers.length, vi.getTimerCount()]).toEqual([3, 0]);
});

it('newer servers that help are taken by the client that there is; another id or token makes a new one', () => {
  const { address, peers } = scene();
  address.introduce(INTRODUCTION);
  const iceServers = [{ urls: 'turn:192.0.2.1' }];
  address.introduce({ ...INTRODUCTION, iceServers });
  expect([peers.length, peers[0]?.options.config]).toEqual([1, { iceServers }]);
  const disconnect = vi.spyOn(peers[0]!, 'disconnect');
  address.introduce({ ...INTRODUCTION, token: '1'.repeat(32) });
  expect([peers.length, disconnect.mock.calls.length, peers[0]?.destroyed]).toEqual([2, 1, false]);
  address.introduce({ ...INTRODUCTION, id: 'another', token: '1'.repeat(32) });
  expect(peers).toHaveLength(3);
  address.close();
  expect(peers.map(({ destroyed }) => destroyed)).toEqual([true, true, true]);
  address.introduce(INTRODUCTION);
  expect(peers).toHaveLength(3);
});

it('links of the last four ids live on, those of earlier ones go', () => {
  const { address, peers } = scene();
  for (let i = 0; i < 6; i++) address.introduce({ ...INTRODUCTION, id: `tab${i}` });
  expect(peers.map(({ destroyed }) => destroyed)).toEqual([true, false, false, false, false, false]);
  address.close();
});

it('what PeerJS keeps of connections that nobody knows goes every half minute, of all its clients', () => {
  const { address, peers } = scene();
  address.introduce(INTRODUCTION);
  address.introduce({ ...INTRODUCTION, id: 'another' });
  const strays = peers.map((peer) => {
    const kept = new Map([['stray', ['message']]]);
    Reflect.set(peer, '_lostMessages', kept);
    return kept;
  });
  vi.advanceTimersByTime(29_999);
  expect(strays.map(({ size }) => size)).toEqual([1, 1]);
  vi.advanceTimersByTime(1);
  expect(strays.map(({ size }) => size)).toEqual([0, 0]);
  address.close();
});

it('calls are hung up, and who comes after the end is', async () => {
  const { address, peers } = scene();
  await expect(address.connect('somebody')).rejects.toThrow('The introduction server is not connected.');
  expect(address.isOpen).toBe(false);
  address.introduce(INTRODUCTION);
  expect(address.isOpen).toBe(true);
  let hungUp = 0;
  peers[0]?.emit('call', { close: () => hungUp++ });
  expect(hungUp).toBe(1);
  peers[0]!.open = false;
  await expect(address.connect('somebody')).rejects.toThrow('The introduction server is not connected.');
  address.close();
  const late = new FakeConnection('late');
  peers[0]?.emit('connection', late);
  expect(late.closed).toBe(1);
});

it('on another network its connection to the server is opened anew at once, and what was opening is given up', async () => {
  const { address, peers } = scene();
  address.ask();
  address.introduce(INTRODUCTION);
  const [peer] = peers as [FakePeer];
  const reconnect = vi.spyOn(peer, 'reconnect');
  // A loss that was noticed: it waits for no second.
  peer.open = false;
  peer.emit('disconnected');
  address.ask();
  expect(reconnect).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(60_000);
  expect(reconnect).toHaveBeenCalledTimes(1);
  // One that was not.
  peer.open = true;
  peer.emit('open');
  const opening = address.connect('another').catch((error: unknown) => error);
  const disconnect = vi.spyOn(peer, 'disconnect').mockImplementation(() => {
    peer.open = false;
    peer.emit('disconnected');
  });
  address.ask();
  expect(await opening).toEqual(new Error('The network is another one.'));
  expect(disconnect).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(49);
  expect(reconnect).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1);
  expect(reconnect).toHaveBeenCalledTimes(2);
  address.close();
});
