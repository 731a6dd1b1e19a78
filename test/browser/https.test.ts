import { mkdtemp, rm } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { startServer } from '../../signaling/server/server.ts';
import { machineCertificates } from '../../signaling/server/tls/certificates.ts';
import { withBrowser } from './harness.ts';

const project = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const PATIENCE = { timeoutMs: 120_000 };
/** An address that is not this machine's own name, so that http there is no secure context; loopback where there is none. */
const ADDRESS =
  Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';

it('a certificate that nobody vouches for is warned of, and where the warning was tapped away two browsers train', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tabloom-https-'));
  const server = await startServer({
    port: 0,
    host: ADDRESS,
    pageFolder: project('dist'),
    modelsFolder: project('models'),
    hubFolder: null,
    iceServers: [],
    certificates: await machineCertificates(folder),
    log: () => undefined,
  });
  const address = `https://${ADDRESS}:${server.port}/`;
  try {
    await withBrowser('chromium', async (strict) => {
      await expect(strict.open(address)).rejects.toThrow(/ERR_CERT_AUTHORITY_INVALID/);
    });
    await withBrowser(
      'chromium',
      (chromium) =>
        withBrowser(
          'firefox',
          async (firefox) => {
            // By http, as somebody types it.
            const host = await chromium.open(address.replace('https', 'http'));
            expect(host.page.url()).toBe(address);
            expect(await host.page.evaluate(() => isSecureContext && crossOriginIsolated && 'gpu' in navigator)).toBe(
              true,
            );
            for (const fold of await host.page.$$('summary')) await fold.click();
            await host.fill('input[name="rounds"]', '2');
            await host.page.locator('::-p-xpath(//button[normalize-space()="Start a session"])').click();
            const field = await host.page.waitForSelector('input[aria-label="Session link"]', { timeout: 120_000 });
            const link = (await field?.evaluate((input) => input.value)) ?? '';
            expect(link.startsWith(`${address}#room=`)).toBe(true);
            const phone = await firefox.open(link, { width: 390 });
            await phone.page.locator('::-p-xpath(//button[normalize-space()="Join"])').setTimeout(60_000).click();
            await host.until('both are ready', () => /2 devices are ready/.test(document.body.innerText), PATIENCE);
            await host.page.bringToFront();
            await host.page.locator('::-p-xpath(//button[normalize-space()="Start training"])').click();
            for (const tab of [host, phone])
              await tab.until('it is done', () => /Finished after 2 rounds/.test(document.body.innerText), PATIENCE);
            const help = await chromium.open(`${address}trust.html`, { width: 390 });
            const href = await help.page.$eval('a[download]', (link) => (link as HTMLAnchorElement).href);
            expect(href).toBe(`${address}trust/tabloom.crt`);
            await help.screenshot('trust-390');
          },
          { anyCertificate: true },
        ),
      { anyCertificate: true },
    );
  } finally {
    await server.close();
    await rm(folder, { recursive: true });
  }
}, 300_000);
