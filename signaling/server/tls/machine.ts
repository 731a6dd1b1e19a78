import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import type { MachineNames } from './authority.ts';

/** As a name in a certificate may be written. */
const NAME = /^(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*$/;

/** What this machine is called on its own network now; it changes when the machine moves to another. */
export function machineNames(host = hostname(), interfaces = networkInterfaces()): MachineNames {
  const full = host.toLowerCase().replace(/\.$/, '');
  const [first = ''] = full.split('.');
  const names = [...new Set([full, first, `${first}.local`])].filter((name) => NAME.test(name) && isIP(name) === 0);
  const addresses = Object.values(interfaces)
    .flatMap((list) => list ?? [])
    // What is written with a zone ("fe80::1%eth0") stands in no address bar.
    .filter(({ address, scopeid }) => isPrivate(address) && !scopeid)
    .map(({ address }) => address);
  return { names, addresses: [...new Set(['127.0.0.1', '::1', ...addresses])] };
}

/** Whether the internet has no way to an address: those that the authority may vouch for. */
function isPrivate(address: string): boolean {
  return isIP(address) === 4
    ? /^(10|127|169\.254|172\.(1[6-9]|2\d|3[01])|192\.168)\./.test(address)
    : /^(f[cd]|fe[89ab])/i.test(address) || address === '::1';
}
