import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { startServer } from '../../signaling/server/server.ts';
import { processorShare, processorsFor, threadsOf } from '../../web/session/world/processor-share.ts';
import { HostMessages } from '../bench/room-of-tabs/host-messages.ts';
import { needs, WHOLE } from '../needs.ts';
import { withBrowser } from './harness.ts';

const project = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const TABS = 3;

test(
  'tabs of one browser state that they share its processor, and no longer when one is gone',
  needs(WHOLE),
  async () => {
    const server = await startServer({
      port: 0,
      host: '127.0.0.1',
      pageFolder: project('dist'),
      modelsFolder: project('models'),
      hubFolder: null,
      iceServers: [],
      log: () => undefined,
    });
    try {
      await withBrowser('chromium', async (browser) => {
        const host = await browser.open(`http://127.0.0.1:${server.port}`);
        const { cores, isolated } = await host.page.evaluate(() => ({
          cores: navigator.hardwareConcurrency,
          isolated: crossOriginIsolated,
        }));
        const shareOf = (tabs: number): number => {
          const wanted = Array.from({ length: tabs }, () => 1 / threadsOf('onnx', cores, isolated));
          return processorShare(wanted, processorsFor('onnx', cores));
        };
        const messages = await HostMessages.listen(host.page);
        await host.press('Start a session');
        const field = await host.page.waitForSelector('input[aria-label="Session link"]', { timeout: 60_000 });
        const link = (await field?.evaluate((input) => input.value)) ?? '';
        /** A layer's, as the host states them. */
        const stated = (): number => messages.room?.devices[0]?.profile?.secondsPerSample.backwardPerLayer ?? 0;
        const until = (what: string, holds: () => boolean) =>
          expect.poll(holds, { message: what, timeout: 60_000, interval: 100 }).toBe(true);
        await until('the host has measured itself', () => stated() > 0);
        const alone = stated();
        const others = [];
        for (let i = 1; i < TABS; i++) {
          const tab = await browser.open(link);
          await tab.press('Join');
          others.push(tab);
          const expected = alone * shareOf(i + 1);
          await until(`${i + 1} tabs share`, () => Math.abs(stated() / expected - 1) < 1e-6);
        }
        await others.at(-1)?.page.close();
        const expected = alone * shareOf(TABS - 1);
        await until('one less shares', () => Math.abs(stated() / expected - 1) < 1e-6);
      });
    } finally {
      await server.close();
    }
  },
);
