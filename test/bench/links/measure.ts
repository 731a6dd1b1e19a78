import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { type Tab, withBrowser } from '../../browser/harness.ts';
import { withLocalServer } from '../../browser/local-server.ts';
import type { Conditions } from '../../relay/conditions.ts';
import { Network } from '../../relay/network.ts';
import type { Kind, Sent } from './page/page.ts';

export interface Measured {
  readonly bitsPerSecond: number;
  /** From a short message to its answer, with bulk under way. */
  readonly pongMs: { readonly median: number; readonly p90: number; readonly count: number };
  readonly believedBits: number | null;
}

export interface Ends {
  /** Null: straight, without a network between. */
  measure(kind: Kind, conditions: Partial<Conditions> | null): Promise<Measured>;
}

const project = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Two Chromium tabs, each in a browser of its own, so that neither lies in the background. */
export async function withEnds<T>(
  seconds: { readonly warm: number; readonly measured: number },
  body: (ends: Ends) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'tabloom-links-page-'));
  try {
    await build({
      configFile: project('../../../vite.config.ts'),
      root: project('page'),
      base: './',
      logLevel: 'error',
      build: { outDir: folder, emptyOutDir: true },
    });
    const assets = await readdir(join(folder, 'assets'));
    const files = Object.fromEntries(assets.map((name) => [`/assets/${name}`, join(folder, 'assets', name)]));
    const pages = { '/': await readFile(join(folder, 'index.html'), 'utf8') };
    return await withLocalServer({ pages, files }, async ({ url }) => {
      const network = new Network(url, { seed: 1 });
      try {
        const doors = await Promise.all(['caller', 'answerer'].map((name) => network.door(name)));
        return await withBrowser('chromium', (one) =>
          withBrowser('chromium', async (other) => {
            let turn = 0;
            const open = async (origins: readonly string[]): Promise<readonly [Tab, Tab]> => {
              const tabs = [await one.open(origins[0] ?? ''), await other.open(origins[1] ?? '')] as const;
              for (const tab of tabs) await tab.until('the page is there', () => globalThis.linkEnd !== undefined);
              return tabs;
            };
            return body({
              async measure(kind, conditions) {
                network.clear();
                if (conditions !== null) network.set(conditions);
                const [caller, answerer] = await open(
                  conditions === null ? [url, url] : doors.map(({ origin }) => origin),
                );
                const ids = [`caller-${++turn}`, `answerer-${turn}`] as const;
                await answerer.page.evaluate((id, k) => globalThis.linkEnd.answer(id, k), ids[1], kind);
                const sent = await caller.page.evaluate(
                  (id, remote, k, s) => globalThis.linkEnd.call(id, remote, k, s),
                  ...[ids[0], ids[1], kind, seconds],
                );
                const came = await answerer.page.evaluate(() => globalThis.linkEnd.received());
                for (const { page } of [caller, answerer]) await page.close();
                return measured(sent, came);
              },
            });
          }),
        );
      } finally {
        await network.close();
      }
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}

function measured(sent: Sent, came: readonly (readonly [number, number])[]): Measured {
  const counted = came.filter(([atMs]) => atMs >= sent.warmMs && atMs <= sent.endMs);
  // From the first arrival to the last: what had come by the first was under way before.
  const [first, last] = [counted[0]?.[0] ?? 0, counted.at(-1)?.[0] ?? 0];
  const bytes = counted.slice(1).reduce((sum, [, size]) => sum + size, 0);
  const pongs = sent.pongsMs.toSorted((a, b) => a - b);
  const at = (share: number): number => pongs[Math.floor(share * (pongs.length - 1))] ?? Number.NaN;
  return {
    bitsPerSecond: (bytes * 8000) / (last - first),
    pongMs: { median: at(0.5), p90: at(0.9), count: pongs.length },
    believedBits: sent.believedBits,
  };
}
