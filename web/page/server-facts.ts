/** What this page's own server says about itself in `config.json`; each fact is optional. */
export interface ServerFacts {
  /** A hub that the server offers itself, as an address; null when it offers none. */
  readonly hub: string | null;
  /** Repositories of that hub that the server was started to offer. */
  readonly models: readonly string[];
  /** Addresses under which other machines reach the server. */
  readonly addresses: readonly string[];
}

export const NO_FACTS: ServerFacts = { hub: null, models: [], addresses: [] };

/** Reads the server's `config.json`; what is missing or odd is left out. */
export function readServerFacts(config: unknown, origin: string): ServerFacts {
  if (typeof config !== 'object' || config === null) return NO_FACTS;
  const hubPath = 'hubPath' in config && typeof config.hubPath === 'string' ? config.hubPath : null;
  const addresses = 'addresses' in config && Array.isArray(config.addresses) ? config.addresses : [];
  const models = 'models' in config && Array.isArray(config.models) ? config.models : [];
  return {
    models: models.filter((one): one is string => typeof one === 'string' && /^[\w./-]{1,200}$/.test(one)),
    hub: hubPath !== null && /^\/[\w./-]*$/.test(hubPath) ? `${origin}${hubPath.replace(/\/+$/, '')}` : null,
    addresses: addresses.filter(
      (one): one is string => typeof one === 'string' && /^https?:\/\/[\w.:[\]-]+(\/[\w.~/-]*)?$/.test(one),
    ),
  };
}
