import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import { Network } from '../relay/network.ts';
import { withBrowser } from './harness.ts';
import { withLocalServer } from './local-server.ts';
import { type ExchangeRequest, type ExchangeResult, exchange, expectedChecksum } from './peer-exchange.ts';

const PAGE = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script src="/peerjs.js"></script>';
const BYTES = 64 * 1024;

it('a Chromium tab and a Firefox tab meet each other over the network between them, and nowhere else', () =>
  withLocalServer(
    {
      pages: { '/': PAGE },
      files: { '/peerjs.js': createRequire(import.meta.url).resolve('peerjs/dist/peerjs.min.js') },
    },
    async ({ url, peerPath: path }) => {
      const network = new Network(url, { seed: 1 });
      network.set({ delayMs: 30, loss: 0.02 });
      try {
        await withBrowser('chromium', (chromium) =>
          withBrowser('firefox', async (firefox) => {
            const end = async (
              browser: typeof chromium,
              id: string,
              remote: string | null,
              seed: number,
            ): Promise<ExchangeResult> => {
              const door = await network.door(id);
              const tab = await browser.open(door.origin);
              const port = Number(new URL(door.origin).port);
              const request: ExchangeRequest = { id, remote, port, path, seed, sendBytes: BYTES, expectBytes: BYTES };
              return tab.page.evaluate(
                `(${exchange})(peerjs.Peer, ${JSON.stringify(request)})`,
              ) as Promise<ExchangeResult>;
            };
            const [ada, ben] = await Promise.all([end(chromium, 'ada', 'ben', 1), end(firefox, 'ben', null, 2)]);
            expect(ada.checksum).toBe(expectedChecksum(2, BYTES));
            expect(ben.checksum).toBe(expectedChecksum(1, BYTES));
            // Bytes that came elsewhere are missing here, and a first flight of 12 KB takes four round trips for so many.
            for (const { bytes, lost } of [network.counts('ada', 'ben'), network.counts('ben', 'ada')]) {
              expect(bytes).toBeGreaterThan(BYTES);
              expect(lost).toBeGreaterThan(0);
            }
            expect(ada.elapsedMs).toBeGreaterThan(60);
          }),
        );
      } finally {
        await network.close();
      }
    },
  ));
