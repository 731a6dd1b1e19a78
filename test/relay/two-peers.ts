import type { DataConnection } from 'peerjs';
import { installWebRtc } from '../../signaling/node/webrtc.ts';
import { withLocalServer } from '../browser/local-server.ts';
import { opening, rawChannel } from '../session/real-peers.ts';
import { Network } from './network.ts';

/** Two peers in this process, over real WebRTC and a network between them: a channel at each end. */
export async function withTwoPeers(
  seed: number,
  body: (ends: { network: Network; ada: RTCDataChannel; ben: RTCDataChannel }) => Promise<void>,
): Promise<void> {
  const PeerClass = await installWebRtc();
  await withLocalServer({ pages: {}, files: {} }, async ({ url, peerPath }) => {
    const network = new Network(url, { seed });
    const [ada, ben] = await Promise.all(
      ['ada', 'ben'].map(async (name) => {
        const { hostname, port } = new URL((await network.door(name)).origin);
        const options = {
          host: hostname,
          port: Number(port),
          path: peerPath,
          secure: false,
          config: { iceServers: [] },
        };
        const peer = new PeerClass(name, options);
        await new Promise<void>((resolve, reject) => {
          peer.on('open', () => resolve());
          peer.on('error', reject);
        });
        return peer;
      }),
    );
    if (ada === undefined || ben === undefined) throw new Error('A peer is missing.');
    try {
      const called = new Promise<DataConnection>((resolve) => ben.on('connection', resolve));
      const channels = [rawChannel(ada.connect('ben', { reliable: true })), rawChannel(await called)] as const;
      await Promise.all(channels.map(opening));
      await body({ network, ada: channels[0], ben: channels[1] });
    } finally {
      for (const peer of [ada, ben]) peer.destroy();
      await network.close();
    }
  });
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
