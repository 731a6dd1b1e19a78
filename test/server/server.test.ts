import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { type RunningServer, startServer } from '../../signaling/server/server.ts';

let server: RunningServer;
let folder: string;
const options = (port: number) => ({
  port,
  host: '127.0.0.1',
  pageFolder: folder,
  modelsFolder: folder,
  hubFolder: null,
  iceServers: [],
  log: () => undefined,
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabloom-server-'));
  await writeFile(join(folder, 'index.html'), '<title>page</title>');
  await writeFile(join(folder, 'weights.bin'), Buffer.from('0123456789'));
  await writeFile(join(folder, '.secret'), 'no');
  server = await startServer(options(0));
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

describe('files', () => {
  it('are served with ranges, isolated, and nothing hidden', async () => {
    const at = (path: string, headers = {}) => fetch(`http://127.0.0.1:${server.port}${path}`, { headers });
    const page = await at('/');
    expect(await page.text()).toContain('page');
    expect(page.headers.get('cross-origin-opener-policy')).toBe('same-origin');
    const part = await at('/models/weights.bin', { range: 'bytes=2-4' });
    expect([part.status, await part.text()]).toEqual([206, '234']);
    for (const path of ['/models/absent', '/models/.secret', '/hub/x', '/models/../package.json'])
      expect([path, (await at(path)).status]).toEqual([path, 404]);
    expect(await (await at('/config.json')).json()).toEqual({
      version: PROTOCOL_VERSION,
      hubPath: null,
      models: [],
      addresses: [],
    });
  });

  it('says that a port is taken', async () => {
    await expect(startServer(options(server.port))).rejects.toThrow(`Port ${server.port} is in use`);
  });
});

it('names its own address and picture for previews of links, where it is known where people open it', async () => {
  await writeFile(join(folder, 'index.html'), '<head><title>page</title></head>');
  const named = await startServer({ ...options(0), publicUrl: 'https://example.org/loom/?a=1&b=2' });
  try {
    for (const path of ['/loom/', '/loom/index.html', '/']) {
      const page = await fetch(`http://127.0.0.1:${named.port}${path}`);
      const text = await page.text();
      expect(page.headers.get('content-type')).toContain('text/html');
      expect(text).toContain('<meta property="og:image" content="https://example.org/loom/preview.jpg" />');
      expect(text).toContain('<meta property="og:url" content="https://example.org/loom/" />');
      expect(text.indexOf('og:image')).toBeLessThan(text.indexOf('</head>'));
    }
  } finally {
    await named.close();
  }
  // Elsewhere nothing is named: an address of this machine would lead nobody anywhere.
  expect(await (await fetch(`http://127.0.0.1:${server.port}/`)).text()).not.toContain('og:image');
});

it('refuses sockets that are for nothing', async () => {
  const other = new WebSocket(`ws://127.0.0.1:${server.port}/elsewhere`);
  const error = await new Promise<Error>((resolve) => other.once('error', resolve));
  expect(error.message).toContain('404');
});
