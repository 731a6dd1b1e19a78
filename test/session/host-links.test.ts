import { hexToBytes } from '@noble/hashes/utils.js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { proofKeyOf, secretOf } from '../../signaling/protocol/door/secret.ts';
import type { DeviceView, RoomView } from '../../signaling/protocol/room-view.ts';
import { HostLinks } from '../../web/session/host-links.ts';
import type { Opened } from '../../web/session/links/channel-link.ts';
import { ChannelLink } from '../../web/session/links/channel-link.ts';
import type { ProofTerms } from '../../web/session/links/proof.ts';
import { tensorSizes } from '../../web/session/links/tensor-sizes.ts';
import type { Standing } from '../../web/session/own-door.ts';
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
  let how = standing;
  let seed = 10;
  const links = new HostLinks({
    environment: { createPeer: () => peer, randomBytes: (length) => new Uint8Array(length).fill(seed++) },
    entrance: { secret: SECRET, standing: () => how },
    settings: SETTINGS,
    client: { send: () => undefined },
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
  store.dispatch({ type: 'message', message: { type: 'room', room } });
  /** The device connects, and is what `change` makes of it. */
  const arrive = async (change: Partial<ProofTerms>) => {
    const connection = new FakeConnection(`peer-of-${DEVICE}`);
    peer.emit('connection', connection);
    const link = new ChannelLink(connection.far, tensorSizes(SETTINGS), termsOf('device', change));
    connection.channel.fire('open');
    await settle();
    const opened: Opened | null = await Promise.race([link.opened.catch(() => null), settle().then(() => null)]);
    return { connection, link, opened };
  };
  return { arrive, deviceLinks, store, links, become: (next: Standing) => (how = next) };
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
