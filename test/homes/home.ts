import { bytesToHex } from '@noble/hashes/utils.js';
import { DEFAULT_LIMITS, type Limits } from '../../signaling/connection/bounds/limits.ts';
import type { IceServer } from '../../signaling/protocol/messages.ts';
import { startServer } from '../../signaling/server/server.ts';
import { Workerd } from './workerd.ts';

/**
 * Where rooms live. The same files run with each (vitest.config.ts): `node`, one process; `objects`, Cloudflare's engine with an object a
 * room; `evicted`, the same with objects that put their room away between any two things that happen.
 */
const HOME = process.env.TABLOOM_HOME ?? 'node';

export interface HomeOptions {
  readonly limits?: Partial<Limits>;
  /** 32 bytes; a home that is started again with the same knows its rooms' hosts again. */
  readonly secret?: Uint8Array;
  readonly iceServers?: readonly IceServer[];
  readonly turnSecret?: string;
  readonly allowOrigins?: readonly string[];
  /** Whether X-Forwarded-For says whom a connection is from. */
  readonly trustProxy?: boolean;
  readonly log?: (line: string) => void;
}

export interface RunningHome {
  readonly port: number;
  close(): Promise<void>;
}

const SECRET = new Uint8Array(32).fill(3);

/** A home without a page, which knows nothing of rooms that were there before. */
export function startHome(options: HomeOptions = {}): Promise<RunningHome> {
  const { secret = SECRET, limits = {}, iceServers = [], turnSecret, allowOrigins = [], trustProxy = false } = options;
  const { log = () => undefined } = options;
  if (HOME === 'node')
    return startServer({
      port: 0,
      host: '127.0.0.1',
      pageFolder: null,
      modelsFolder: '/nowhere',
      hubFolder: null,
      secret,
      limits,
      iceServers,
      allowOrigins,
      trustProxy,
      log,
      ...(turnSecret !== undefined && { turnSecret }),
    });
  const isEngines = (line: string): boolean => ENGINE_LINES.test(line);
  return Workerd.start({
    words: {
      SECRET: bytesToHex(secret),
      LIMITS: JSON.stringify({ connectionsOfAddress: DEFAULT_LIMITS.connectionsOfAddress, ...limits }),
      ICE_SERVERS: JSON.stringify(iceServers),
      ALLOW_ORIGINS: allowOrigins.join(' '),
      // The engine alone knows no addresses; Cloudflare says them in a header.
      ADDRESS_HEADER: trustProxy ? 'x-forwarded-for' : 'x-nobody-sends-this',
      ...(turnSecret !== undefined && { TURN_SECRET: turnSecret }),
      ...(HOME === 'evicted' && { EVICT: 'always' }),
    },
    log: (line) => {
      if (!isEngines(line)) log(line);
    },
  });
}

/** What the engine says of itself. */
const ENGINE_LINES = /^(workerd|[\w/+.-]+\.c\+\+):/;
