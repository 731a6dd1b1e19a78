import { hexToBytes } from '@noble/hashes/utils.js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { proofKeyOf, secretOf } from '../../signaling/protocol/door/secret.ts';
import type { ClientMessage } from '../../signaling/protocol/messages.ts';
import type { DeviceView, RoomView } from '../../signaling/protocol/room-view.ts';
import type { Opened } from '../../web/session/links/channel-link.ts';
import { ChannelLink } from '../../web/session/links/channel-link.ts';
import type { ProofTerms } from '../../web/session/links/proof.ts';
import { tensorSizes } from '../../web/session/links/tensor-sizes.ts';
import { HostLinks } from '../../web/session/own/host-links.ts';
import type { Standing } from '../../web/session/own/own-door.ts';
import { DeviceLinks } from '../../web/session/rounds/device-links.ts';
import { ViewStore } from '../../web/session/view/view-store.ts';
import { SETTINGS } from '../protocol/samples.ts';
import { FakeConnection, FakePeer } from './fake-peer.ts';
import { termsOf } from './link-scene.ts';

/** Who gets a link to a host, and what the host then knows of them. */
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const settle = () => vi.advanceTimersByTimeAsync(20);
const SECRET = secretOf(new Uint8Array(16).fill(5));
const KEY = proofKeyOf(SECRET);
const DEVICE = 'bbbbbbbb';

const known = (id: string): DeviceView => ({
  id,
  name: id,
  kind: 'tab',
  status: { kind: 'ready' },
  hidden: false,
  linked: false,
  online: true,
  peerId: `peer-of-${id}`,
  profile: null,
});

function host(standing: Standing) {
  const peer = new FakePeer();
  const deviceLinks = new DeviceLinks();
  const store = new ViewStore('host', 'hosthost');
  let seed = 10;
  const sent: ClientMessage[] = [];
  const links = new HostLinks({
    onLinked: () => undefined,
    environment: { createPeer: () => peer, randomBytes: (length) => new Uint8Array(length).fill(seed++) },
    entrance: { secret: SECRET, standing: () => standing },
    settings: SETTINGS,
    client: { send: (message) => sent.push(message) },
    deviceLinks,
    store,
  });
  links.introduce({ id: 'thistab', token: '0'.repeat(32), iceServers: [] });
  const room: RoomView = {
    id: 'abc234',
    settings: SETTINGS,
    phase: 'gathering',
    host: 'hosthost',
    devices: [known('hosthost'), known(DEVICE)],
    plan: null,
    planNote: null,
  };
  const tell = (devices: DeviceView[]) =>
    store.dispatch({ type: 'message', message: { type: 'room', room: { ...room, devices } } });
  tell(room.devices);
  /** Somebody connects, and nothing comes of it yet. */
  const call = (peerId: string) => {
    const connection = new FakeConnection(peerId);
    peer.emit('connection', connection);
    return connection;
  };
  /** The device connects, and is what `change` makes of it. */
  const arrive = async (change: Partial<ProofTerms>) => {
    const connection = call(`peer-of-${change.device ?? DEVICE}`);
    const link = new ChannelLink(connection.far, tensorSizes(SETTINGS), termsOf('device', change));
    connection.channel.fire('open');
    await settle();
    const opened: Opened | null = await Promise.race([link.opened.catch(() => null), settle().then(() => null)]);
    return { connection, link, opened };
  };
  return { arrive, call, tell, sent, room, deviceLinks, store, links };
}

const withSecret = { keys: { secret: KEY } };
const withCode = { keys: {}, expected: false };

describe('a host links', () => {
  it.each<[Standing, string, Partial<ProofTerms>, string | null]>([
    ['must prove', 'the secret', withSecret, 'secret'],
    ['must prove', 'the code alone', withCode, null],
    ['must prove', 'another secret', { keys: { secret: new Uint8Array(32) } }, null],
    ['may come', 'the secret', withSecret, 'secret'],
    ['may come', 'the code alone', withCode, 'not proven'],
    ['may come', 'another secret', { keys: { secret: new Uint8Array(32) } }, null],
    ['removed', 'the secret', withSecret, null],
    ['removed', 'the code alone', withCode, null],
  ])('who %s and has %s: %s', async (standing, _, change, proof) => {
    const { arrive, deviceLinks, store, links } = host(standing);
    const { opened, connection } = await arrive(change);
    expect([deviceLinks.has(DEVICE), store.view.proofs[DEVICE]?.proof ?? null]).toEqual([proof !== null, proof]);
    expect(opened?.proof ?? null).toBe(proof);
    expect(connection.channel.open).toBe(proof !== null);
    links.close();
    expect(store.view.proofs).toEqual({});
  });

  it('knows a device again after its digits were compared, without asking once more', async () => {
    const { arrive, store, links } = host('may come');
    const first = await arrive(withCode);
    expect(store.view.proofs[DEVICE]).toEqual({ proof: 'not proven', digits: first.opened?.digits });
    expect(first.opened?.digits).toMatch(/^\d{6}$/);
    const told = new Promise<string>((resolve) =>
      first.link.onMessage(({ header }) => header.type === 'compared' && resolve(header.key)),
    );
    links.compared(DEVICE);
    expect(store.view.proofs[DEVICE]).toEqual({ proof: 'compared', digits: null });
    await settle();
    const compared = hexToBytes(await told);
    first.link.close();
    await settle();
    const second = await arrive({ keys: { compared }, expected: false });
    expect([second.opened, store.view.proofs[DEVICE]]).toEqual(Array(2).fill({ proof: 'compared', digits: null }));
    // Another one that says to be this device is told of its digits again, not taken for it.
    second.link.close();
    await settle();
    const other = await arrive(withCode);
    expect(other.opened?.proof).toBe('not proven');
    links.close();
  });

  it('does not tell a device a key whose digits nobody has to compare', async () => {
    const { arrive, store, links } = host('may come');
    const { link } = await arrive(withSecret);
    const heard: string[] = [];
    link.onMessage(({ header }) => heard.push(header.type));
    links.compared(DEVICE);
    links.compared('nobodyhere');
    await settle();
    expect([heard, store.view.proofs[DEVICE]?.proof]).toEqual([[], 'secret']);
    links.close();
  });

  it('nobody who asks for more than ten links in a row, and says twice why none came about', async () => {
    const { arrive, store, links } = host('must prove');
    const tries: FakeConnection[] = [];
    for (let i = 0; i < 11; i++) tries.push((await arrive(withCode)).connection);
    // The last was not even greeted.
    expect(tries.map(({ channel }) => channel.sentBytes.length > 0)).toEqual([...Array(10).fill(true), false]);
    const said = store.view.notices.filter(({ sentence }) => /could not be linked/.test(sentence));
    expect(said).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(6000);
    expect((await arrive(withCode)).connection.channel.sentBytes.length).toBeGreaterThan(0);
    links.close();
  });
});

describe('what the room is told of links', () => {
  const linked = (device: string, is: boolean) => ({ type: 'linked', device, linked: is });

  it('is each that opens and closes, and once more where the server has forgotten it', async () => {
    const { arrive, sent, room, links, store } = host('must prove');
    const { link } = await arrive(withSecret);
    expect(sent.splice(0)).toEqual([linked(DEVICE, true)]);
    const asTold = (change: Partial<DeviceView>, own: Partial<DeviceView> = {}) => {
      links.reconcile({
        ...room,
        devices: [
          { ...known('hosthost'), ...own },
          { ...known(DEVICE), ...change },
        ],
      });
      return sent.splice(0);
    };
    expect(asTold({ linked: true })).toEqual([]);
    expect(asTold({ linked: false })).toEqual([linked(DEVICE, true)]);
    // The host has no link to itself, whatever is said of it.
    expect(asTold({ linked: true }, { linked: true })).toEqual([]);
    link.close();
    await settle();
    expect(sent.splice(0)).toEqual([linked(DEVICE, false)]);
    expect(asTold({ linked: false })).toEqual([]);
    expect(asTold({ linked: true })).toEqual([linked(DEVICE, false)]);
    expect(store.view.notices.map(({ sentence }) => sentence)).toEqual([
      `The link to ${DEVICE} is down: The connection was closed.`,
    ]);
    links.close();
  });

  it('raises doubt of a device that has lost the server, and of no other', () => {
    const { room, links, deviceLinks } = host('must prove');
    const doubt = vi.spyOn(deviceLinks, 'doubt');
    links.reconcile({ ...room, devices: [known('hosthost'), { ...known(DEVICE), online: false }] });
    expect(doubt.mock.calls).toEqual([
      ['hosthost', false],
      [DEVICE, true],
    ]);
    links.close();
  });

  it('at the end is no news for the host’s person', async () => {
    const { arrive, links, store, deviceLinks } = host('must prove');
    await arrive(withSecret);
    links.close();
    await settle();
    expect([deviceLinks.has(DEVICE), store.view.notices]).toEqual([false, []]);
  });
});

describe('a device that calls before the room has told of it', () => {
  const early = { ...withSecret, device: 'cccccccc' };

  it('is linked when the room tells', async () => {
    const { arrive, tell, room, deviceLinks, links } = host('must prove');
    const { connection } = await arrive(early);
    await vi.advanceTimersByTimeAsync(9000);
    tell([...room.devices, known('dddddddd')]);
    await settle();
    expect([connection.channel.open, connection.channel.sentBytes]).toEqual([true, []]);
    tell([...room.devices, known('cccccccc')]);
    await settle();
    expect(deviceLinks.has('cccccccc')).toBe(true);
    links.close();
  });

  it('is closed after ten seconds, and when the session ends', async () => {
    const { arrive, links } = host('must prove');
    const { connection } = await arrive(early);
    await vi.advanceTimersByTimeAsync(9900);
    expect(connection.channel.open).toBe(true);
    await vi.advanceTimersByTimeAsync(200);
    // Nothing was said to it.
    expect([connection.channel.open, connection.channel.sentBytes]).toEqual([false, []]);
    const other = await arrive(early);
    links.close();
    await settle();
    expect([other.connection.channel.open, other.connection.channel.sentBytes]).toEqual([false, []]);
  });
});

describe('calls that come to nothing', () => {
  const refused = (connection: FakeConnection) => connection.closed > 0;

  it('are three at a time of one device, until one of them has failed', async () => {
    const { call, links } = host('must prove');
    const calls = Array.from({ length: 4 }, () => call('peer-of-one'));
    expect(calls.map(refused)).toEqual([false, false, false, true]);
    expect(refused(call('peer-of-another'))).toBe(false);
    calls[1]?.become('failed');
    await settle();
    expect([call('peer-of-one'), call('peer-of-one')].map(refused)).toEqual([false, true]);
    links.close();
  });

  it('are 128 at a time of all', () => {
    const { call, links } = host('must prove');
    const calls = Array.from({ length: 130 }, (_, i) => call(`peer-of-${i % 65}`));
    expect(calls.map(refused)).toEqual([...Array(128).fill(false), true, true]);
    links.close();
  });

  it.each([
    [255, true],
    [256, false],
  ])('are remembered of the last 256 who called: of one that called before %i others: %s', async (others, known) => {
    const { call, links } = host('must prove');
    const fails = async (peerId: string) => {
      const connection = call(peerId);
      const was = refused(connection);
      connection.become('failed');
      await vi.advanceTimersByTimeAsync(0);
      return was;
    };
    for (let i = 0; i < 10; i++) expect(await fails('peer-of-one')).toBe(false);
    for (let i = 0; i < others; i++) await fails(`peer-of-${i}`);
    expect(refused(call('peer-of-one'))).toBe(known);
    links.close();
  });
});
