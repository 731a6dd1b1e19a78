/**
 * What the first screen weighs, and how smoothly the page draws a crowd: `npm run bench:page [SECONDS]`. A gallery's session of 50 or 64 devices that split the
 * samples, 2,000 rounds in, gets an activity report twenty times a second and a round twice a second, as over a network. Frame times are
 * the differences between animation frames; long tasks are those over 50 ms as the browser reports them. What of it is the page's own is
 * the main thread's time, per frame, and its parts; what is drawn by other threads, on the CPU where there is no GPU, only shows in frame
 * times. 390 px wide the processor is made four times slower by the browser itself. Times are this machine's; what CI holds is in test/browser/page-frames.test.ts.
 */
import { fileURLToPath } from 'node:url';
import { withBrowser } from '../browser/harness.ts';
import { openGallery } from '../page/gallery/open-gallery.ts';
import { firstScreenBytes } from './page-bytes.ts';

const seconds = Number(process.argv[2] ?? 6);
const { html, scripts, styles, total } = firstScreenBytes(fileURLToPath(new URL('../../dist', import.meta.url)));
console.log(`first screen, in Brotli: ${total} bytes (${html} of HTML, ${scripts} of scripts, ${styles} of styles)`);
const gallery = await openGallery();
try {
  await withBrowser('chromium', async (browser) => {
    for (const [state, width, slower, barMs] of [
      ['crowd-50', 1280, 1, 20],
      ['crowd-64', 1280, 1, 33],
      ['crowd-50', 390, 4, null],
    ] as const) {
      const tab = await browser.open(gallery.address(state), { width });
      await tab.until('the cloth is drawn', () => document.querySelectorAll('.cell').length > 100);
      // What the loader wraps around named functions.
      await tab.page.evaluate('globalThis.__name = (named) => named');
      await tab.page.emulateCPUThrottling(slower);
      const before = await tab.page.metrics();
      const seen = await tab.page.evaluate(measure, 1000 * seconds, state === 'crowd-64' ? 64 : 50);
      console.log(
        `${state}, ${width} px, processor ${slower} times slower: p50 ${seen.p50.toFixed(1)} ms, p95 ${seen.p95.toFixed(1)} ms, longest ${seen.longest.toFixed(0)} ms; long tasks ${(100 * seen.longShare).toFixed(0)} % of the time; ${seen.renders} renders in ${seen.frames} frames${barText(seen.p95, barMs)}`,
      );
      const after = await tab.page.metrics();
      const mainMs = (key: 'TaskDuration' | 'ScriptDuration' | 'RecalcStyleDuration' | 'LayoutDuration'): string =>
        ((1000 * ((after[key] ?? 0) - (before[key] ?? 0))) / seen.frames).toFixed(2);
      console.log(
        `  main thread, per frame: ${mainMs('TaskDuration')} ms, of it scripts ${mainMs('ScriptDuration')}, style ${mainMs('RecalcStyleDuration')}, layout ${mainMs('LayoutDuration')}`,
      );
      await tab.page.close();
    }
  });
} finally {
  await gallery.close();
}

function barText(p95Ms: number, barMs: number | null): string {
  if (barMs === null) return '';
  return `; ${p95Ms <= barMs ? 'within' : 'OVER'} the ${barMs} ms that are wanted of p95`;
}

async function measure(forMs: number, count: number) {
  const { galleryCounts } = globalThis as unknown as { galleryCounts: { screens: number } };
  const ids = Array.from({ length: count }, (_, place) => `device${String(place).padStart(3, '0')}`);
  const push = (detail: unknown): boolean => dispatchEvent(new CustomEvent('gallery-push', { detail }));
  let longMs = 0;
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longMs += duration;
  });
  observer.observe({ type: 'longtask' });
  let round = 2000;
  let step = 0;
  const rounds: unknown[] = [];
  const activity = setInterval(() => {
    step++;
    push({
      activity: {
        round: round + 1,
        devices: ids.map((device, i) => ({ device, received: (step + i) % 14, expected: 13 })),
      },
    });
  }, 50);
  const next = setInterval(() => {
    round++;
    rounds.push({
      ...{ round, planVersion: 3, loss: 0.2, learningRate: 1e-3, gradientNorm: 1, elapsedSeconds: 0.5, reassigned: 0 },
      devices: ids.map((device, i) => ({
        ...{ device, samples: 1, deepestDepth: 12, uploadBits: 1000 },
        computeSeconds: 0.3 + 0.1 * Math.sin(round + i),
        uploadSeconds: 0.05,
      })),
    });
    dispatchEvent(new CustomEvent('gallery-rounds', { detail: rounds }));
  }, 500);
  const times: number[] = [];
  const before = galleryCounts.screens;
  const startMs = performance.now();
  let lastMs = startMs;
  while (lastMs - startMs < forMs) {
    const atMs = await new Promise<number>(requestAnimationFrame);
    times.push(atMs - lastMs);
    lastMs = atMs;
  }
  clearInterval(activity);
  clearInterval(next);
  observer.disconnect();
  const sorted = times.slice(1).toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return {
    p50: at(0.5),
    p95: at(0.95),
    longest: at(1),
    longShare: longMs / forMs,
    renders: galleryCounts.screens - before,
    frames: sorted.length,
  };
}
