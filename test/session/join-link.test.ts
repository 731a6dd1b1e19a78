import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { proofKeyOf, secretOf } from '../../signaling/protocol/door/secret.ts';
import type { DeviceView } from '../../signaling/protocol/room-view.ts';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { ModelExchange } from '../../web/session/chunks/model-exchange.ts';
import { JoinSession } from '../../web/session/join-session.ts';
import { ChannelLink } from '../../web/session/links/channel-link.ts';
import { answerProbes } from '../../web/session/links/link-probe.ts';
import { tensorSizes } from '../../web/session/links/tensor-sizes.ts';
import { Emitter } from '../../web/session/world/emitter.ts';
import type { SessionEnvironment } from '../../web/session/world/environment.ts';
import { SETTINGS } from '../protocol/samples.ts';
import { ALL, Disk, FILE } from './chunk-disk.ts';
import { type FakeConnection, FakePeer } from './fake-peer.ts';
import { FakeSocket } from './fake-socket.ts';
import { termsOf } from './link-scene.ts';
import { NO_CHUNKS } from './no-chunks.ts';
import { ScriptedWorker } from './seat-scene.ts';

/** A device's link to its host: when it is opened, tried again, and what is said meanwhile. */
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const SECRET = secretOf(new Uint8Array(16).fill(5));
const HOST: DeviceView = {
  ...{ id: 'hosthost', name: 'host', kind: 'tab', status: { kind: 'ready' }, hidden: false, linked: false },
  ...{ online: true, peerId: 'peer-of-host', profile: null },
};

function joined({
  watch = false,
  load = null as ScriptedWorker['load'] | null,
  settings = SETTINGS,
  chunks = NO_CHUNKS,
} = {}) {
  const socket = new FakeSocket();
  const peer = new FakePeer();
  const worker = new ScriptedWorker();
  worker.chunks = chunks;
  if (load !== null) worker.load = load;
  const hidden = new Emitter<boolean>();
  const moved = new Emitter<void>();
  const session = new JoinSession(
    {
      ...{ kind: 'tab', origin: 'http://server', memoryLimitBytes: 1e9, nowMs: () => 0 },
      ...{
        keep: null,
        seats: null,
        runLog: null,
        onLeaving: () => () => undefined,
        onHidden: hidden.on,
        onMoved: moved.on,
      },
      openSocket: () => socket as unknown as WebSocket,
      createPeer: () => peer as unknown as ReturnType<SessionEnvironment['createPeer']>,
      startDeviceWorker: () => ({ api: worker, terminate: () => undefined }),
      startHostWorker: () => {
        throw new Error('Nobody hosts here.');
      },
      randomBytes: (length) => new Uint8Array(length).fill(3),
    },
    { room: 'abc234', secret: SECRET },
    { name: 'phone', watch, slowdown: 1 },
  );
  let edition = 0;
  /** The server tells the room with a host like this. */
  const tell = async (change: Partial<DeviceView> = {}) => {
    const devices = [{ ...HOST, ...change }];
    const room = {
      phase: 'gathering',
      host: 'hosthost',
      policy: 'crunch',
      plan: null,
      planNote: null,
      devices,
    } as const;
    socket.say({ type: 'news', edition: ++edition, since: null, change: room });
    await pass(0);
  };
  const enter = async (change: Partial<DeviceView> = {}) => {
    socket.dispatchEvent(new Event('open'));
    socket.say({ type: 'hello', version: PROTOCOL_VERSION });
    socket.say({
      ...{ type: 'welcome', room: 'abc234', settings, claim: 'ab'.repeat(32) },
      introduction: { id: 'xyz', token: 'ab'.repeat(16), iceServers: [] },
    });
    await tell(change);
  };
  /** So much time, in which the server is heard. */
  const pass = async (ms: number) => {
    for (let left = ms; left > 3000; left -= 3000) {
      await vi.advanceTimersByTimeAsync(3000);
      socket.say({ type: 'pong' });
    }
    await vi.advanceTimersByTimeAsync(ms > 3000 ? ((ms - 1) % 3000) + 1 : ms);
    socket.say({ type: 'pong' });
  };
  /** The host's end of a connection, which knows the secret and answers probes. */
  const answer = async (connection: FakeConnection, probes = true) => {
    const ends = { ownFingerprint: 'B'.repeat(64), otherFingerprint: 'A'.repeat(64) };
    const who = { device: session.view.self, keys: { secret: proofKeyOf(SECRET) } };
    const link = new ChannelLink(connection.far, tensorSizes(SETTINGS), termsOf('host', { ...ends, ...who }));
    if (probes) answerProbes(link);
    connection.channel.fire('open');
    await pass(1000);
    return link;
  };
  const notices = () => session.view.notices.map(({ sentence }) => sentence);
  return { session, socket, peer, worker, hidden, moved, tell, enter, pass, answer, notices };
}

describe('a device without a link', () => {
  it('tries again after 1.5 s, then after twice as long each time, up to 12 s', async () => {
    const { session, peer, enter, pass, notices } = joined();
    await enter();
    for (const [i, waitMs] of [1500, 3000, 6000, 12_000, 12_000].entries()) {
      expect(peer.connections).toHaveLength(i + 1);
      peer.connections[i]?.become('failed');
      await pass(waitMs - 1);
      expect(peer.connections).toHaveLength(i + 1);
      await pass(1);
    }
    expect(peer.connections.map(({ peer: id }) => id)).toEqual(Array(6).fill('peer-of-host'));
    expect(notices()).toEqual(Array(5).fill('The connection to the other device failed. Trying again.'));
    session.leave();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('waits with the same address, and reaches a host that came back under another one at once', async () => {
    const { session, peer, enter, tell } = joined();
    await enter();
    await tell();
    expect(peer.connections).toHaveLength(1);
    peer.connections[0]?.become('failed');
    await tell();
    expect(peer.connections).toHaveLength(1);
    await tell({ peerId: 'another' });
    expect(peer.connections.map(({ peer: id }) => id)).toEqual(['peer-of-host', 'another']);
    session.leave();
  });

  it('on another network tries at once, as soon as it can be reached again', async () => {
    const { session, peer, enter, pass, moved } = joined();
    await enter();
    peer.connections[0]?.become('failed');
    await pass(1500);
    peer.connections[1]?.become('failed');
    await pass(100);
    peer.disconnect = () => {
      peer.open = false;
    };
    moved.emit();
    await pass(100);
    expect(peer.connections).toHaveLength(2);
    peer.open = true;
    peer.emit('open');
    expect(peer.connections).toHaveLength(3);
    session.leave();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('asks nobody while the host is away, has no address, or it has none itself; and says who is away', async () => {
    const { session, peer, enter, tell, notices } = joined();
    await enter({ online: false });
    expect(notices()).toEqual([
      'The host is away. If it does not come back within seconds, another device goes on in its place, or the session waits for it.',
    ]);
    await tell({ peerId: null });
    expect(notices().slice(1)).toEqual(['The host is back.']);
    peer.open = false;
    await tell();
    expect(peer.connections).toEqual([]);
    peer.open = true;
    peer.emit('open');
    expect(peer.connections).toHaveLength(1);
    session.leave();
  });

  it('watches without one', async () => {
    const { session, socket, peer, enter } = joined({ watch: true });
    await enter();
    expect([peer.connections, socket.types().filter((type) => type !== 'seen')]).toEqual([[], ['join']]);
    session.leave();
  });
});

describe('a device with a link', () => {
  it('measures it once, says so, and is ready; a later link is not measured again', async () => {
    const { session, socket, peer, enter, pass, answer, notices } = joined();
    await enter();
    const told = () => socket.sent.splice(0).filter(({ type }) => type === 'profile' || type === 'status');
    const host = await answer(peer.connections[0]!);
    expect(session.view.proofs[session.view.self]).toEqual({ proof: 'secret', digits: null });
    const first = told();
    expect(first.slice(-2)).toMatchObject([{ type: 'profile' }, { type: 'status', status: { kind: 'ready' } }]);
    const [profile] = first.slice(-2);
    expect(profile?.type === 'profile' && profile.profile.linkBitsPerSecond).toBeGreaterThan(1e6);

    host.close();
    await pass(100);
    expect(session.view.proofs).toEqual({});
    expect(notices()).toEqual(['The link to the host is down (The connection was closed.) Trying again.']);
    await pass(1300);
    expect(peer.connections).toHaveLength(1);
    await pass(200);
    expect(peer.connections).toHaveLength(2);
    const again = await answer(peer.connections[1]!);
    // Nothing that the host could measure it by was asked for: the rate is the one that was measured before.
    expect(told()).toEqual([profile, { type: 'status', status: { kind: 'ready' } }]);
    session.leave();
    await pass(0);
    expect([again, peer.connections[1]?.channel.open]).toEqual([again, false]);
  });

  it('that was asked in vain on another network has another one 1.5 s later', async () => {
    const { session, peer, enter, pass, answer, moved } = joined();
    await enter();
    peer.disconnect = () => peer.emit('disconnected');
    await answer(peer.connections[0]!);
    // The way is the same after all, and the host answers.
    moved.emit();
    await pass(2000);
    expect(peer.connections[0]!.channel.open).toBe(true);
    // Nothing comes through any more, and nobody says so.
    for (const end of [peer.connections[0]!.channel, peer.connections[0]!.far]) end.send = () => undefined;
    await pass(100);
    moved.emit();
    await pass(1000);
    // Asked twice, it has no more time.
    moved.emit();
    await pass(490);
    expect(peer.connections).toHaveLength(1);
    await pass(60);
    expect(peer.connections).toHaveLength(2);
    session.leave();
  });

  it('that cannot be measured gives it up after 20 s, and tries another', async () => {
    const { session, peer, enter, pass, answer, notices } = joined();
    await enter();
    await answer(peer.connections[0]!, false);
    await pass(18_500);
    expect([peer.connections[0]?.channel.open, notices()]).toEqual([true, []]);
    await pass(1000);
    expect(peer.connections[0]?.channel.open).toBe(false);
    expect(notices()).toEqual([
      'The host did not answer while the link was measured.',
      'The link to the host is down (The connection was closed here.) Trying again.',
    ]);
    await pass(1500);
    expect(peer.connections).toHaveLength(2);
    session.leave();
  });

  it('begins to count anew what came to nothing, once one has opened', async () => {
    const { session, peer, enter, pass, answer } = joined();
    await enter();
    peer.connections[0]?.become('failed');
    await pass(1500);
    peer.connections[1]?.become('failed');
    await pass(3000);
    (await answer(peer.connections[2]!)).close();
    await pass(1600);
    expect(peer.connections).toHaveLength(4);
    session.leave();
  });
});

describe('what a device says of itself', () => {
  it.each([
    ['No memory.', 'No memory.'],
    ['', 'The model did not load.'],
    ['x'.repeat(500), 'x'.repeat(400)],
  ])('is why its model did not load, in a sentence that can be sent', async (message, sentence) => {
    const { session, socket, enter } = joined({ load: () => Promise.reject(new Error(message)) });
    await enter();
    expect(socket.sent.filter(({ type }) => type === 'status').at(-1)).toEqual({
      type: 'status',
      status: { kind: 'failed', sentence },
    });
    session.leave();
  });

  it('is that its person pauses it, once it is ready and until they do not, also over a new link', async () => {
    const { session, socket, peer, enter, pass, answer } = joined();
    const told = () => socket.sent.splice(0).flatMap((said) => (said.type === 'status' ? [said.status.kind] : []));
    session.rest(true);
    await enter();
    const host = await answer(peer.connections[0]!);
    expect(told().at(-1)).toBe('ready');
    session.rest(true);
    session.rest(true);
    expect([told(), session.view.status]).toEqual([['paused'], { kind: 'paused' }]);
    host.close();
    await pass(2000);
    await answer(peer.connections[1]!);
    expect(told()).toEqual(['paused']);
    session.rest(false);
    session.rest(false);
    expect([told(), session.view.status]).toEqual([['ready'], { kind: 'ready' }]);
    session.leave();
  });

  it('is whether its tab is hidden, and that it leaves, once', async () => {
    const { session, socket, hidden, enter } = joined();
    await enter();
    socket.sent.length = 0;
    hidden.emit(true);
    session.leave();
    session.leave();
    hidden.emit(false);
    expect(socket.sent).toEqual([{ type: 'hidden', hidden: true }, { type: 'leave' }]);
    expect(session.view.ended).toBe('You left the session.');
  });
});

describe('a model of a hub', () => {
  it('comes over the link to the host, chunk by chunk, before it is loaded; the hub is not asked', async () => {
    const hub = { kind: 'hub' as const, id: 'some/model', endpoint: 'https://hub.example', revision: 'main' };
    const settings = { ...SETTINGS, policy: 'crunch' as const, model: hub };
    const [own, theirs] = [new Disk(), new Disk()];
    const load = vi.fn<ScriptedWorker['load']>(async () => ({ engine: 'x', backend: 'x', parameterCount: 1 }));
    const { session, peer, enter, pass, answer } = joined({ settings, chunks: own, load });
    for (const chunk of ALL) await theirs.fetch(FILE, chunk);
    const room = () => session.view.room;
    const host = new ModelExchange({
      self: 'hosthost',
      settings,
      origin: '',
      chunks: theirs,
      room,
      isHost: () => true,
    });
    await enter();
    await host.look();
    const link = await answer(peer.connections[0]!);
    host.attach(session.view.self, link);
    expect(load).not.toHaveBeenCalled();
    for (let i = 0; i < 60 && load.mock.calls.length === 0; i++) await pass(1000);
    expect(load).toHaveBeenCalledTimes(1);
    expect([...own.kept.keys()].sort()).toEqual(ALL);
    expect(host.givenBytes).toBe(3 * 4 * 2 ** 20 + 5);
    expect(own.fetched).toEqual([]);
    host.close();
    link.close();
    session.leave();
  });
});
