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
  const { RTCDataChannel, RTCPeerConnection, RTCSessionDescription, RTCIceCandidate } = wrtc;
  Object.assign(globalThis, { RTCPeerConnection, RTCSessionDescription, RTCIceCandidate, WebSocket: QuietSocket });
  announceDrain(RTCDataChannel.prototype);
  // After the globals: PeerJS tries WebRTC out while it loads, and remembers.
  const peerjs = await import('peerjs');
  return peerjs.Peer;
}

/** PeerJS listens to `close` and not to `error`, which in Node ends the process when nobody listens: a server that is away for a moment would. */
class QuietSocket extends WebSocket {
  constructor(...address: ConstructorParameters<typeof WebSocket>) {
    super(...address);
    this.on('error', () => undefined);
  }
}

const DRAIN_POLL_MS = 2;
const patched = new WeakSet<object>();

/**
 * wrtc 0.10 counts `bufferedAmount` but never fires `bufferedamountlow`, so that a sender which waits for it waits for ever. While more
 * than the threshold is unsent, the count is read every few milliseconds, and the event fired when it has fallen.
 * Remove this when the package fires it itself.
 */
function announceDrain(prototype: RTCDataChannel): void {
  if (patched.has(prototype)) return;
  patched.add(prototype);
  const send: (this: RTCDataChannel, data: ArrayBuffer) => void = prototype.send;
  const draining = new WeakSet<RTCDataChannel>();

  const watch = (channel: RTCDataChannel): void => {
    if (channel.readyState === 'open' && channel.bufferedAmount > (channel.bufferedAmountLowThreshold ?? 0)) {
      setTimeout(watch, DRAIN_POLL_MS, channel);
      return;
    }
    draining.delete(channel);
    if (channel.readyState === 'open') channel.dispatchEvent(new Event('bufferedamountlow'));
  };

  function sendAndWatch(this: RTCDataChannel, data: ArrayBuffer): void {
    send.call(this, data);
    if (draining.has(this) || this.bufferedAmount <= (this.bufferedAmountLowThreshold ?? 0)) return;
    draining.add(this);
    setTimeout(watch, DRAIN_POLL_MS, this);
  }
  // The declared overloads differ in what `data` is; it is only passed on.
  prototype.send = sendAndWatch as RTCDataChannel['send'];
}
