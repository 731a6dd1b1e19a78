import type { DataConnection, Peer } from 'peerjs';

/** What one end of a trial connection is told and what it found. Plain data: it travels to a tab and back. */
export interface ExchangeRequest {
  readonly id: string;
  /** The id to call, or null to be called. */
  readonly remote: string | null;
  readonly port: number;
  readonly path: string;
  readonly sendBytes: number;
  readonly expectBytes: number;
  /** First state of the byte generator of what this end sends. */
  readonly seed: number;
}

export interface ExchangeResult {
  readonly receivedBytes: number;
  /** FNV-1a (32 bits) of all received bytes in order. */
  readonly checksum: number;
  readonly elapsedMs: number;
  /** `typ` of this end's ICE candidates. */
  readonly candidateTypes: readonly string[];
}

/**
 * Connects to another end through PeerServer on this machine, opens a negotiated channel on the connection, sends and receives.
 * Refers to nothing outside itself, because a tab is sent its source text.
 */
export async function exchange(PeerClass: typeof Peer, request: ExchangeRequest): Promise<ExchangeResult> {
  const SLICE_BYTES = 16 * 1024;
  // A first burst of 256 KiB and more overflows the receiver's UDP buffer (208 KiB by default on Linux), and the sender then pauses for
  // seconds: it has no measure of the round trip yet by which to repeat sooner.
  const HIGH_WATER_BYTES = 128 * 1024;
  const TIMEOUT_MS = 60_000;
  // An id that PeerJS's own channel (0 or 1) does not use. Firefox negotiates 256 streams, so ids from 256 upwards fail there.
  const CHANNEL_ID = 64;

  const peer = new PeerClass(request.id, {
    host: '127.0.0.1',
    port: request.port,
    path: request.path,
    // Unset, PeerJS reads `location`, which Node lacks.
    secure: false,
    // Unset, PeerJS takes public STUN and TURN servers.
    config: { iceServers: [] },
  });
  // Left open at the end, or the other end's last bytes might never arrive; and held, so that nothing collects it meanwhile.
  Object.assign(globalThis, { trialPeer: peer });
  const failed = new Promise<never>((_resolve, reject) => peer.on('error', reject));
  let stage = 'registering';
  let link: RTCPeerConnection | undefined;

  const talk = async (): Promise<ExchangeResult> => {
    // Listened for from the start: a call that waited at the server comes in the same tick as `open`.
    const called = new Promise<DataConnection>((resolve) => peer.on('connection', resolve));
    await new Promise<void>((resolve) => peer.on('open', () => resolve()));
    stage = 'connecting';
    const connection =
      request.remote === null ? await called : peer.connect(request.remote, { serialization: 'json', reliable: true });
    link = connection.peerConnection;
    const otherIsReady = new Promise<void>((resolve) => connection.on('data', () => resolve()));
    await new Promise<void>((resolve, reject) => {
      connection.on('open', resolve);
      connection.on('error', reject);
    });

    stage = 'opening the channel';
    const channel = link.createDataChannel('bulk', { negotiated: true, id: CHANNEL_ID });
    channel.binaryType = 'arraybuffer';
    let receivedBytes = 0;
    let checksum = 0x811c9dc5;
    const received = new Promise<void>((resolve) => {
      channel.onmessage = (event: MessageEvent<ArrayBuffer>) => {
        for (const byte of new Uint8Array(event.data)) checksum = Math.imul(checksum ^ byte, 0x01000193) >>> 0;
        receivedBytes += event.data.byteLength;
        stage = `receiving, ${receivedBytes} bytes so far`;
        if (receivedBytes >= request.expectBytes) resolve();
      };
    });
    if (channel.readyState !== 'open') {
      await new Promise<void>((resolve) => {
        channel.onopen = () => resolve();
      });
    }
    stage = 'waiting for the other end to be ready';
    // A negotiated channel has no handshake of its own: bytes sent before the other end has made its half may be lost.
    await connection.send({ ready: true });
    await otherIsReady;

    stage = 'sending';
    const start = performance.now();
    channel.bufferedAmountLowThreshold = HIGH_WATER_BYTES / 2;
    let state = request.seed;
    for (let sent = 0; sent < request.sendBytes; sent += SLICE_BYTES) {
      if (channel.bufferedAmount > HIGH_WATER_BYTES) {
        await new Promise<void>((resolve) => {
          channel.onbufferedamountlow = () => resolve();
        });
      }
      const slice = new Uint8Array(Math.min(SLICE_BYTES, request.sendBytes - sent));
      for (let i = 0; i < slice.length; i++) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        slice[i] = state >>> 24;
      }
      channel.send(slice);
    }
    await received;
    const elapsedMs = performance.now() - start;
    const candidates = [...(link.localDescription?.sdp ?? '').matchAll(/a=candidate:.* typ (\w+)/g)];
    return { receivedBytes, checksum, elapsedMs, candidateTypes: [...new Set(candidates.map((c) => c[1] ?? ''))] };
  };

  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const states = `ice ${link?.iceConnectionState}, gathering ${link?.iceGatheringState}, signaling ${link?.signalingState}`;
      const sdp = `${link?.localDescription?.sdp}\n${link?.remoteDescription?.sdp}`
        .match(/a=candidate:.*/g)
        ?.join('\n');
      reject(new Error(`${request.id} is still ${stage} after ${TIMEOUT_MS} ms (${states})\n${sdp}`));
    }, TIMEOUT_MS);
  });
  try {
    return await Promise.race([talk(), failed, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** FNV-1a of what an end with this seed sends, worked out without any channel. */
export function expectedChecksum(seed: number, bytes: number): number {
  let state = seed;
  let checksum = 0x811c9dc5;
  for (let i = 0; i < bytes; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    checksum = Math.imul(checksum ^ (state >>> 24), 0x01000193) >>> 0;
  }
  return checksum;
}
