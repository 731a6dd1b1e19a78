import * as v from 'valibot';
import type { BrowserKind } from '../browser/find-browser.ts';
import { type Tab, withBrowser } from '../browser/harness.ts';
import { Actor, type Hear } from './actors.ts';
import type { MemberRequest } from './member-request.ts';
import { type Order, SaidSchema } from './messages.ts';
import type {} from './tab-page/page.ts';

/** A tab in a browser of its own, which is killed and stopped whole. */
export class TabActor extends Actor {
  readonly kind: BrowserKind;
  #tab: Tab | null = null;
  #pid: number | null = null;
  #end: () => void = () => undefined;
  readonly #closed: Promise<void>;

  constructor(kind: BrowserKind, request: MemberRequest, hear: Hear) {
    super(request, hear);
    this.kind = kind;
    const ended = new Promise<void>((resolve) => {
      this.#end = resolve;
    });
    this.#closed = withBrowser(kind, async (browser) => {
      const tab = await browser.open(request.origin);
      this.#pid = tab.page.browser().process()?.pid ?? null;
      await tab.page.exposeFunction('heard', (text: string) => this.#heard(text));
      await tab.until('the page is there', () => globalThis.begin !== undefined);
      await tab.page.evaluate((asked: MemberRequest) => globalThis.begin(asked), request);
      this.#tab = tab;
      await ended;
    }).then(
      () => this.gone(),
      // Killed while it was starting or saying something.
      () => this.gone(),
    );
  }

  tell(order: Order): void {
    this.#tab?.page.evaluate((said: Order) => globalThis.order(said), order).catch(() => undefined);
  }

  async kill(): Promise<void> {
    this.#signal('SIGKILL');
    this.#end();
    await this.#closed;
  }

  stop(): void {
    this.isStopped = true;
    this.#signal('SIGSTOP');
  }

  goOn(): void {
    this.isStopped = false;
    this.#signal('SIGCONT');
  }

  #heard(text: string): void {
    const said: unknown = JSON.parse(text);
    if (said === null) this.#end();
    else this.hear(v.parse(SaidSchema, said));
  }

  /** To the browser with all its processes: its launcher makes it the leader of a group of its own. */
  #signal(signal: NodeJS.Signals): void {
    if (this.#pid === null || this.isGone) return;
    try {
      process.kill(-this.#pid, signal);
    } catch {
      // It has ended.
    }
  }
}
