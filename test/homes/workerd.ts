import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Cloudflare's engine on this machine: the deployment as it is built, with its objects' storage in a folder. */

const run = promisify(execFile);
const project = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const TOOLS = project('signaling/cloudflare');
const BUILT = project('out/cloudflare');
/** As in wrangler.json. */
const COMPATIBILITY_DATE = '2026-04-01';
const STARTS_MS = 30_000;

/** Installs the engine where it is not there yet, and builds the deployment. */
export async function prepare(): Promise<void> {
  if (!existsSync(join(TOOLS, 'node_modules/workerd'))) await run('npm', ['ci', '--no-progress'], { cwd: TOOLS });
  for (const mode of ['worker', 'planner'])
    await run(
      process.execPath,
      [
        project('node_modules/vite/bin/vite.js'),
        'build',
        '--config',
        project('vite.cloudflare.config.ts'),
        '--mode',
        mode,
        '--logLevel',
        'error',
      ],
      { cwd: project('') },
    );
}

/** The engine itself, without the script that starts it for npm: a signal reaches it. */
function engine(): string {
  const tools = createRequire(join(TOOLS, 'package.json'));
  const name = `@cloudflare/workerd-${process.platform}-${process.arch === 'x64' ? '64' : process.arch}`;
  return createRequire(tools.resolve('workerd')).resolve(`${name}/bin/workerd`);
}

export interface WorkerdOptions {
  /** Words that a deployment's person sets. */
  readonly words: Readonly<Record<string, string>>;
  /** Where objects keep what they keep; a folder that goes with the engine unless given. */
  readonly storage?: string;
  /** A folder with what is fetched, in place of a deployment's assets. */
  readonly assets?: string;
  readonly log: (line: string) => void;
}

export class Workerd {
  readonly port: number;
  /** Where the planner alone is asked; rooms' objects reach it without. */
  readonly plannerPort: number;
  readonly pid: number;
  readonly #process: ChildProcess;
  readonly #folder: string;

  private constructor(process: ChildProcess, [port, plannerPort]: readonly [number, number], folder: string) {
    this.#process = process;
    this.port = port;
    this.plannerPort = plannerPort;
    this.pid = process.pid ?? 0;
    this.#folder = folder;
  }

  static async start({ words, storage, assets, log }: WorkerdOptions): Promise<Workerd> {
    const folder = await mkdtemp(join(tmpdir(), 'tabloom-workerd-'));
    const kept = storage ?? join(folder, 'storage');
    await mkdir(kept, { recursive: true });
    const config = join(folder, 'config.capnp');
    await writeFile(config, configOf(words, kept, assets));
    const child = spawn(engine(), ['serve', config, '--control-fd=3', `--import-path=${BUILT}`], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    // Where a test fails before it closes its home.
    const end = (): void => void child.kill('SIGKILL');
    process.once('exit', end);
    child.once('exit', () => process.off('exit', end));
    const last: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      if (stream !== null)
        createInterface(stream).on('line', (line) => {
          last.push(line);
          if (last.length > 20) last.shift();
          log(line);
        });
    const ports = await new Promise<readonly [number, number]>((resolve, reject) => {
      const fail = (why: string): void => reject(new Error(`workerd ${why}: ${last.join('\n')}`));
      const timer = setTimeout(() => fail('did not start in time'), STARTS_MS);
      child.once('error', (error) => fail(error.message));
      child.once('exit', () => fail('ended'));
      const control = child.stdio[3];
      if (control === null || control === undefined || !('readable' in control)) return fail('has no control');
      let told = '';
      const portOf = (socket: string): number =>
        Number(new RegExp(`"event":"listen","socket":"${socket}","port":(\\d+)`).exec(told)?.[1] ?? 0);
      control.on('data', (data: Buffer) => {
        told += data.toString();
        const found = [portOf('http'), portOf('planner')] as const;
        if (found.includes(0)) return;
        clearTimeout(timer);
        resolve(found);
      });
    });
    return new Workerd(child, ports, folder);
  }

  /** At once, as a machine that loses its power; what is on disk stays where `storage` was given. */
  async close(): Promise<void> {
    const gone = new Promise((resolve) => this.#process.once('exit', resolve));
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      this.#process.kill('SIGKILL');
      await gone;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function configOf(words: Readonly<Record<string, string>>, storage: string, assets: string | undefined): string {
  const files = assets === undefined ? '' : `(name = "files", disk = (path = ${JSON.stringify(assets)})),`;
  const binding = assets === undefined ? '' : '(name = "ASSETS", service = "files"),';
  const texts = Object.entries(words).map(([name, text]) => `(name = "${name}", text = ${JSON.stringify(text)})`);
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "planner", worker = .planner),
    (name = "disk", disk = (path = ${JSON.stringify(storage)}, writable = true)),
    ${files}
  ],
  sockets = [
    (name = "http", address = "127.0.0.1:0", http = (), service = "main"),
    (name = "planner", address = "127.0.0.1:0", http = (), service = "planner"),
  ],
);
const main :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "/worker.js")],
  compatibilityDate = "${COMPATIBILITY_DATE}",
  bindings = [
    (name = "ROOMS", durableObjectNamespace = "RoomObject"),
    (name = "ADDRESSES", durableObjectNamespace = "AddressObject"),
    (name = "PLANNER", service = "planner"),
    ${binding}
    ${texts.join(',\n    ')}
  ],
  durableObjectNamespaces = [
    (className = "RoomObject", uniqueKey = "rooms", enableSql = true),
    (className = "AddressObject", uniqueKey = "addresses", enableSql = true),
  ],
  durableObjectStorage = (localDisk = "disk"),
);
const planner :Workerd.Worker = (
  modules = [(name = "planner.js", esModule = embed "/planner.js")],
  compatibilityDate = "${COMPATIBILITY_DATE}",
);
`;
}
