import { readFileSync } from 'node:fs';
import type { Page } from 'puppeteer-core';

/** Bytes in memory of the process that draws a page, its workers with it; null where there is no /proc. Chromium alone. */
export async function rendererBytes(page: Page): Promise<number | null> {
  const session = await page.browser().target().createCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  const sizes = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => residentBytes(id));
  // The others are spare ones, without a page.
  return sizes.every((size) => size === null) ? null : Math.max(...sizes.map((size) => size ?? 0));
}

/** What a process has in memory; null where there is no /proc, or no such process. */
export function residentBytes(pid: number): number | null {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? null : 1024 * Number(kilobytes);
  } catch {
    return null;
  }
}

/** How smoothly a page is drawn, from now until it is asked. */
export interface Smoothness {
  readonly seconds: number;
  readonly frames: number;
  /** Gaps between frames, longest first, in ms. */
  readonly gaps: readonly number[];
  /** Of the page's own thread: longer than 50 ms. */
  readonly longTasks: readonly number[];
}

/** As text: what translates this file would put a helper of its own into a function. */
const WATCH = `
  const seen = { startMs: performance.now(), frames: 0, gaps: [], longTasks: [] };
  globalThis.benchFrames = seen;
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) seen.longTasks.push(duration);
  }).observe({ type: 'longtask' });
  let lastMs = performance.now();
  requestAnimationFrame(function frame(nowMs) {
    seen.frames += 1;
    seen.gaps.push(nowMs - lastMs);
    lastMs = nowMs;
    requestAnimationFrame(frame);
  });
`;
const SEEN = `(() => {
  const { startMs, frames, gaps, longTasks } = globalThis.benchFrames;
  const seconds = (performance.now() - startMs) / 1000;
  return { seconds, frames, gaps: gaps.toSorted((a, b) => b - a).slice(0, 100), longTasks };
})()`;

export async function watchFrames(page: Page): Promise<() => Promise<Smoothness>> {
  await page.evaluate(WATCH);
  return async () => (await page.evaluate(SEEN)) as Smoothness;
}
