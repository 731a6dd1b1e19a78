import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, watch } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Nothing that a test starts lives longer. */
const LIMIT_MS = 300_000;

export const PROGRAM = fileURLToPath(new URL('../../signaling/tabloom.ts', import.meta.url));
export const TINY_MODEL = fileURLToPath(new URL('../fixtures/cases/model/tiny', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Tabloom's command line as a person runs it, in a process of its own. */
export class TabloomProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  #text = { out: '', err: '' };
  readonly #heard = new Set<() => void>();

  /** `preload` is JavaScript that the process runs first; `fileKilobytes` the longest file that it may write. */
  constructor(args: readonly string[], options: { readonly preload?: string; readonly fileKilobytes?: number } = {}) {
    const { preload, fileKilobytes } = options;
    const first = preload === undefined ? [] : ['--import', `data:text/javascript,${encodeURIComponent(preload)}`];
    const command = [process.execPath, '--import', 'tsx', ...first, PROGRAM, ...args];
    const limited = ['bash', '-c', `ulimit -f ${fileKilobytes}; exec "$@"`, 'bash', ...command];
    const [program = '', ...rest] = fileKilobytes === undefined ? command : limited;
    this.child = spawn(program, rest, { timeout: LIMIT_MS });
    for (const [name, stream] of [['out', this.child.stdout] as const, ['err', this.child.stderr] as const])
      stream?.on('data', (chunk) => {
        this.#text[name] += chunk;
        for (const heard of [...this.#heard]) heard();
      });
    this.ended = once(this.child, 'close').then(([code]: unknown[]) => ({
      code: typeof code === 'number' ? code : null,
      ...this.#text,
    }));
  }

  /** Everything that was said so far, as soon as `satisfied`; rejects when the process ends before. */
  until(satisfied: (said: string) => boolean): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const said = this.#text.out + this.#text.err;
        if (!satisfied(said)) return;
        this.#heard.delete(look);
        resolve(said);
      };
      this.#heard.add(look);
      this.ended.then(({ out, err }) => reject(new Error(`It ended before: ${out}${err}`)));
      look();
    });
  }
}

/** What a file holds, as soon as it is `satisfied`. Its folder is there already. */
export async function fileUntil(path: string, satisfied: (content: Buffer) => boolean): Promise<Buffer> {
  const stop = new AbortController();
  // Watched before it is read, so that nothing comes in between.
  const changes = watch(dirname(path), { signal: stop.signal });
  const read = async (): Promise<Buffer> => readFile(path).catch(() => Buffer.alloc(0));
  try {
    const now = await read();
    if (satisfied(now)) return now;
    for await (const { filename } of changes) {
      if (filename !== basename(path)) continue;
      const content = await read();
      if (satisfied(content)) return content;
    }
    throw new Error(`${path} is watched no longer.`);
  } finally {
    stop.abort();
  }
}
