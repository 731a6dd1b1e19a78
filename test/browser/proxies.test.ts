import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../../signaling/server/server.ts';
import { type Need, needs } from '../needs.ts';
import { type Tab, withBrowser } from './harness.ts';

/** The configurations of docs/deploy, in the real programs, with this machine's names and ports in place of the world's. */

const project = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const PATIENCE = { timeoutMs: 120_000 };
const NGINX = ['/usr/sbin/nginx', '/usr/local/bin/nginx', '/opt/homebrew/bin/nginx'].find((path) => existsSync(path));
const CADDY = ['/usr/bin/caddy', '/usr/local/bin/caddy', '/opt/homebrew/bin/caddy'].find((path) => existsSync(path));
const here = (name: string, program: string | undefined): Need => ({
  here: program !== undefined,
  reason: `${name} is not installed`,
});

let folder: string;
const running: ChildProcess[] = [];
const servers: RunningServer[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabloom-proxies-'));
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', certificate];
  execFileSync('openssl', [...made, ...subject], { stdio: 'ignore' });
});
afterAll(async () => {
  for (const child of running) {
    child.kill('SIGTERM');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
  for (const server of servers) await server.close();
  await rm(folder, { recursive: true, maxRetries: 9 });
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** A server below https://localhost:PORT/tabloom/, and what stands in docs/deploy for it. */
async function behind(port: number, file: string): Promise<{ readonly address: string; readonly text: string }> {
  const address = `https://localhost:${port}/tabloom/`;
  const server = await startServer({
    port: 0,
    host: '127.0.0.1',
    pageFolder: project('dist'),
    modelsFolder: project('models'),
    hubFolder: null,
    iceServers: [],
    publicUrl: address,
    trustProxy: true,
    log: () => undefined,
  });
  servers.push(server);
  const text = await readFile(project(`docs/deploy/${file}`), 'utf8');
  return { address, text: text.replaceAll('127.0.0.1:8787', `127.0.0.1:${server.port}`) };
}

/** Runs until the proxy listens, or ends the test with what it said. */
async function run(program: string, args: readonly string[], port: number): Promise<void> {
  const child = spawn(program, args, { cwd: folder, env: { ...process.env, HOME: folder }, stdio: 'pipe' });
  running.push(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => (said += String(data)));
  for (let attempt = 0; attempt < 100; attempt++) {
    if (child.exitCode !== null) throw new Error(`${program} ended: ${said}`);
    const there = await fetch(`https://localhost:${port}/`).then(
      () => true,
      // A certificate that nobody vouches for was shown by somebody.
      (error: { cause?: { code?: string } }) => !['ECONNREFUSED', 'ECONNRESET'].includes(error.cause?.code ?? ''),
    );
    if (there) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${program} does not listen on ${port}: ${said}`);
}

const press = async (tab: Tab, text: string): Promise<void> => {
  await tab.page.bringToFront();
  await tab.page
    .locator(`::-p-xpath(//button[normalize-space()="${text}" and not(@disabled)])`)
    .setTimeout(120_000)
    .click();
};

/** A host and a device, each in a tab of its own, from the first page to the last round. */
async function trainThrough(address: string, passed: boolean): Promise<void> {
  await withBrowser(
    'chromium',
    async (chromium) => {
      const host = await chromium.open(address.slice(0, -1));
      expect(host.page.url()).toBe(address);
      for (const fold of await host.page.$$('summary')) await fold.click();
      await host.fill('input[name="rounds"]', '2');
      await press(host, 'Start a session');
      const shown = 'input[aria-label="Session link"]';
      await host.page.waitForSelector(shown, { timeout: PATIENCE.timeoutMs });
      const link = await host.page.$eval(shown, (input) => (input as HTMLInputElement).value);
      expect(link.slice(0, address.length + 6)).toBe(`${address}#room=`);
      const device = await chromium.open(link, { width: 390 });
      await press(device, 'Join');
      await host.until('both are ready', () => /2 devices are ready/.test(document.body.innerText), PATIENCE);
      await press(host, 'Start training');
      for (const tab of [host, device])
        await tab.until('it is done', () => /Finished after 2 rounds/.test(document.body.innerText), PATIENCE);
      // A browser notes a WebSocket that was refused; the page says nothing of it.
      const errors = [...host.errors, ...device.errors].filter((line) => !/WebSocket connection to/.test(line));
      expect(errors).toEqual([]);
      expect([host, device].every((tab) => tab.errors.length > 0)).toBe(!passed);
    },
    { anyCertificate: true },
  );
}

/** As the files have it, and without what passes WebSockets on. */
const SOCKETS = [
  { how: 'over WebSockets', passed: true },
  { how: 'over event streams', passed: false },
];

describe.each(SOCKETS)('below a path, behind a proxy that ends TLS, $how', ({ passed }) => {
  it('nginx, which passes the path on', needs(here('nginx', NGINX)), async () => {
    const port = await freePort();
    const { address, text } = await behind(port, 'nginx.conf');
    const site = text
      .replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
      .replace('server_name example.org', 'server_name localhost')
      .replace('/etc/ssl/certs/example.org.pem', join(folder, 'cert.pem'))
      .replace('/etc/ssl/private/example.org.key', join(folder, 'key.pem'))
      .replace(/^.*proxy_set_header (Upgrade|Connection).*$/gm, (line) => (passed ? line : ''));
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${join(folder, name)};`)
      .join('\n');
    const file = join(folder, `nginx-${port}.conf`);
    const main = `daemon off; pid ${join(folder, `nginx-${port}.pid`)}; error_log stderr; events {}`;
    await writeFile(file, `${main}\nhttp {\naccess_log off;\n${temporary}\n${site}}\n`);
    await run(NGINX ?? '', ['-p', folder, '-c', file], port);
    await trainThrough(address, passed);
  });

  it('Caddy, which takes the path off', needs(here('Caddy', CADDY)), async () => {
    const port = await freePort();
    const { address, text } = await behind(port, 'Caddyfile');
    const file = join(folder, `Caddyfile-${port}`);
    const tls = `tls ${join(folder, 'cert.pem')} ${join(folder, 'key.pem')}`;
    const site = text.replace(/^example\.org \{/m, `https://localhost:${port} {\n\tbind 127.0.0.1\n\t${tls}`);
    // Before anything is handled, as Caddy orders it: `respond` would come after what hands requests on.
    const refusing = '\t@sockets header Upgrade websocket\n\trequest_header @sockets -Upgrade\n';
    const whole = passed ? site : site.replace(/^\tredir /m, `${refusing}$&`);
    await writeFile(file, `{\n\tadmin off\n\tauto_https off\n}\n${whole}`);
    await run(CADDY ?? '', ['run', '--config', file, '--adapter', 'caddyfile'], port);
    await trainThrough(address, passed);
  });
});
