import { DEFAULT_LIMITS, type Limits } from '../connection/bounds/limits.ts';
import type { CodeShare } from '../connection/core.ts';
import { ROOM_ID_ALPHABET } from '../protocol/ids.ts';
import type { IceServer } from '../protocol/messages.ts';
import { CommandError } from './command-line.ts';

/** `roomsOfAddress` is `rooms-of-address` on the command line. */
const dashed = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

const LIMIT_NAMES = Object.keys(DEFAULT_LIMITS).map(dashed);

/** What `--limit NAME=NUMBER` may say, for a help text. */
export const limitsHelp = (): string =>
  Object.entries(DEFAULT_LIMITS)
    .map(([name, limit]) => `    ${dashed(name)}=${typeof limit === 'number' ? limit : limit.perSecond}`)
    .join('\n');

/** Limits that differ from the default ones. A rate is given for a second; its burst grows and shrinks with it. */
export function readLimits(texts: readonly string[]): Partial<Limits> {
  return Object.fromEntries(
    texts.map((text) => {
      const match = /^([a-z-]+)=(\d{1,9}(?:\.\d{1,3})?)$/.exec(text);
      const entry = Object.entries(DEFAULT_LIMITS).find(([name]) => dashed(name) === match?.[1]);
      if (match === null || entry === undefined)
        throw new CommandError(`--limit must be NAME=NUMBER with one of ${LIMIT_NAMES.join(', ')}, not "${text}".`);
      const [name, limit] = entry;
      const number = Number(match[2]);
      if (typeof limit === 'number') return [name, number];
      return [name, { perSecond: number, burst: Math.max(1, (number * limit.burst) / limit.perSecond) }];
    }),
  );
}

/** `2/3` as the second of three processes that share the codes. */
export function readShare(text: string): CodeShare {
  const match = /^(\d{1,2})\/(\d{1,2})$/.exec(text);
  const [index, count] = [Number(match?.[1]) - 1, Number(match?.[2])];
  if (match === null || index < 0 || index >= count || count > ROOM_ID_ALPHABET.length)
    throw new CommandError(
      `--share must be K/N, the K-th of N processes (${ROOM_ID_ALPHABET.length} at most), not "${text}".`,
    );
  return { index, count };
}

export function readIceServer(text: string): IceServer {
  const match = /^(stuns?|turns?):(?:([^:@]+):([^@]+)@)?([^@\s]+)$/.exec(text);
  if (match === null)
    throw new CommandError(`--ice must look like stun:HOST:PORT or turn:USER:PASSWORD@HOST:PORT, not "${text}".`);
  const [, scheme, username, credential, rest] = match;
  const urls = `${scheme}:${rest}`;
  return username === undefined || credential === undefined ? { urls } : { urls, username, credential };
}

/** An address with a path such as https://example.org/tabloom/, where the page is to be found. */
export function readPublicUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '' || url.hash !== '')
    throw new CommandError(`--public-url must be an address such as https://example.org/tabloom/, not "${text}".`);
  if (!/^[\w.~/-]*$/.test(url.pathname))
    throw new CommandError(
      `The path of --public-url may have letters, digits and . _ ~ - / in it, not "${url.pathname}".`,
    );
  return url.href.replace(/\/*$/, '/');
}

/** An origin such as https://example.org; what else is in the address (a path, a user) would be taken for nothing. */
export function readOrigin(option: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '')
    throw new CommandError(`--${option} must be an address such as https://example.org, not "${text}".`);
  return url.origin;
}
