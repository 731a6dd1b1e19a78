import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import type { MemberRequest } from './member-request.ts';
import { type MemberView, type Order, type Said, SaidSchema } from './messages.ts';

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

function started(file: string, args: readonly string[]): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', here(file), ...args], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

/** The server of a run, killed and started again under the same address. */
export class ServerActor {
  #child: ChildProcess | null = null;
  #port = 0;
  readonly #secret = randomBytes(32).toString('hex');
  readonly #pageFolder: string;

  constructor(pageFolder = '') {
    this.#pageFolder = pageFolder;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    const child = started('./server-process.ts', [`${this.#port}`, this.#secret, this.#pageFolder]);
    this.#child = child;
    const [port]: unknown[] = await once(child, 'message');
    this.#port = v.parse(v.number(), port);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
}

export type Hear = (member: Actor, said: Said | null) => void;

/** One process, or tab, of a session: what it said last, and what may be done to it. */
export abstract class Actor {
  readonly name: string;
  readonly request: MemberRequest;
  readonly #hear: Hear;
  view: MemberView | null = null;
  /** The newest round whose result it holds. */
  heldRound = 0;
  isStopped = false;
  isGone = false;
  isLiar = false;
  /** Since when it is host, in milliseconds; 0 for none. */
  leadsSinceMs = 0;

  constructor(request: MemberRequest, hear: Hear) {
    this.name = request.name;
    this.request = request;
    this.#hear = hear;
  }

  abstract tell(order: Order): void;
  /** Without a word; settles when it is gone. */
  abstract kill(): Promise<void>;
  abstract stop(): void;
  abstract goOn(): void;

  protected hear(said: Said): void {
    if (said.say === 'view') {
      const leads = said.view.role === 'host' && said.view.phase !== null && said.view.ended === null;
      this.leadsSinceMs = leads ? this.leadsSinceMs || performance.now() : 0;
      this.view = said.view;
    }
    if (said.say === 'held') this.heldRound = said.round;
    this.#hear(this, said);
  }

  protected gone(): void {
    if (this.isGone) return;
    this.isGone = true;
    this.#hear(this, null);
  }
}

export class ProcessActor extends Actor {
  readonly #child: ChildProcess;

  constructor(request: MemberRequest, hear: Hear) {
    super(request, hear);
    this.#child = started('./member.ts', [JSON.stringify(request)]);
    this.#child.on('message', (message) => this.hear(v.parse(SaidSchema, message)));
    this.#child.once('exit', () => this.gone());
  }

  tell(order: Order): void {
    // Whoever was killed in this moment hears nothing, and its end is told anyway.
    if (this.#child.connected) this.#child.send(order, () => undefined);
  }

  async kill(): Promise<void> {
    if (this.isGone) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }

  stop(): void {
    this.isStopped = true;
    this.#child.kill('SIGSTOP');
  }

  goOn(): void {
    this.isStopped = false;
    this.#child.kill('SIGCONT');
  }
}
