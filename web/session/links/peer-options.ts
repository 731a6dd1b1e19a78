import type { PeerOptions } from 'peerjs';
import type { RoomIntroduction } from '../../../signaling/protocol/messages.ts';

/**
 * A PeerJS client of the server's own introductions; PeerJS's own defaults are a public broker, STUN and TURN servers. `relayOnly`: links go
 * through the session's TURN servers, and no address of this device is told to anybody.
 */
export function peerOptions(
  origin: string,
  { token, iceServers, room }: RoomIntroduction,
  relayOnly = false,
): PeerOptions {
  const url = new URL(origin);
  const secure = url.protocol === 'https:';
  return {
    host: url.hostname,
    port: Number(url.port || (secure ? 443 : 80)),
    path: `${url.pathname.replace(/\/+$/, '')}/peer`,
    secure,
    token,
    // PeerJS's one free word in its address.
    ...(room !== undefined && { key: room }),
    config: { iceServers: [...iceServers], ...(relayOnly && { iceTransportPolicy: 'relay' }) },
    debug: 0,
  };
}
