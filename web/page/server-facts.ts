/** What this page's own server says about itself in `config.json`; each fact is optional. */
export interface ServerFacts {
  /** A hub that the server offers itself, as an address; null when it offers none. */
  readonly hub: string | null;
  /** Repositories of that hub that the server was started to offer. */
  readonly models: readonly string[];
  /** Addresses under which other machines reach the server. */
  readonly addresses: readonly string[];
  /** Whether there are sessions with other devices here; on a host of plain files there are none, or elsewhere. */
  readonly rooms: Rooms;
}

export type Rooms =
  /** Nothing was heard yet, or the server does not answer just now. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'here' }
  /** The server is away, and the page came from what this device keeps. */
  | { readonly kind: 'away' }
  | { readonly kind: 'none' }
  /** Where whoever runs this host says that a server is. */
  | { readonly kind: 'elsewhere'; readonly server: string };

export const NO_FACTS: ServerFacts = { hub: null, models: [], addresses: [], rooms: { kind: 'unknown' } };
/** Of a page that this device kept, whose server does not answer. */
export const AWAY: ServerFacts = { ...NO_FACTS, rooms: { kind: 'away' } };
/** Of a host that answers, and is no server of ours. */
export const PLAIN_HOST: ServerFacts = { ...NO_FACTS, rooms: { kind: 'none' } };

const WEB_ADDRESS = /^https?:\/\/[\w.:[\]-]+(\/[\w.~/-]*)?$/;

/** Reads `config.json`, a server's own or the one that lies beside the page on a host of plain files; what is missing or odd is left out. */
export function readServerFacts(config: unknown, origin: string): ServerFacts {
  if (typeof config !== 'object' || config === null) return PLAIN_HOST;
  const hubPath = 'hubPath' in config && typeof config.hubPath === 'string' ? config.hubPath : null;
  const addresses = 'addresses' in config && Array.isArray(config.addresses) ? config.addresses : [];
  const models = 'models' in config && Array.isArray(config.models) ? config.models : [];
  return {
    models: models.filter((one): one is string => typeof one === 'string' && /^[\w./-]{1,200}$/.test(one)),
    hub: hubPath !== null && /^\/[\w./-]*$/.test(hubPath) ? `${origin}${hubPath.replace(/\/+$/, '')}` : null,
    addresses: addresses.filter((one): one is string => typeof one === 'string' && WEB_ADDRESS.test(one)),
    rooms: roomsOf(config),
  };
}

function roomsOf(config: object): Rooms {
  // Every server of ours says which messages it speaks.
  if ('version' in config && typeof config.version === 'number') return { kind: 'here' };
  if ('server' in config && typeof config.server === 'string' && WEB_ADDRESS.test(config.server))
    return { kind: 'elsewhere', server: config.server.replace(/\/+$/, '') };
  return { kind: 'none' };
}
