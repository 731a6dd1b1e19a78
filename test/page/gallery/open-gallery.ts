import puppeteer, { type Page } from 'puppeteer-core';
import { createServer } from 'vite';

export interface Look {
  readonly width: number;
  readonly scheme: 'light' | 'dark';
  readonly reducedMotion?: boolean;
}

export interface Gallery {
  /** `STATE` or `STATE#fragment`, once its fonts, QR code and chart are there. `problems` collects what the page throws or logs as errors. */
  show(state: string, look: Look, problems?: string[]): Promise<Page>;
  close(): Promise<void>;
}

/** The development server and a Chromium (`CHROMIUM`, /usr/bin/chromium when unset) that looks at it. */
export async function openGallery(): Promise<Gallery> {
  const server = await createServer({
    logLevel: 'error',
    server: { host: '127.0.0.1', port: 0, hmr: false, watch: null },
    optimizeDeps: { include: ['preact', 'preact/hooks', '@preact/signals', 'uplot', 'lean-qr'] },
  });
  await server.listen();
  const address = server.httpServer?.address();
  if (typeof address !== 'object' || address === null) throw new Error('The development server has no port.');
  const base = `http://127.0.0.1:${address.port}/test/page/gallery/index.html`;
  const browser = await puppeteer.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
  return {
    async show(state, { width, scheme, reducedMotion = false }, problems = []) {
      const page = await browser.newPage();
      page.on('pageerror', (error) => problems.push(String(error)));
      page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
      await page.setViewport({ width, height: width < 600 ? 844 : 800, isMobile: width < 600, hasTouch: width < 600 });
      await page.emulateMediaFeatures([
        { name: 'prefers-color-scheme', value: scheme },
        { name: 'prefers-reduced-motion', value: reducedMotion ? 'reduce' : 'no-preference' },
      ]);
      const [name, fragment] = state.split('#');
      await page.goto(`${base}?state=${name}${fragment === undefined ? '' : `#${fragment}`}`, {
        waitUntil: 'networkidle0',
      });
      await page.waitForSelector('h1');
      return page;
    },
    async close() {
      await browser.close();
      await server.close();
    },
  };
}
