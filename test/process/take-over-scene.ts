import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { headlessEnvironment } from '../../signaling/node/node-environment.ts';
import { readInvitation } from '../../web/session/links/link-address.ts';
import { joinSession } from '../../web/session/members.ts';
import type { HostSession, Session, SessionView } from '../../web/session/view/view.ts';
import type { HostCommand, HostProcessOptions } from './host-process.ts';

const PATIENCE_MS = 160_000;
const project = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** A host in a process of its own that a test may kill, and what it said, line by line. */
export class HostProcess {
  readonly child: ChildProcess;
  readonly lines: Record<string, unknown>[] = [];
  /** The process is gone; what by. */
  readonly gone: Promise<NodeJS.Signals | number | null>;
  readonly #heard = new Set<() => void>();
  #rest = '';

  constructor(origin: string, options: HostProcessOptions) {
    const all = ['--import', 'tsx', project('test/process/host-process.ts'), origin, JSON.stringify(options)];
    this.child = spawn(process.execPath, all, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.gone = new Promise((resolve) => this.child.once('exit', (code, signal) => resolve(signal ?? code)));
    // It may be killed while something is said to it.
    this.child.stdin?.on('error', () => undefined);
    this.child.stdout?.on('data', (chunk: Buffer) => {
      const lines = (this.#rest + chunk.toString()).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.lines.push(JSON.parse(line));
      for (const heard of [...this.#heard]) heard();
    });
  }

  until(satisfied: (line: Record<string, unknown>) => boolean, from = 0): Promise<Record<string, unknown>> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`The host said only ${JSON.stringify(this.lines.slice(-30))}`)),
        PATIENCE_MS,
      );
      const look = (): void => {
        const line = this.lines.slice(from).find(satisfied);
        if (line === undefined) return;
        clearTimeout(timer);
        this.#heard.delete(look);
        resolve(line);
      };
      this.#heard.add(look);
      look();
    });
  }

  /** The first such line from now on. */
  next(satisfied: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    const said = this.lines.length;
    return this.until(satisfied, said);
  }

  async link(): Promise<string> {
    return String((await this.until(({ link }) => link !== undefined)).link);
  }

  async round(round: number): Promise<void> {
    await this.until((line) => Number(line.round) >= round);
  }

  tell(command: HostCommand): void {
    this.child.stdin?.write(`${JSON.stringify(command)}\n`);
  }

  /** It hangs, with its connections open, until it may go on. */
  stop(): void {
    this.child.kill('SIGSTOP');
  }

  goOn(): void {
    this.child.kill('SIGCONT');
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }
}

/** A device in this process, whatever it becomes. */
export class Member {
  session: Session;
  host: HostSession | null = null;
  readonly news: string[] = [];
  readonly #heard = new Set<() => void>();

  private constructor(session: Session) {
    this.session = session;
    this.#follow(session);
  }

  static async join(link: string, name: string, memoryLimitBytes = 2e9): Promise<Member> {
    const invitation = readInvitation(link);
    if (!invitation.ok) throw new Error(invitation.sentence);
    const environment = await headlessEnvironment(new URL(link).origin, { memoryLimitBytes });
    return new Member(joinSession(environment, invitation, { name, slowdown: 1, watch: false }));
  }

  static of(session: Session): Member {
    return new Member(session);
  }

  get view(): SessionView {
    return this.session.view;
  }

  #follow(session: Session): void {
    let told = 0;
    const look = (): void => {
      for (const { id, sentence } of session.view.notices)
        if (id > told) {
          told = id;
          this.news.push(sentence);
        }
      for (const heard of [...this.#heard]) heard();
    };
    session.subscribe(look);
    session.onSuccessor?.((next) => {
      this.session = next.session;
      this.host = next.host;
      this.#follow(next.session);
    });
    look();
  }

  until(satisfied: (view: SessionView) => boolean): Promise<SessionView> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const { role, room, rounds, ended } = this.view;
        const devices = room?.devices.map(({ name, status, online, linked }) => ({ name, status, online, linked }));
        const seen = { role, phase: room?.phase, host: room?.host, rounds: rounds.length, ended, devices };
        reject(new Error(`It did not come to it: ${JSON.stringify({ ...seen, news: this.news }, null, 1)}`));
      }, PATIENCE_MS);
      const look = (): void => {
        if (!satisfied(this.view)) return;
        clearTimeout(timer);
        this.#heard.delete(look);
        resolve(this.view);
      };
      this.#heard.add(look);
      look();
    });
  }
}
