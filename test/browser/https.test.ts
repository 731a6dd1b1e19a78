import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { type RunningServer, startServer } from '../../signaling/server/server.ts';
import { machineCertificates } from '../../signaling/server/tls/certificates.ts';
import { needs } from '../needs.ts';
import { type Tab, type TestBrowser, withBrowser } from './harness.ts';

const project = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const PATIENCE = { timeoutMs: 120_000 };
vi.setConfig({ testTimeout: 300_000 });
/** An address that is not this machine's own name, so that http there is no secure context; loopback where there is none. */
const OWN = Object.values(networkInterfaces())
  .flatMap((list) => list ?? [])
  .filter(({ family, internal }) => family === 'IPv4' && !internal)
  .map(({ address }) => address);
const ADDRESS = OWN[0] ?? '127.0.0.1';
/** One that the authority may vouch for, as machines have at home; loopback where this machine has a public one alone. */
const PRIVATE_ADDRESS = OWN.find((address) => /^(10|172\.(1[6-9]|2\d|3[01])|192\.168)\./.test(address)) ?? '127.0.0.1';

/** A server that the network reaches, with certificates of its own or without, for the time of `body`. */
async function withServer(
  secure: boolean,
  body: (server: RunningServer, authority: string | null) => Promise<void>,
  address = ADDRESS,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tabloom-https-'));
  const certificates = secure ? await machineCertificates(folder) : null;
  const server = await startServer({
    port: 0,
    host: address,
    pageFolder: project('dist'),
    modelsFolder: project('models'),
    hubFolder: null,
    iceServers: [],
    certificates,
    log: () => undefined,
  });
  try {
    await body(server, certificates?.authority ?? null);
  } finally {
    await server.close();
    await rm(folder, { recursive: true, maxRetries: 9 });
  }
}

/** From the first page, which the host opens at `typed`, to the second round. */
async function train(chromium: TestBrowser, firefox: TestBrowser, typed: string, address: string): Promise<Tab[]> {
  const host = await chromium.open(typed);
  expect(host.page.url()).toBe(address);
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
  return [host, phone];
}

const CERTUTIL = {
  here: ['/usr/bin/certutil', '/usr/local/bin/certutil', '/opt/homebrew/bin/certutil'].some((path) => existsSync(path)),
  reason: 'certutil (libnss3-tools) is not installed',
};
const BROWSERS = ['chromium', 'firefox'] as const;
const noteOf = (tab: Tab): Promise<string> =>
  tab.page.evaluate(() => document.querySelector('.missing')?.textContent ?? '');

describe('a certificate of this machine’s own', () => {
  it('is warned of where nobody installed its authority', () =>
    withServer(true, async ({ port }) => {
      for (const kind of BROWSERS)
        await withBrowser(kind, async (strict) => {
          await expect(strict.open(`https://${ADDRESS}:${port}/`)).rejects.toThrow(
            /ERR_CERT_AUTHORITY_INVALID|SEC_ERROR_UNKNOWN_ISSUER|MOZILLA_PKIX/,
          );
        });
    }));

  it('serves two browsers that train where the warning was tapped away', () =>
    withServer(true, async ({ port }) => {
      const address = `https://${ADDRESS}:${port}/`;
      const any = { anyCertificate: true };
      await withBrowser(
        'chromium',
        (chromium) =>
          withBrowser(
            'firefox',
            async (firefox) => {
              // By http, as somebody types it.
              const [host] = await train(chromium, firefox, address.replace('https', 'http'), address);
              expect(await host.page.evaluate(() => isSecureContext && crossOriginIsolated && 'gpu' in navigator)).toBe(
                true,
              );
              const help = await chromium.open(`${address}trust.html`, { width: 390 });
              const href = await help.page.$eval('a[download]', (link) => (link as HTMLAnchorElement).href);
              expect(href).toBe(`${address}trust/tabloom.crt`);
              await help.screenshot('trust-390');
            },
            any,
          ),
        any,
      );
    }));

  it.each(BROWSERS)('is not warned of in %s where the authority was installed', needs(CERTUTIL), (kind) =>
    withServer(
      true,
      async ({ port }, authority) => {
        await withBrowser(
          kind,
          async (browser) => {
            const host = await browser.open(`https://${PRIVATE_ADDRESS}:${port}/`);
            expect(await host.page.evaluate(() => isSecureContext && crossOriginIsolated)).toBe(true);
            expect(await noteOf(host)).not.toContain('http');
            await host.page.locator('::-p-xpath(//button[normalize-space()="Start a session"])').click();
            const field = await host.page.waitForSelector('input[aria-label="Session link"]', { timeout: 120_000 });
            const link = (await field?.evaluate((input) => input.value)) ?? '';
            const phone = await browser.open(link, { width: 390 });
            await phone.until('it says what the session is', () =>
              /asks you to fine-tune/.test(document.body.innerText),
            );
            expect([host.errors, phone.errors]).toEqual([[], []]);
          },
          { authority },
        );
      },
      PRIVATE_ADDRESS,
    ),
  );
});

it('over plain http from another machine’s name two browsers train all the same, and are told what is lost', () =>
  withServer(false, async ({ port }) => {
    const address = `http://${ADDRESS}:${port}/`;
    await withBrowser('chromium', (chromium) =>
      withBrowser('firefox', async (firefox) => {
        for (const browser of [chromium, firefox]) {
          const tab = await browser.open(address, { width: 390 });
          await tab.until('what is lost', () => document.querySelector('.missing') !== null);
          expect(await tab.page.evaluate(() => isSecureContext)).toBe(false);
          expect(await noteOf(tab)).toMatch(/plain http.*keeps nothing.*tabloom serve --lan/);
          await tab.screenshot(`plain-http-${browser.kind}-390`);
        }
        await train(chromium, firefox, address, address);
      }),
    );
  }));
