import { type LookupAddress, lookup } from 'node:dns';
import { lookup as lookUp } from 'node:dns/promises';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';
import { SourceError } from '../files/byte-source.ts';
import type { Fetch } from '../files/http-source.ts';
import { canonicalAddress, isPublicAddress } from './address-kind.ts';

/** Hubs answer with one or two. */
const MAX_REDIRECTS = 5;
const MAX_HEADER_BYTES = 32 * 1024;

/**
 * Fetches for a device that reads what a host names: from the public internet, and from the very machine that the session's server is on,
 * which the device has been told of by its own person. Each connection is made to an address that was looked at, so neither a redirect
 * nor a name that resolves differently the second time leads anywhere else. Whatever is not reached is not reached for one and the same
 * reason: whoever is told of it learns nothing of this device's network.
 */
export async function guardedFetch(serverOrigin: string): Promise<Fetch> {
  const { hostname } = new URL(serverOrigin);
  const server = hostname.replace(/^\[|\]$/g, '');
  const found = isIP(server) ? [{ address: server }] : await lookUp(server, { all: true }).catch(() => []);
  const own = new Set(found.map(({ address }) => canonicalAddress(address)));
  return fetchFrom((address) => isPublicAddress(address) || own.has(canonicalAddress(address)));
}

class Unreachable extends Error {
  override readonly message = 'no connection';
}

export function fetchFrom(allows: (address: string) => boolean): Fetch {
  const guarded: LookupFunction = (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      const allowed = error === null ? addresses.filter(({ address }) => allows(address)) : [];
      const [first] = allowed;
      if (first === undefined) callback(new Unreachable(), '', 4);
      else if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
  const once: Fetch = (address, { method, headers, signal }) =>
    new Promise((resolve, reject) => {
      const url = new URL(address);
      const host = url.hostname.replace(/^\[|\]$/g, '');
      // An address in place of a name is connected to without being looked up.
      if (isIP(host) && !allows(host)) throw new Unreachable();
      const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
        method,
        headers,
        lookup: guarded,
        maxHeaderSize: MAX_HEADER_BYTES,
        ...(signal && { signal }),
      });
      request.once('socket', (socket) => {
        const check = () => {
          if (!allows(socket.remoteAddress ?? '')) request.destroy(new Unreachable());
        };
        if (socket.connecting) socket.once('connect', check);
        else check();
      });
      request.once('error', () => reject(new Unreachable()));
      request.once('response', (answer) => {
        const told = new Headers();
        for (const [name, values] of Object.entries(answer.headersDistinct))
          for (const value of values ?? []) told.append(name, value);
        const status = answer.statusCode ?? 0;
        const bodiless = method === 'HEAD' || status === 204 || status === 304;
        if (bodiless) answer.resume();
        if (status < 200 || status > 599) {
          request.destroy();
          reject(new Unreachable());
        } else resolve(new Response(bodiless ? null : bodyOf(answer), { status, headers: told }));
      });
      request.end();
    });
  return async (address, options) => {
    let url = address;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const answer = await once(url, options);
      const to = answer.headers.get('location');
      if (answer.status < 300 || answer.status >= 400 || to === null) return answer;
      await answer.body?.cancel();
      const next = URL.canParse(to, url) ? new URL(to, url) : null;
      const isDowngrade = url.startsWith('https:') && next?.protocol !== 'https:';
      if (next === null || !/^https?:$/.test(next.protocol) || isDowngrade)
        throw new SourceError(`${address} leads to an address that is not followed.`);
      url = next.href;
    }
    throw new SourceError(`${address} leads from one address to the next without an end.`);
  };
}

/** The body as a web stream; what is cancelled closes the connection. */
function bodyOf(answer: Readable): ReadableStream<Uint8Array> {
  const iterator: AsyncIterator<Uint8Array> = answer[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const { value, done } = await iterator.next();
        if (done === true) controller.close();
        else controller.enqueue(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
      },
      cancel: () => {
        answer.destroy();
      },
    },
    { highWaterMark: 0 },
  );
}
