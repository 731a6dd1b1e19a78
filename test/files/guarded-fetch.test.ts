import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { httpSource } from '../../worker/files/http-source.ts';
import { readJson } from '../../worker/files/open-file.ts';
import { canonicalAddress, isPublicAddress } from '../../worker/node/address-kind.ts';
import { openGuarded } from '../../worker/node/file-source.ts';
import { fetchFrom, guardedFetch } from '../../worker/node/guarded-fetch.ts';
import { RangeServer, servedBytes } from './range-server.ts';

test.each([
  ['8.8.8.8', true],
  ['1.1.1.1', true],
  ['172.32.0.1', true],
  ['100.128.0.1', true],
  ['2606:4700::1111', true],
  ['2a00:1450:4001::200e', true],
  ['::ffff:8.8.8.8', true],
  ['64:ff9b::808:808', true],
  ['0.0.0.0', false],
  ['10.1.2.3', false],
  ['100.64.0.1', false],
  ['127.0.0.1', false],
  ['127.255.255.254', false],
  ['169.254.169.254', false],
  ['172.16.0.1', false],
  ['172.31.255.255', false],
  ['192.168.1.1', false],
  ['198.18.0.1', false],
  ['224.0.0.1', false],
  ['255.255.255.255', false],
  ['::', false],
  ['::1', false],
  ['[::1]', false],
  ['::127.0.0.1', false],
  ['::ffff:127.0.0.1', false],
  ['::ffff:7f00:1', false],
  ['0:0:0:0:0:ffff:a00:1', false],
  ['::ffff:169.254.169.254', false],
  ['64:ff9b::a9fe:a9fe', false],
  ['64:ff9b:1::1', false],
  ['2002:7f00:1::', false],
  ['2001:0:7f00:1::', false],
  ['2001:db8::1', false],
  ['fe80::1%eth0', false],
  ['fc00::1', false],
  ['fd12:3456::1', false],
  ['fec0::1', false],
  ['ff02::1', false],
  ['', false],
  ['localhost', false],
])('%s is public: %j', (address, expected) => {
  expect(isPublicAddress(address)).toBe(expected);
});

test('one spelling for each address', () => {
  expect(canonicalAddress('[::ffff:7F00:0001]')).toBe('127.0.0.1');
  expect(canonicalAddress('0:0:0:0:0:0:0:1')).toBe('::1');
  expect(canonicalAddress('FE80::0001%lo')).toBe('fe80::1');
});

describe('a device that reads what a host names', () => {
  const inner = new RangeServer();
  let redirects: Server;
  let redirecting = '';
  beforeAll(async () => {
    await inner.start();
    inner.files.set('/secret', servedBytes(new TextEncoder().encode('{"secret":1}')));
    redirects = createServer((request, response) => {
      const to = new URL(request.url ?? '', 'http://x').searchParams.get('to') ?? '';
      response.writeHead(302, { location: to }).end();
    });
    await new Promise<void>((resolve) => redirects.listen(0, '127.0.0.1', resolve));
    const address = redirects.address();
    redirecting = typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}/` : '';
  });
  afterAll(async () => {
    await inner.stop();
    redirects.close();
  });
  const port = () => new URL(inner.url).port;
  /** A server elsewhere: loopback is then this device's own. */
  const elsewhere = guardedFetch('http://203.0.113.7:8787');
  const refused = async (url: string, fetcher = elsewhere) => {
    const before = inner.requests.length;
    const said: string = await httpSource(url, await fetcher).then(
      () => 'read',
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    expect(inner.requests.length).toBe(before);
    return said.replace(url, 'URL');
  };

  it('reads nothing of its own machine, by whatever name, and says the same for what is not there', async () => {
    const sentences = new Set<string>();
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1', '0', '127.1'])
      sentences.add(await refused(`http://${host}:${port()}/secret`));
    sentences.add(await refused('http://10.255.255.1/secret'));
    sentences.add(await refused('http://169.254.169.254/latest/meta-data'));
    sentences.add(await refused('http://no-such-name.invalid/secret'));
    expect([...sentences]).toEqual(['URL cannot be reached (no connection).']);
  });

  it('a name that is looked up and resolves to this machine is not connected to', async () => {
    // Refused when it is looked up for the connection itself: there is no earlier answer that could differ.
    const seen: string[] = [];
    const fetcher = fetchFrom((address) => {
      seen.push(address);
      return false;
    });
    expect(await refused(`http://localhost:${port()}/secret`, Promise.resolve(fetcher))).toContain('no connection');
    expect(seen.every((address) => ['127.0.0.1', '::1'].includes(address))).toBe(true);
    expect(seen.length).toBeGreaterThan(0);
  });

  it('reads from the machine that the session’s server is on', async () => {
    const source = await httpSource(`${inner.url}/secret`, await guardedFetch('http://localhost:8787'));
    expect(new TextDecoder().decode(await source.read(0, source.size))).toBe('{"secret":1}');
  });

  it('follows redirects where it may go, and nowhere else', async () => {
    const here = guardedFetch('http://127.0.0.1:1');
    const followed = await httpSource(`${redirecting}?to=${inner.url}/secret`, await here);
    expect(followed.size).toBe(12);
    // Allowed for the first hop alone.
    let calls = 0;
    const firstOnly = fetchFrom(() => ++calls <= 2);
    expect(await refused(`${redirecting}?to=http://localhost:${port()}/secret`, Promise.resolve(firstOnly))).toContain(
      'no connection',
    );
    for (const to of ['file:///etc/hostname', 'ftp://127.0.0.1/', 'http://[', 'data:text/plain,x'])
      expect(await refused(`${redirecting}?to=${encodeURIComponent(to)}`, here)).toMatch(/is not followed/);
    expect(await refused(`${redirecting}?to=/%3Fto=`, here)).toMatch(/without an end|not followed/);
  });

  it('opens no file and no other scheme', async () => {
    await expect(openGuarded(elsewhere)('file:///etc/hostname')).rejects.toThrow('not on a hub');
  });
});

describe('answers without an end', () => {
  const endless = createServer((request, response) => {
    if (request.method === 'HEAD') return response.writeHead(200).end();
    response.writeHead(200, { 'content-type': 'application/json', 'transfer-encoding': 'chunked' });
    const piece = Buffer.alloc(2 ** 20, 0x20);
    const more = (): void => {
      while (response.writable && response.write(piece));
      if (response.writable) response.once('drain', more);
    };
    more();
  });
  let url = '';
  beforeAll(async () => {
    await new Promise<void>((resolve) => endless.listen(0, '127.0.0.1', resolve));
    const address = endless.address();
    url = typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}/` : '';
  });
  afterAll(() => {
    endless.closeAllConnections();
    endless.close();
  });

  it.each([
    ['by the browser’s fetch', undefined],
    ['by a headless device', guardedFetch('http://127.0.0.1:1')],
  ])(
    'are left after 64 MB, %s',
    async (_, fetcher) => {
      const given = await fetcher;
      await expect(given ? httpSource(url, given) : httpSource(url)).rejects.toThrow(
        /tells no size and goes on beyond 67108864 bytes/,
      );
    },
    30_000,
  );

  it('a file that says it is large is not read as JSON', async () => {
    const large = { size: 70_000_000, read: () => Promise.reject(new Error('was read')) };
    await expect(readJson(async () => large, 'http://x/config.json', 2 ** 20)).rejects.toThrow(
      'at most 1048576 are read',
    );
  });
});
