import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { proofKeyOf, secretOf } from '../../signaling/protocol/door/secret.ts';
import type { ClientMessage } from '../../signaling/protocol/messages.ts';
import type { DeviceView, RoomView } from '../../signaling/protocol/room-view.ts';
import { PeerAddress } from '../../web/session/links/peer-links.ts';
import { HostLinks } from '../../web/session/own/host-links.ts';
import { OwnSession } from '../../web/session/own-session.ts';
import { DeviceLinks } from '../../web/session/rounds/device-links.ts';
import { ViewStore } from '../../web/session/view/view-store.ts';
import { Ending, whileOpen } from '../../web/session/world/ending.ts';
import type { SessionEnvironment } from '../../web/session/world/environment.ts';
import { Host } from '../../worker/host/host.ts';
import { openFileOrHttp } from '../../worker/node/file-source.ts';
import { MINI_REQUEST } from '../host/node-host.ts';
import { SETTINGS } from '../protocol/samples.ts';
import { FakeConnection, FakePeer } from './fake-peer.ts';
import { introduce, termsOf } from './link-scene.ts';

/** What waits for a link or a session ends with it, and leaves no timer behind. */
beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const settle = () => vi.advanceTimersByTimeAsync(10);

describe('what is waited for while something is open', () => {
  it('comes, fails, or is ended, whichever is first', async () => {
    const ending = new Ending();
    await expect(whileOpen(ending.on, Promise.resolve(5))).resolves.toBe(5);
    await expect(whileOpen(ending.on, Promise.reject(new Error('No.')))).rejects.toThrow('No.');
    const never = whileOpen(ending.on, new Promise(() => undefined));
    expect([ending.end('Over.'), ending.end('Again.')]).toEqual([true, false]);
    await expect(never).rejects.toThrow('Over.');
    await expect(whileOpen(ending.on, new Promise(() => undefined))).rejects.toThrow('Over.');
  });
});

const INTRODUCTION = { id: 'thistab', token: '0'.repeat(32), iceServers: [] };

describe('a channel that is being opened', () => {
  async function opening() {
    const peer = new FakePeer();
    const address = new PeerAddress({ createPeer: () => peer });
    address.introduce(INTRODUCTION);
    await settle();
    const promise = address.connect('somebody');
    promise.catch(() => undefined);
    return { peer, address, promise, connection: peer.connections[0] };
  }

  it.each<[string, RegExp, (scene: Awaited<ReturnType<typeof opening>>) => void]>([
    ['the session ends', /session is over/, ({ address }) => address.close()],
    ['the channel closes', /was closed/, ({ connection }) => connection.channel.fire('close')],
    ['the connection fails', /failed/, ({ connection }) => connection.become('failed')],
    [
      'the other side is not there',
      /not there any more/,
      ({ peer }) => peer.emit('error', { type: 'peer-unavailable', message: 'Could not connect to peer somebody' }),
    ],
    ['nothing comes of it in 15 s', /could not be reached/, () => vi.advanceTimersByTime(15_000)],
  ])('is given up when %s', async (_, why, happen) => {
    const scene = await opening();
    happen(scene);
    await expect(scene.promise).rejects.toThrow(why);
    expect(scene.connection.closed).toBeGreaterThan(0);
    scene.address.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('waits on when somebody else is not there', async () => {
    const { peer, promise, connection, address } = await opening();
    peer.emit('error', { type: 'peer-unavailable', message: 'Could not connect to peer anybody' });
    peer.emit('error', { type: 'network', message: 'somebody' });
    await settle();
    expect(connection.closed).toBe(0);
    connection.channel.fire('open');
    expect((await promise).channel).toBe(connection.channel);
    address.close();
  });

  it('is there when it opens, and is not closed by what others hear', async () => {
    const scene = await opening();
    scene.connection.channel.fire('open');
    expect((await scene.promise).channel).toBe(scene.connection.channel);
    scene.peer.emit('error', { type: 'peer-unavailable', message: 'Could not connect to peer somebody' });
    expect(scene.connection.closed).toBe(0);
  });
});

const SECRET = secretOf(new Uint8Array(16).fill(5));
const terms = (device: string) => termsOf('device', { device, keys: { secret: proofKeyOf(SECRET) } });

async function host() {
  const peer = new FakePeer();
  const deviceLinks = new DeviceLinks();
  const store = new ViewStore('host', 'hosthost');
  const sent: ClientMessage[] = [];
  const links = new HostLinks({
    onLinked: () => undefined,
    environment: { createPeer: () => peer, randomBytes: (length) => new Uint8Array(length).fill(9) },
    entrance: { secret: SECRET, standing: () => 'must prove' },
    settings: SETTINGS,
    client: { send: (message) => void sent.push(message) },
    deviceLinks,
    store,
  });
  links.introduce(INTRODUCTION);
  await settle();
  const arrive = (peerId: string): FakeConnection => {
    const connection = new FakeConnection(peerId);
    peer.emit('connection', connection);
    return connection;
  };
  return { peer, deviceLinks, store, sent, links, arrive };
}

describe('a host that lets devices in', () => {
  it('does not wait for an introduction after the session’s end', async () => {
    const { links, arrive } = await host();
    const connection = arrive('stranger');
    connection.channel.fire('open');
    await settle();
    // The introduction, and what PeerJS is made to forget.
    expect(vi.getTimerCount()).toBe(2);
    links.close();
    await settle();
    expect([connection.channel.open, vi.getTimerCount()]).toEqual([false, 0]);
  });

  it('closes a link of somebody whom the room does not know within 10 s', async () => {
    const { deviceLinks, arrive, links } = await host();
    const connection = arrive('stranger');
    connection.channel.fire('open');
    await vi.advanceTimersByTimeAsync(9900);
    expect(connection.channel.open).toBe(true);
    await vi.advanceTimersByTimeAsync(200);
    expect([connection.channel.open, deviceLinks.has('stranger')]).toEqual([false, false]);
    links.close();
  });

  it('lets no more than 128 wait at once', async () => {
    const { arrive, links } = await host();
    const waiting = Array.from({ length: 128 }, (_, i) => arrive(`stranger${i}`));
    const late = arrive('late');
    await settle();
    expect([waiting.some(({ channel }) => !channel.open), late.channel.open]).toEqual([false, false]);
    // Those that give up make room.
    await vi.advanceTimersByTimeAsync(15_000);
    expect(waiting.every(({ closed }) => closed > 0)).toBe(true);
    const next = arrive('next');
    next.channel.fire('open');
    await settle();
    expect(next.channel.open).toBe(true);
    links.close();
  });
});

describe('a host’s links', () => {
  const known = (id: string, change: Partial<DeviceView> = {}): DeviceView => ({
    id,
    name: id,
    kind: 'tab',
    status: { kind: 'ready' },
    hidden: false,
    linked: false,
    online: true,
    peerId: `peer-of-${id}`,
    profile: null,
    ...change,
  });
  const roomOf = (...devices: DeviceView[]): RoomView => ({
    id: 'abc234',
    settings: SETTINGS,
    phase: 'gathering',
    host: 'hosthost',
    devices,
    plan: null,
    planNote: null,
  });

  it('are told to the room as they come and go, and again where the room knows otherwise', async () => {
    const { store, deviceLinks, arrive, sent, links } = await host();
    const room = roomOf(known('hosthost', { linked: true }), known('bbbbbbbb'), known('cccccccc', { linked: true }));
    store.dispatch({ type: 'message', message: { type: 'room', room } });
    const connection = arrive('peer-of-bbbbbbbb');
    introduce(connection.far, terms('bbbbbbbb'));
    connection.channel.fire('open');
    await settle();
    expect(deviceLinks.has('bbbbbbbb')).toBe(true);
    links.reconcile(room);
    connection.channel.close();
    const told = sent.flatMap((m) => (m.type === 'linked' ? [`${m.device} ${m.linked}`] : []));
    // The host has no link to itself that the room should hear of.
    expect(told).toEqual(['bbbbbbbb true', 'bbbbbbbb true', 'cccccccc false', 'bbbbbbbb false']);
    links.close();
  });

  it('are given up sooner where the server has lost the device, too', async () => {
    const { store, deviceLinks, arrive, links } = await host();
    const ids = ['bbbbbbbb', 'cccccccc'];
    const room = roomOf(known('bbbbbbbb', { online: false }), known('cccccccc'));
    store.dispatch({ type: 'message', message: { type: 'room', room } });
    for (const id of ids) {
      const { channel, far } = arrive(`peer-of-${id}`);
      introduce(far, terms(id));
      channel.fire('open');
    }
    await settle();
    links.reconcile(room);
    await vi.advanceTimersByTimeAsync(4000);
    expect(ids.map((id) => deviceLinks.has(id))).toEqual([false, true]);
    links.close();
  });
});

describe('a session that ends', () => {
  /** A host worker that never answers: it loads, or was terminated. */
  class Silent extends Host {
    useFolder = async () => undefined;
    override open = () => new Promise<never>(() => undefined);
    override exportAdapter = () => new Promise<never>(() => undefined);
    override exportMerged = () => new Promise<never>(() => undefined);
  }

  it('rejects what its person asked for, and leaves nothing running', async () => {
    let terminated = false;
    const refuse = (): never => {
      throw new Error('Nothing of this is needed before the session is open.');
    };
    const environment: SessionEnvironment = {
      kind: 'headless',
      origin: 'http://127.0.0.1:1',
      openSocket: refuse,
      createPeer: refuse,
      startDeviceWorker: refuse,
      startHostWorker: () => ({
        api: new Silent(openFileOrHttp),
        terminate: () => {
          terminated = true;
        },
      }),
      randomBytes: (n) => new Uint8Array(n),
      memoryLimitBytes: 1e9,
      nowMs: () => 0,
      keep: null,
      seats: null,
      runLog: null,
      onHidden: () => () => undefined,
      onLeaving: () => () => undefined,
    };
    const options = { name: 'host', policy: 'auto', slowdown: 1, patience: 0 } as const;
    const session = new OwnSession(environment, MINI_REQUEST, options);
    await settle();
    const asked = [session.exportAdapter('last'), session.exportMerged('last')];
    const rejected = asked.map((promise) => expect(promise).rejects.toThrow('The session is over.'));
    session.leave();
    await Promise.all(rejected);
    await session.closed;
    await vi.advanceTimersByTimeAsync(1000);
    expect([terminated, vi.getTimerCount()]).toEqual([true, 0]);
    expect(session.view.ended).toBe('You ended the session.');
    await expect(session.exportOnnx('last')).rejects.toThrow('The session is over.');
  });
});
