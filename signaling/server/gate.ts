import type { IncomingMessage } from 'node:http';
import { addressKey } from '../connection/addresses.ts';

/** Who may come in, by what a request says of itself. */
export interface GateOptions {
  /** Interface that the server listens on. */
  readonly host: string;
  /** Origins of pages elsewhere that may open connections, such as `https://example.org`; their names are names of this server, too. */
  readonly allowOrigins: readonly string[];
  /** A proxy in front of the server says in X-Forwarded-For who is there; whoever else says so is not believed. */
  readonly trustProxy: boolean;
}

const LOOPBACK_NAMES = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const HOST = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9]([a-z0-9._-]{0,252}))(:\d{1,5})?$/i;

/** Whether a Host header names the machine itself, where browsers take plain http for secure. */
export const isOwnName = (host: string): boolean => LOOPBACK_NAMES.test(HOST.exec(host)?.[1].toLowerCase() ?? '');

export interface Gate {
  /**
   * Why a request is not answered, or null. A server that listens on this machine alone goes by the machine's own names alone: a page
   * elsewhere could have its name resolve to 127.0.0.1 and would then be of the same origin as the server.
   */
  refusesHost(request: IncomingMessage): string | null;
  /** Why a page may not open a connection, or null: it is of another origin. What is no browser says none. */
  refusesOrigin(request: IncomingMessage): string | null;
  /** Whom the limits count a request for. */
  addressOf(request: IncomingMessage): string;
}

export function makeGate({ host, allowOrigins, trustProxy }: GateOptions): Gate {
  const origins = new Set(allowOrigins.map((origin) => new URL(origin).origin));
  const names = new Set([...origins].map((origin) => new URL(origin).host));
  const isLocal = LOOPBACK_NAMES.test(host) || host === '::1';
  return {
    refusesHost({ headers }) {
      const match = HOST.exec(headers.host ?? '');
      if (match === null) return 'The Host header is missing or not valid.';
      if (!isLocal || LOOPBACK_NAMES.test(match[1].toLowerCase()) || names.has(match[0].toLowerCase())) return null;
      return 'This server answers to localhost only. Start it with --host or --allow-origin to reach it under another name.';
    },
    refusesOrigin({ headers }) {
      const { origin } = headers;
      if (origin === undefined || origins.has(origin)) return null;
      const own = [`http://${headers.host}`, `https://${headers.host}`];
      return own.includes(origin) ? null : 'Pages of other origins may not connect here.';
    },
    addressOf({ headers, socket }) {
      const forwarded = trustProxy ? headers['x-forwarded-for'] : undefined;
      // The nearest proxy wrote the last one; those before it are what somebody told the proxy.
      const last = forwarded === undefined ? undefined : String(forwarded).split(',').at(-1)?.trim();
      return addressKey(last || (socket.remoteAddress ?? ''));
    },
  };
}

/** Path and query of a request, or null where there is no plain path: another form of address, or one that is not valid. */
export function readTarget(url: string | undefined): { readonly path: string; readonly query: URLSearchParams } | null {
  const match = /^(\/(?!\/)[\w./%~-]*)(?:\?([^#\s]*))?$/.exec(url ?? '');
  return match === null ? null : { path: match[1], query: new URLSearchParams(match[2] ?? '') };
}
