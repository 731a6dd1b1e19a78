import { type DataConnection, Peer } from 'peerjs';
import type { OpenConnection } from '../../../../web/session/links/peer-connection.ts';
import { PeerAddress } from '../../../../web/session/links/peer-links.ts';
import { type BareSetting, bare, type Contender, peerjs, tabloom, together } from './contenders.ts';

/** One end of a link that is measured, in a tab. */

export type Kind =
  | { readonly type: 'bare'; readonly setting: BareSetting }
  | { readonly type: 'tabloom' }
  | { readonly type: 'peerjs' };

export interface Sent {
  /** Of all of it and of what counts, in milliseconds since 1970. */
  readonly warmMs: number;
  readonly endMs: number;
  readonly pongsMs: readonly number[];
  readonly believedBits: number | null;
}

export interface LinkEnd {
  /** Waits for a caller under this id. */
  answer(id: string, kind: Kind): Promise<void>;
  call(
    id: string,
    remote: string,
    kind: Kind,
    seconds: { readonly warm: number; readonly measured: number },
  ): Promise<Sent>;
  /** Bytes of bulk that came, by when. */
  received(): readonly (readonly [atMs: number, bytes: number])[];
  close(): void;
}

declare global {
  var linkEnd: LinkEnd;
}

const PING_EVERY_MS = 60;
const PEERJS = { reliable: true, serialization: 'binary' };
const now = (): number => performance.timeOrigin + performance.now();
const received: [number, number][] = [];
let closing: (() => void)[] = [];

async function introduced(id: string): Promise<Peer> {
  const port = Number(location.port);
  const peer = new Peer(id, {
    host: location.hostname,
    port,
    path: '/peer',
    secure: false,
    config: { iceServers: [] },
  });
  closing.push(() => peer.destroy());
  await new Promise<void>((resolve, reject) => {
    peer.on('open', () => resolve());
    peer.on('error', reject);
  });
  return peer;
}

/** PeerJS's connection, or what a session makes of it. */
async function contender(peer: Peer, kind: Kind, remote: string | null): Promise<Contender> {
  const answers = remote === null;
  if (kind.type === 'tabloom') {
    const connection = await new Promise<OpenConnection>((resolve, reject) => {
      const address = new PeerAddress(
        { createPeer: () => peer },
        answers ? (incoming) => incoming.open().then(resolve, reject) : null,
      );
      address.introduce({ id: peer.id, token: 't', iceServers: [] });
      if (remote !== null) address.connect(remote).then(resolve, reject);
    });
    return tabloom(connection, answers);
  }
  const called: DataConnection[] = [];
  const listeners: ((connection: DataConnection) => void)[] = [];
  if (answers)
    peer.on('connection', (connection) => {
      const listener = listeners.shift();
      if (listener === undefined) called.push(connection);
      else listener(connection);
    });
  const next = (): Promise<DataConnection> =>
    new Promise((resolve) => {
      const connection = remote === null ? called.shift() : peer.connect(remote, PEERJS);
      if (connection === undefined) listeners.push(resolve);
      else resolve(connection);
    });
  if (kind.type === 'peerjs') return peerjs(await next(), answers);
  const one = async (): Promise<Contender> => bare((await next()).peerConnection, kind.setting, answers);
  const first = await one();
  const others: Contender[] = [];
  while (others.length < kind.setting.connections - 1) others.push(await one());
  return together([first, ...others]);
}

globalThis.linkEnd = {
  async answer(id, kind) {
    received.length = 0;
    const peer = await introduced(id);
    void contender(peer, kind, null).then((end) => end.onBulk((bytes) => received.push([now(), bytes])));
  },
  async call(id, remote, kind, seconds) {
    const end = await contender(await introduced(id), kind, remote);
    // The other end listens by the time that it answers.
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => end.ping(), 300);
      end.onPong(() => {
        clearInterval(timer);
        resolve();
      });
    });
    await new Promise((resolve) => setTimeout(resolve, 400));
    const believedBits = await end.believed();
    const warmMs = now() + seconds.warm * 1000;
    const endMs = warmMs + seconds.measured * 1000;
    const pongsMs: number[] = [];
    let pingedMs: number | null = null;
    end.onPong(() => {
      if (pingedMs !== null) pongsMs.push(now() - pingedMs);
      pingedMs = null;
    });
    const pinging = setInterval(() => {
      if (pingedMs !== null || now() < warmMs) return;
      pingedMs = now();
      end.ping();
    }, PING_EVERY_MS);
    await end.pump(() => now() > endMs);
    clearInterval(pinging);
    return { warmMs, endMs, pongsMs, believedBits };
  },
  received: () => received,
  close() {
    for (const close of closing) close();
    closing = [];
  },
};
