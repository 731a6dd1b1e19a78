import { fileURLToPath } from 'node:url';
import type { Policy } from '../../../signaling/protocol/settings.ts';
import { startServer } from '../../../signaling/server/server.ts';
import type { BrowserKind } from '../../browser/find-browser.ts';
import { withBrowser } from '../../browser/harness.ts';
import { HeadlessRoom } from '../../process/headless-room.ts';
import { type Counted, countingProxy } from './counting-proxy.ts';

const project = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const POLICY: Policy = 'crunch';
const READING_MS = 8000;

/** One visit of a device, from its link to its place in the plan. */
export interface Visit {
  readonly requests: number;
  readonly bytes: number;
  /** JavaScript before the form could be used, and until the click. */
  readonly scriptBytesOfPage: number;
  readonly scriptBytesBeforeClick: number;
  readonly bytesBeforeClick: number;
  readonly paintMs: number;
  readonly clickToPlanMs: number;
  readonly engine: string;
  /** Bytes by path, the largest first. */
  readonly paths: readonly { readonly path: string; readonly bytes: number }[];
}

const sum = (answers: readonly Counted[]): number => answers.reduce((bytes, answer) => bytes + answer.bytes, 0);
const scripts = (answers: readonly Counted[]): readonly Counted[] => answers.filter(({ path }) => /\.m?js$/.test(path));

/** In a device's worker: the graphics driver counts as a real one, as it does on devices that have one. */
const REAL_GPU = "Object.defineProperty(GPUAdapterInfo.prototype, 'isFallbackAdapter', { get: () => false });\n";

export interface Joining {
  readonly kind: BrowserKind;
  /** Its WebGPU, in software here, counts as that of a graphics processor. */
  readonly realGpu: boolean;
  /** Long enough to read what the session is; what is fetched meanwhile is fetched before the click. */
  readonly readingMs?: number;
}

/** A device's first visit and its second, by the same browser; the host is a process that trains nothing meanwhile. */
export async function measureJoining({
  kind,
  realGpu,
  readingMs = READING_MS,
}: Joining): Promise<{ readonly first: Visit; readonly second: Visit }> {
  const server = await startServer({
    port: 0,
    host: '127.0.0.1',
    pageFolder: project('dist'),
    modelsFolder: project('models'),
    hubFolder: null,
    iceServers: [],
    log: () => undefined,
  });
  const proxy = await countingProxy(server.port, (path) =>
    realGpu && /\/device-worker-[^/]*\.js$/.test(path) ? REAL_GPU : '',
  );
  const room = await HeadlessRoom.open(`http://127.0.0.1:${server.port}`, POLICY, {});
  try {
    await room.ready(1);
    const { invitation } = await room.until((view) => view.invitation !== null);
    const link = (invitation?.link ?? '').replace(`http://127.0.0.1:${server.port}`, proxy.origin);
    return await withBrowser(kind, async (browser) => {
      const visit = async (): Promise<Visit> => {
        proxy.take();
        const before = new Set(room.view.room?.devices.map(({ id }) => id));
        const tab = await browser.open(link, { width: 390 });
        const button = '::-p-xpath(//button[normalize-space()="Join"])';
        await tab.page.locator(button).setTimeout(60_000).wait();
        const ofPage = sum(scripts(proxy.seen()));
        await new Promise((resolve) => setTimeout(resolve, readingMs));
        const paintMs = await tab.page.evaluate(
          () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN,
        );
        const [beforeClick, scriptsBefore] = [sum(proxy.seen()), sum(scripts(proxy.seen()))];
        const clickedMs = performance.now();
        await tab.page.locator(button).click();
        // A driver in software is too slow for a place in the plan: what counts as a graphics processor has arrived when it is ready for one.
        const view = await room.until(({ room: seen }) =>
          realGpu
            ? (seen?.devices ?? []).some(({ id, status }) => !before.has(id) && status.kind === 'ready')
            : (seen?.plan?.assignments ?? []).some(({ device, layers }) => !before.has(device) && layers.length > 0),
        );
        const clickToPlanMs = performance.now() - clickedMs;
        const answers = proxy.take();
        const device = view.room?.devices.find(({ id }) => !before.has(id));
        // Left as a person leaves, with a word to the room; a tab that is killed is waited for a while.
        await tab.page.goto('about:blank');
        await tab.page.close();
        await room.until(({ room: seen }) => seen?.devices.length === before.size);
        const paths = new Map<string, number>();
        for (const { path, bytes } of answers) paths.set(path, (paths.get(path) ?? 0) + bytes);
        return {
          requests: answers.length,
          bytes: sum(answers),
          scriptBytesOfPage: ofPage,
          scriptBytesBeforeClick: scriptsBefore,
          bytesBeforeClick: beforeClick,
          paintMs,
          clickToPlanMs,
          engine: device?.profile?.backend ?? '',
          paths: [...paths].map(([path, bytes]) => ({ path, bytes })).sort((a, b) => b.bytes - a.bytes),
        };
      };
      return { first: await visit(), second: await visit() };
    });
  } finally {
    await room.close();
    proxy.close();
    await server.close();
  }
}
