import type { DataConnection, Peer } from 'peerjs';
import { installWebRtc } from '../../signaling/node/webrtc.ts';
import type { TensorSizes } from '../../signaling/protocol/exchange/data-messages.ts';
import type { ChannelLink } from '../../web/session/links/channel-link.ts';
import { openLink } from '../../web/session/links/open-link.ts';
import type { OpenConnection } from '../../web/session/links/peer-connection.ts';
import { PeerAddress } from '../../web/session/links/peer-links.ts';
import { withLocalServer } from '../browser/local-server.ts';
import { opening, rawChannel } from '../session/real-peers.ts';
import { Network } from './network.ts';

/** Two peers in this process, over real WebRTC, and a network between them. */
export interface TwoPeers {
  readonly network: Network;
  readonly ada: Peer;
  readonly ben: Peer;
}

export async function withTwoPeers(seed: number, body: (ends: TwoPeers) => Promise<void>): Promise<void> {
  const PeerClass = await installWebRtc();
  await withLocalServer({ pages: {}, files: {} }, async ({ url, peerPath }) => {
    const network = new Network(url, { seed });
    const peers: Peer[] = [];
    const introduced = async (name: string): Promise<Peer> => {
      const { hostname, port } = new URL((await network.door(name)).origin);
      const options = { host: hostname, port: Number(port), path: peerPath, secure: false, config: { iceServers: [] } };
      const peer = new PeerClass(name, options);
      peers.push(peer);
      await new Promise<void>((resolve, reject) => {
        peer.on('open', () => resolve());
        peer.on('error', reject);
      });
      return peer;
    };
    try {
      const [ada, ben] = await Promise.all([introduced('ada'), introduced('ben')]);
      await body({ network, ada, ben });
    } finally {
      for (const peer of peers) peer.destroy();
      await network.close();
    }
  });
}

/** A bare channel, both ends. */
export async function channels({ ada, ben }: TwoPeers): Promise<readonly [RTCDataChannel, RTCDataChannel]> {
  const called = new Promise<DataConnection>((resolve) => ben.on('connection', resolve));
  const both = [rawChannel(ada.connect('ben', { reliable: true })), rawChannel(await called)] as const;
  await Promise.all(both.map(opening));
  return both;
}

/** A link as sessions open it, both ends: a device's and its host's. */
export async function links({ ada, ben }: TwoPeers, sizes: TensorSizes): Promise<readonly [ChannelLink, ChannelLink]> {
  const parties = { room: 'abc234', host: 'hosthost', device: 'device00', keys: {}, expected: false };
  const called = new Promise<OpenConnection>((resolve, reject) => {
    const host = new PeerAddress({ createPeer: () => ben }, (incoming) => incoming.open().then(resolve, reject));
    host.introduce({ id: 'ben', token: 't', iceServers: [] });
  });
  const device = new PeerAddress({ createPeer: () => ada });
  device.introduce({ id: 'ada', token: 't', iceServers: [] });
  const ends = await Promise.all([device.connect('ben'), called]);
  const [atDevice, atHost] = await Promise.all(
    (['device', 'host'] as const).map((own, i) =>
      openLink(ends[i]!, sizes, { ...parties, own }, (length) => crypto.getRandomValues(new Uint8Array(length))),
    ),
  );
  return [atDevice!.link, atHost!.link];
}

/** Bytes of the next message, or null where none comes within `limitMs`. */
export function heard(channel: RTCDataChannel, limitMs: number): Promise<Uint8Array | null> {
  return new Promise((resolve) => {
    const settle = (bytes: Uint8Array | null): void => {
      clearTimeout(timer);
      channel.removeEventListener('message', hear);
      resolve(bytes);
    };
    const hear = ({ data }: MessageEvent<ArrayBuffer>): void => settle(new Uint8Array(data));
    const timer = setTimeout(settle, limitMs, null);
    channel.addEventListener('message', hear);
  });
}
