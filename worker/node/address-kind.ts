import { BlockList, isIP } from 'node:net';

/** Networks that are not the public internet (IANA's special-purpose registries for IPv4 and IPv6), and those that hold IPv4 addresses. */
const SPECIAL_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
];
/** All that is not 2000::/3, which is the public internet, and in that what is set aside. */
const PUBLIC_V6 = '2000::/3';
const SPECIAL_V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];
/** Behind these prefixes of 96 bits stands an IPv4 address, which is what is reached. */
const MAPPED_V6 = ['::ffff:0:0/96', '64:ff9b::/96'];

function blockList(networks: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix = ''] = network.split('/');
    list.addSubnet(address, Number(prefix), family);
  }
  return list;
}

const specialV4 = blockList(SPECIAL_V4, 'ipv4');
const publicV6 = blockList([PUBLIC_V6], 'ipv6');
const specialV6 = blockList(SPECIAL_V6, 'ipv6');
const mappedV6 = blockList(MAPPED_V6, 'ipv6');

/** Whether an address is on the public internet: not of this machine, its network, a link, a cloud's metadata or a test. */
export function isPublicAddress(address: string): boolean {
  const plain = canonicalAddress(address);
  switch (isIP(plain)) {
    case 4:
      return !specialV4.check(plain, 'ipv4');
    case 6:
      return publicV6.check(plain, 'ipv6') && !specialV6.check(plain, 'ipv6');
    default:
      return false;
  }
}

/** An address in one spelling: without brackets and zone, and as IPv4 where that is what it stands for. */
export function canonicalAddress(address: string): string {
  const bare = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  if (isIP(bare) !== 6) return bare;
  const spelt = new URL(`http://[${bare}]`).hostname.slice(1, -1);
  if (spelt === '::' || spelt === '::1' || !mappedV6.check(spelt, 'ipv6')) return spelt;
  const [high = '0', low = '0'] = spelt.split(':').slice(-2);
  const [a, b] = [Number.parseInt(high || '0', 16), Number.parseInt(low || '0', 16)];
  return [a >> 8, a & 255, b >> 8, b & 255].join('.');
}
