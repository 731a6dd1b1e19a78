import type { DataConnection } from 'peerjs';
import { afterEach, describe, expect, it } from 'vitest';
import { ChannelLink } from '../../web/session/links/channel-link.ts';
import { openLink } from '../../web/session/links/open-link.ts';
import type { OpenConnection } from '../../web/session/links/peer-connection.ts';
import { PeerAddress } from '../../web/session/links/peer-links.ts';
import { tensorSizes } from '../../web/session/links/tensor-sizes.ts';
import { SETTINGS } from '../protocol/samples.ts';
import { termsOf } from './link-scene.ts';
import { address, endPeers, hostAddress, opening, plainPeer, rawChannel, say } from './real-peers.ts';

/** Real connections between a host and peers that do not behave. */
const sizes = tensorSizes(SETTINGS);
const KIB = 1024;
let nonce = 0;
const randomBytes = (length: number): Uint8Array => new Uint8Array(length).fill(++nonce);
const linkAs = (own: 'host' | 'device', connection: OpenConnection, change = {}) =>
  openLink(connection, sizes, { ...termsOf(own), ...change }, randomBytes);

afterEach(endPeers);

const turns = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Sends as fast as the channel takes it, until it takes no more or the time is over. Bytes that were sent. */
async function flood(channel: RTCDataChannel, message: Uint8Array<ArrayBuffer>, forMs: number): Promise<number> {
  let sent = 0;
  for (const endMs = performance.now() + forMs; performance.now() < endMs && channel.readyState === 'open'; ) {
    if (channel.bufferedAmount > 1024 * KIB) {
      await turns(2);
      continue;
    }
    try {
      channel.send(message);
    } catch {
      break;
    }
    sent += message.length;
  }
  return sent;
}

const heldBytes = (): number => {
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
};

describe('two devices of ours', () => {
  it('are linked and proven over real WebRTC, by one channel', async () => {
    const { incoming } = await hostAddress('a.test', 'host');
    const device = await address('a.test', 'device');
    const [there, here] = await Promise.all([incoming, device.connect('host')]);
    expect([there.ownFingerprint, there.otherFingerprint]).toEqual([here.otherFingerprint, here.ownFingerprint]);
    const [host, joined] = await Promise.all([linkAs('host', there), linkAs('device', here)]);
    expect([host.proof, joined.proof]).toEqual(['secret', 'secret']);
    const arrived = new Promise((resolve) => host.link.onMessage(({ header }) => resolve(header)));
    void joined.link.send({ header: { type: 'probe', probe: 5 }, tensors: [] });
    expect(await arrived).toEqual({ type: 'probe', probe: 5 });
    const ended = new Promise((resolve) => joined.link.onClose(resolve));
    host.link.close();
    expect(await ended).toMatch(/closed/);
  });
});

describe('who sits between two devices', () => {
  /** Two connections of its own, on which it passes on everything. */
  async function between() {
    const { incoming } = await hostAddress('b.test', 'host');
    const [asHost, asDevice] = [await plainPeer('a.test', 'host'), await plainPeer('b.test', 'device')];
    const toDevice = new Promise<RTCDataChannel>((resolve) =>
      asHost.on('connection', (connection) => resolve(rawChannel(connection))),
    );
    const device = await address('a.test', 'device');
    const toHost = rawChannel(asDevice.connect('host', { serialization: 'raw' }));
    const connected = device.connect('host');
    const ends = [await toDevice, toHost];
    ends.forEach((channel, i) => {
      const kept: ArrayBuffer[] = [];
      const other = ends[1 - i];
      channel.addEventListener('message', ({ data }) => {
        if (other.readyState === 'open') other.send(data);
        else kept.push(data);
      });
      other.addEventListener('open', () => {
        for (const data of kept) other.send(data);
      });
    });
    return { there: await incoming, here: await connected };
  }

  it('is found by both, and nothing is said to it', async () => {
    const { there, here } = await between();
    expect(there.otherFingerprint).not.toBe(here.ownFingerprint);
    const ended = await Promise.allSettled([linkAs('host', there), linkAs('device', here)]);
    expect(ended.map((end) => end.status === 'rejected' && end.reason.message)).toEqual([
      expect.stringMatching(/Somebody may sit between/),
      expect.stringMatching(/Somebody may sit between|was closed/),
    ]);
  });

  it('makes the two show other digits where neither has the secret', async () => {
    const { there, here } = await between();
    const open = { keys: {}, expected: false };
    const [host, device] = await Promise.all([linkAs('host', there, open), linkAs('device', here, open)]);
    expect([host.proof, device.proof]).toEqual(['not proven', 'not proven']);
    expect(host.digits).not.toBe(device.digits);
    for (const { link } of [host, device]) link.close();
  });
});

describe('a peer that opens more than one channel', () => {
  async function hostile() {
    const { incoming } = await hostAddress('a.test', 'host');
    const peer = await plainPeer('a.test', 'device');
    const connection = peer.connect('host', { reliable: true, serialization: 'binary' });
    const channel = rawChannel(connection);
    await opening(channel);
    return { incoming, connection, channel };
  }

  it('finds PeerJS’s own closed, and what it sends over it is not kept', async () => {
    const { incoming, connection } = await hostile();
    const there = await incoming;
    const own = connection.dataChannel;
    const before = heldBytes();
    // As PeerJS cuts a message of 64 GB, whose pieces it would keep until all of them had come.
    const sent = await flood(own, new Uint8Array(16 * KIB), 4000);
    await turns(500);
    expect(own.readyState).not.toBe('open');
    expect(heldBytes() - before).toBeLessThan(32 * KIB * KIB);
    expect(sent).toBeLessThan(64 * KIB * KIB);
    there.close();
  });

  it('loses its link, and what it sends is not kept', async () => {
    const { incoming, connection, channel } = await hostile();
    const there = await incoming;
    const link = new ChannelLink(there.channel, sizes, termsOf('host'));
    there.onBreach((why) => link.close(why));
    const ended = new Promise<string>((resolve) => link.onClose(resolve));
    const before = heldBytes();
    const extra = Array.from({ length: 100 }, (_, i) => connection.peerConnection.createDataChannel(`extra ${i}`));
    await flood(extra[0], new Uint8Array(64 * KIB), 3000);
    expect(await ended).toBe('The other side opened a channel that nobody asked for.');
    await turns(500);
    expect(channel.readyState).not.toBe('open');
    expect(heldBytes() - before).toBeLessThan(32 * KIB * KIB);
  });
});

describe('a peer that sends sound', () => {
  it('is refused', async () => {
    const { incoming } = await hostAddress('a.test', 'host');
    const refused = incoming.then(
      () => 'opened',
      (error: Error) => error.message,
    );
    await plainPeer('a.test', 'device');
    const pc = new RTCPeerConnection({ iceServers: [] });
    pc.createDataChannel('tabloom', { negotiated: true, id: 100 });
    pc.addTransceiver('audio');
    await pc.setLocalDescription(await pc.createOffer());
    say('a.test', 'device', 'host', {
      type: 'OFFER',
      payload: { type: 'data', sdp: pc.localDescription, connectionId: 'dc_1', label: 'x', serialization: 'raw' },
    });
    expect(await refused).toMatch(/pictures or sound/);
    pc.close();
  });
});

describe('a device that nobody has to reach', () => {
  it('refuses who connects to it, and does not fall over', async () => {
    await address('a.test', 'device');
    const stranger = await plainPeer('a.test', 'stranger');
    const connection = stranger.connect('device', { serialization: 'raw' });
    const channel = rawChannel(connection);
    const opened = await Promise.race([opening(channel).then(() => true), turns(3000).then(() => false)]);
    expect(opened).toBe(false);
  });
});

describe('a peer that lies on the channel itself', () => {
  async function raw() {
    const { incoming } = await hostAddress('a.test', 'host');
    const peer = await plainPeer('a.test', 'device');
    const channel = rawChannel(peer.connect('host', { serialization: 'raw' }));
    await opening(channel);
    const there = await incoming;
    const link = new ChannelLink(there.channel, sizes, termsOf('host'), there.early());
    link.onClose(() => there.close());
    return { channel, ended: new Promise<string>((resolve) => link.onClose(resolve)) };
  }

  it.each<[string, number, (view: DataView) => void, RegExp]>([
    ['announces 4 GB with 17 bytes', 17, (view) => view.setUint32(4, 2 ** 32 - 1, true), /longer than any/],
    ['sends noise', 900, (view) => view.setFloat64(8, Math.PI), /longer than any|without its beginning|out of place/],
    ['speaks before it has proven itself', 17, (view) => view.setUint32(4, 1, true), /damaged|before/],
    ['sends nothing but a header', 16, () => undefined, /impossible size/],
    ['sends a message of 200 KB at once', 200_000, () => undefined, /impossible size/],
  ])('is given up when it %s', async (_, length, write, why) => {
    const { channel, ended } = await raw();
    const bytes = new Uint8Array(length);
    write(new DataView(bytes.buffer));
    channel.send(bytes);
    expect(await ended).toMatch(why);
  });
});

describe('what PeerJS trips over', () => {
  it('ends no process: a candidate that is none, for a connection that is closed meanwhile', async () => {
    const peer = await plainPeer('a.test', 'host');
    const arrived = new Promise<DataConnection>((resolve) => peer.on('connection', resolve));
    const made = new PeerAddress({ createPeer: () => peer }, (incoming) => void incoming.open().catch(() => undefined));
    made.introduce({ id: 'host', token: 't', iceServers: [] });
    const caller = await plainPeer('a.test', 'device');
    await opening(rawChannel(caller.connect('host', { serialization: 'raw' })));
    const connection = await arrived;
    // Not before there is WebRTC: PeerJS looks for it once.
    const { ServerMessageType } = await import('peerjs');
    const candidate = { candidate: 'candidate:1 1 udp 1 nowhere 1 typ host', sdpMid: '0', sdpMLineIndex: 0 };
    const handled = connection.handleMessage({
      type: ServerMessageType.Candidate,
      src: 'device',
      payload: { type: 'data', connectionId: connection.connectionId, candidate },
    });
    made.close();
    // Nobody waits for this promise in PeerJS: a rejection would end the process.
    await expect(handled).resolves.toBeUndefined();
  });
});
