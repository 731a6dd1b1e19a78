import { networkInterfaces } from 'node:os';
import { fileURLToPath } from 'node:url';

/** The project's root folder, from which the page's build and the embedded models are found. */
export const ROOT_FOLDER = fileURLToPath(new URL('../..', import.meta.url));

/** Whether an interface is this machine's own, which nobody else reaches. */
export const isLoopback = (host: string): boolean => /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/.test(host);

const WILDCARDS = new Set(['0.0.0.0', '::']);

/** Where a person on this machine opens the page. */
export function localAddress(host: string, port: number): string {
  return `http://${WILDCARDS.has(host) ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** The part of an address's path that stands before those of this server: "" or "/tabloom". */
export const pathOf = (publicUrl: string | null): string =>
  publicUrl === null ? '' : new URL(publicUrl).pathname.replace(/\/+$/, '');

/** Addresses for phones on the same network; none when the server listens on loopback only. */
export function lanAddresses(host: string, port: number, scheme: 'http' | 'https'): string[] {
  if (!WILDCARDS.has(host))
    return isLoopback(host) ? [] : [`${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`];
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter((a) => a.family === 'IPv4' && !a.internal)
    .map((a) => `${scheme}://${a.address}:${port}`);
}
