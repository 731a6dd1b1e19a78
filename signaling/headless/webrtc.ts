import { createRequire } from 'node:module';
import type { Peer } from 'peerjs';
import { WebSocket } from 'ws';

/**
 * Gives this Node process what PeerJS looks for in a browser's global scope, then loads PeerJS. The same session code then runs in a
 * headless device as in a tab. Safe to call more than once.
 *
 * A process with open connections ends only when they are closed: wrtc's own threads and PeerJS's socket keep it alive. Close every
 * connection and `destroy()` the peer, and Node exits by itself.
 *
 * In Node, PeerJS needs `host`, `port` and `secure` spelt out: unset, it reads `location`. Like in a page, `config.iceServers` must be
 * given too, or it takes public STUN and TURN servers.
 */
export async function installWebRtc(): Promise<typeof Peer> {
  // A CommonJS package whose named exports Node's loader does not see.
  const wrtc: typeof import('@roamhq/wrtc') = createRequire(import.meta.url)('@roamhq/wrtc');
  const { RTCPeerConnection, RTCSessionDescription, RTCIceCandidate } = wrtc;
  Object.assign(globalThis, { RTCPeerConnection, RTCSessionDescription, RTCIceCandidate, WebSocket });
  // After the globals: PeerJS tries WebRTC out while it loads, and remembers.
  const peerjs = await import('peerjs');
  return peerjs.Peer;
}
