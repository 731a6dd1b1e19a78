import type { DataConnection, Peer } from 'peerjs';
import { installWebRtc } from '../../signaling/node/webrtc.ts';
import type { OpenConnection } from '../../web/session/links/peer-connection.ts';
import { type Incoming, PeerAddress } from '../../web/session/links/peer-links.ts';

/** Real PeerJS clients over real WebRTC, introduced by a server in this process that passes on whatever they say. */

interface LoopMessage {
  readonly type: string;
  readonly src?: string;
  readonly dst?: string;
  readonly payload?: unknown;
}

/** By server and id. */
const sockets = new Map<string, LoopSocket>();

class LoopSocket {
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  readyState = 0;
  readonly #server: string;
  readonly #id: string;

  constructor(address: string) {
    const url = new URL(address);
    this.#server = url.host;
    this.#id = url.searchParams.get('id') ?? '';
    setTimeout(() => {
      this.readyState = 1;
      sockets.set(`${this.#server} ${this.#id}`, this);
      this.onopen?.();
      this.hear({ type: 'OPEN' });
    }, 0);
  }

  send(text: string): void {
    const message: LoopMessage = JSON.parse(text);
    if (message.dst !== undefined) say(this.#server, this.#id, message.dst, message);
  }

  hear(message: LoopMessage): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  close(): void {
    this.readyState = 3;
    sockets.delete(`${this.#server} ${this.#id}`);
  }
}

/** Says something to a client of `server` as if another had. */
export function say(server: string, src: string, dst: string, message: LoopMessage): void {
  setTimeout(() => sockets.get(`${server} ${dst}`)?.hear({ ...message, src }), 0);
}

const peers: { destroy(): void }[] = [];
/** Ends every client that a test started. */
export function endPeers(): void {
  for (const peer of peers.splice(0)) peer.destroy();
}

/** A client as PeerJS makes it, which does as the test wants. */
export async function plainPeer(server: string, id: string): Promise<Peer> {
  const PeerClass = await installWebRtc();
  Object.assign(globalThis, { WebSocket: LoopSocket });
  const peer = new PeerClass(id, {
    host: server,
    port: 80,
    path: '/peer',
    secure: false,
    token: 't',
    config: { iceServers: [] },
    debug: 0,
  });
  peers.push(peer);
  peer.on('error', () => undefined);
  await new Promise<void>((resolve) => peer.on('open', () => resolve()));
  return peer;
}

/** What sessions have of a client. Given `accept`, it is a host's. */
export async function address(
  server: string,
  id: string,
  accept: ((incoming: Incoming) => void) | null = null,
): Promise<PeerAddress> {
  const peer = await plainPeer(server, id);
  const made = new PeerAddress({ createPeer: () => peer }, accept);
  made.introduce({ id, token: 't', iceServers: [] });
  peers.push({ destroy: () => made.close() });
  return made;
}

/** A host's address; `incoming` is the first connection to it. */
export async function hostAddress(server: string, id: string): Promise<{ incoming: Promise<OpenConnection> }> {
  let settle: (incoming: Promise<OpenConnection>) => void = () => undefined;
  const first = new Promise<OpenConnection>((resolve) => {
    settle = resolve;
  });
  first.catch(() => undefined);
  await address(server, id, (incoming) => settle(incoming.open()));
  return { incoming: first };
}

/** Our channel on a connection of a client that is not ours. */
export function rawChannel(connection: DataConnection): RTCDataChannel {
  // PeerJS ends its connection with its channel; who attacks does not.
  const own: RTCDataChannel | undefined = connection.dataChannel;
  if (own !== undefined) own.onclose = null;
  const channel = connection.peerConnection.createDataChannel('tabloom', { negotiated: true, id: 100, ordered: true });
  channel.binaryType = 'arraybuffer';
  return channel;
}

export const opening = (channel: RTCDataChannel): Promise<void> =>
  new Promise((resolve) => {
    if (channel.readyState === 'open') resolve();
    else channel.addEventListener('open', () => resolve(), { once: true });
  });
