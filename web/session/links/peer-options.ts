import type { PeerOptions } from 'peerjs';
import * as v from 'valibot';

/** A PeerJS client of the server's own PeerServer. PeerJS's own defaults are a public broker, STUN and TURN servers. */
export function peerOptions(origin: string, iceServers: readonly RTCIceServer[]): PeerOptions {
  const url = new URL(origin);
  const secure = url.protocol === 'https:';
  return {
    host: url.hostname,
    port: Number(url.port || (secure ? 443 : 80)),
    path: '/peer',
    secure,
    config: { iceServers: [...iceServers] },
    debug: 0,
  };
}

const text = v.pipe(v.string(), v.maxLength(500));
const address = v.pipe(text, v.regex(/^(stun|turn)s?:/i));
const MAX_ICE_SERVERS = 16;
const ConfigSchema = v.looseObject({
  iceServers: v.pipe(
    v.array(
      v.strictObject({
        urls: v.union([address, v.pipe(v.array(address), v.maxLength(MAX_ICE_SERVERS))]),
        username: v.exactOptional(text),
        credential: v.exactOptional(text),
      }),
    ),
    v.maxLength(MAX_ICE_SERVERS),
  ),
});

/** The ICE servers that the server's person configured, from its `config.json`; null when that is not a Tabloom server's. */
export function readIceServers(config: unknown): readonly RTCIceServer[] | null {
  const read = v.safeParse(ConfigSchema, config);
  return read.success ? read.output.iceServers : null;
}
