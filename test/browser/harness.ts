import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer, {
  type Browser,
  type ElementHandle,
  type EvaluateFunc,
  type LaunchOptions,
  type Page,
} from 'puppeteer-core';
import { type BrowserKind, findBrowser } from './find-browser.ts';

/**
 * Real browsers for tests: Chromium over CDP, Firefox over BiDi, both headless, both with WebGPU on the CPU.
 *
 *     await withBrowser('chromium', async (browser) => {
 *       const tab = await browser.open(url, { width: 390 });
 *       await tab.until('the room shows two devices', () => document.querySelectorAll('.device').length === 2);
 *       await tab.screenshot('room-phone');
 *     });
 *
 * When the body throws, the error carries what every tab wrote to its console, and a screenshot of each tab is kept.
 */

/** A phone's width, a tablet's and a laptop's, in CSS pixels. */
export type TabWidth = 390 | 768 | 1280;
const HEIGHTS: Readonly<Record<TabWidth, number>> = { 390: 844, 768: 1024, 1280: 800 };

const LAUNCH_TIMEOUT_MS = 60_000;
const CLOSE_TIMEOUT_MS = 5_000;
const POLL_MS = 100;
/** Of a click that has to find what it is for. */
const MOST_TRIES = 5;

export interface Tab {
  readonly page: Page;
  /** Errors of the console, uncaught exceptions and failed requests, in the order they came. */
  readonly errors: readonly string[];
  /** Waits until `condition`, run in the page with `args`, is true; fails with `what` after `timeoutMs`. */
  until<A extends unknown[]>(
    what: string,
    condition: EvaluateFunc<A>,
    options?: { readonly args?: A; readonly timeoutMs?: number },
  ): Promise<void>;
  /**
   * Types over what a field holds, key by key. Puppeteer's `fill` empties the field without a word to the page first; a page that draws
   * itself anew in that moment puts the old text back.
   */
  fill(selector: string, text: string): Promise<void>;
  /**
   * Clicks the button that is called so: by its label, or by what is written on it. Waits until it can be pressed, and looks whether it was:
   * on a busy machine so much time may pass between looking for a place and clicking there that something else has come to lie there.
   */
  press(name: string, options?: { readonly timeoutMs?: number }): Promise<void>;
  /** Saves a PNG of the whole page among the artifacts; the path. */
  screenshot(name: string): Promise<string>;
}

export interface TestBrowser {
  readonly kind: BrowserKind;
  readonly version: string;
  open(url: string, options?: { readonly width?: TabWidth }): Promise<Tab>;
}

export interface BrowserOptions {
  /** It takes certificates that nobody vouches for, as if its person had clicked the warning away. */
  readonly anyCertificate?: boolean;
  /** A certificate (PEM) that its person has installed as an authority. */
  readonly authority?: string | null;
}

/** Starts a browser for the time of `body`; it is gone afterwards, whatever happened. */
export async function withBrowser<T>(
  kind: BrowserKind,
  body: (browser: TestBrowser) => Promise<T>,
  { anyCertificate = false, authority = null }: BrowserOptions = {},
): Promise<T> {
  const home = authority === null ? null : homeTrusting(kind, authority);
  const browser = await puppeteer.launch({
    ...launchOptions(kind),
    ...home?.options,
    acceptInsecureCerts: anyCertificate,
  });
  try {
    return await withTabs(kind, browser, browser, body);
  } finally {
    await end(browser);
    home?.remove();
  }
}

/** One browser for the tests of a file, which have tabs and a storage of their own each: what takes long is to start it. */
export class SharedBrowser {
  readonly #kind: BrowserKind;
  #browser: Promise<Browser> | null = null;

  constructor(kind: BrowserKind) {
    this.#kind = kind;
  }

  /** As `withBrowser`; whatever fails has the next one start a browser anew. */
  async use<T>(body: (browser: TestBrowser) => Promise<T>): Promise<T> {
    this.#browser ??= puppeteer.launch(launchOptions(this.#kind));
    try {
      const browser = await this.#browser;
      const context = await browser.createBrowserContext();
      const result = await withTabs(this.#kind, browser, context, body);
      await context.close();
      return result;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const started = this.#browser;
    this.#browser = null;
    const browser = await started?.catch(() => null);
    if (browser != null) await end(browser);
  }
}

async function withTabs<T>(
  kind: BrowserKind,
  browser: Browser,
  context: Pick<Browser, 'newPage'>,
  body: (browser: TestBrowser) => Promise<T>,
): Promise<T> {
  const tabs: OpenTab[] = [];
  try {
    return await body({
      kind,
      version: await browser.version(),
      async open(url, { width = 1280 } = {}) {
        const tab = new OpenTab(`${kind}-${tabs.length + 1}`, await context.newPage());
        tabs.push(tab);
        await tab.page.setViewport({ width, height: HEIGHTS[width] });
        await tab.page.goto(url, { waitUntil: 'load', timeout: LAUNCH_TIMEOUT_MS });
        return tab;
      },
    });
  } catch (error) {
    throw await withTabReports(error, tabs);
  }
}

/** A home, or a profile, in whose certificate database (NSS, both browsers') an authority is trusted, as its settings would do it. */
function homeTrusting(kind: BrowserKind, authority: string): { options: LaunchOptions; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'tabloom-trusting-'));
  const database = kind === 'chromium' ? join(folder, '.pki', 'nssdb') : folder;
  mkdirSync(database, { recursive: true });
  const file = join(folder, 'authority.pem');
  writeFileSync(file, authority);
  const certutil = (...args: readonly string[]) =>
    execFileSync('certutil', [...args, '-d', `sql:${database}`], { stdio: 'pipe' });
  certutil('-N', '--empty-password');
  certutil('-A', '-a', '-n', 'tabloom', '-t', 'C,,', '-i', file);
  return {
    options: kind === 'chromium' ? { env: { ...process.env, HOME: folder } } : { userDataDir: folder },
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }),
  };
}

/** Where screenshots go: TABLOOM_ARTIFACTS, or a folder of the system's temporary one. Never inside the project. */
export function artifactPath(name: string): string {
  const folder = process.env.TABLOOM_ARTIFACTS ?? join(tmpdir(), 'tabloom-artifacts');
  mkdirSync(folder, { recursive: true });
  return join(folder, name);
}

class OpenTab implements Tab {
  readonly errors: string[] = [];
  /** Every line of the console, for reports. */
  readonly lines: string[] = [];
  readonly label: string;
  readonly page: Page;

  constructor(label: string, page: Page) {
    this.label = label;
    this.page = page;
    const note = (line: string, isError: boolean): void => {
      this.lines.push(line);
      if (isError) this.errors.push(line);
    };
    page.on('console', (message) => note(`${message.type()}: ${message.text()}`, message.type() === 'error'));
    page.on('pageerror', (error) => note(`uncaught: ${error instanceof Error ? error.message : String(error)}`, true));
    page.on('requestfailed', (request) => {
      const why = request.failure()?.errorText ?? '';
      // A page that has read enough of a file breaks the request off itself.
      note(`failed: ${request.url()} ${why}`, !/ERR_ABORTED|NS_BINDING_ABORTED|NS_BASE_STREAM_CLOSED/.test(why));
    });
  }

  async until<A extends unknown[]>(
    what: string,
    condition: EvaluateFunc<A>,
    { args, timeoutMs = 30_000 }: { readonly args?: A; readonly timeoutMs?: number } = {},
  ): Promise<void> {
    // Asked from here, not by a timer or animation frame in the page: a tab in the background has few of either.
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const left = deadline - performance.now();
      const answer = this.page.evaluate(condition, ...((args ?? []) as unknown as A));
      if (await within(Math.max(left, POLL_MS), answer, `${this.label} did not answer while waiting: ${what}`)) return;
      if (left <= 0) throw new Error(`${this.label}: not within ${timeoutMs} ms: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async fill(selector: string, text: string): Promise<void> {
    await this.page.locator(selector).wait();
    await this.page.$eval(selector, (element) => {
      const field = element as HTMLInputElement | HTMLTextAreaElement;
      field.focus();
      field.select();
    });
    await this.page.keyboard.type(text);
  }

  async press(name: string, options: { readonly timeoutMs?: number } = {}): Promise<void> {
    await this.until(
      `"${name}" can be pressed`,
      (text) =>
        [...document.querySelectorAll('button')].some(
          (one) => !one.disabled && (one.getAttribute('aria-label') ?? one.textContent?.trim()) === text,
        ),
      { ...options, args: [name] },
    );
    for (let tries = 1; tries <= MOST_TRIES; tries++) {
      // A tab in the background takes no clicks.
      await this.page.bringToFront();
      const found = await this.page.evaluateHandle((text) => {
        const button = [...document.querySelectorAll('button')].find(
          (one) => !one.disabled && (one.getAttribute('aria-label') ?? one.textContent?.trim()) === text,
        );
        button?.addEventListener('click', () => button.setAttribute('data-pressed', text), { once: true });
        return button ?? null;
      }, name);
      const button = found.asElement() as ElementHandle<Element> | null;
      if (button === null) throw new Error(`${this.label}: the button "${name}" is gone.`);
      await button.click();
      if (await button.evaluate((one) => one.getAttribute('data-pressed') !== null)) {
        // Its page may use it again for something else.
        await button.evaluate((one) => one.removeAttribute('data-pressed'));
        return;
      }
    }
    throw new Error(`${this.label}: "${name}" was never where the click went, ${MOST_TRIES} times.`);
  }

  async screenshot(name: string): Promise<string> {
    const path = artifactPath(`${name}.png`);
    // Chromium draws no tab that lies behind another.
    await this.page.bringToFront();
    await this.page.screenshot({ path: path as `${string}.png`, fullPage: true });
    return path;
  }
}

function launchOptions(kind: BrowserKind): LaunchOptions {
  const common = { headless: true, timeout: LAUNCH_TIMEOUT_MS, protocolTimeout: 120_000 };
  if (kind === 'chromium') {
    return { ...common, browser: 'chrome', executablePath: findBrowser('chromium'), args: [...CHROMIUM_FLAGS] };
  }
  return {
    ...common,
    browser: 'firefox',
    executablePath: findBrowser('firefox'),
    extraPrefsFirefox: { ...FIREFOX_PREFS },
  };
}

const CHROMIUM_FLAGS: readonly string[] = [
  // Tests often run as root in a container, where Chromium's sandbox cannot start.
  '--no-sandbox',
  // WebGPU on SwiftShader, the CPU device that Chromium brings along: correct and slow.
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan,WebGPU',
  // Host candidates with real addresses: two processes of one machine need no mDNS to find each other.
  '--disable-features=WebRtcHideLocalIpsWithMdns',
  // No calls home: where there is no internet, each would fail and be tried again.
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

const FIREFOX_PREFS: Readonly<Record<string, boolean | number | string>> = {
  'dom.webgpu.enabled': true,
  'gfx.webgpu.ignore-blocklist': true,
  // Candidates on 127.0.0.1, with their real addresses: as above.
  'media.peerconnection.ice.loopback': true,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
};

async function withTabReports(error: unknown, tabs: readonly OpenTab[]): Promise<unknown> {
  const reports: string[] = [];
  for (const tab of tabs) {
    const picture = await within(CLOSE_TIMEOUT_MS, tab.screenshot(`failed-${tab.label}`), 'no picture').catch(String);
    reports.push(`--- ${tab.label} (${picture}) ---`, ...tab.lines.slice(-40));
  }
  if (error instanceof Error && reports.length > 0) error.message += `\n${reports.join('\n')}`;
  return error;
}

/** Asks the browser to close; a browser that does not is killed with its children, by process group. */
async function end(browser: Browser): Promise<void> {
  const pid = browser.process()?.pid;
  await within(CLOSE_TIMEOUT_MS, browser.close(), 'still open').catch(() => undefined);
  if (pid === undefined) return;
  try {
    // The launcher makes the browser the leader of its own group.
    process.kill(-pid, 'SIGKILL');
  } catch {
    // All of them have ended.
  }
}

async function within<T>(timeoutMs: number, work: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(what)), timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
