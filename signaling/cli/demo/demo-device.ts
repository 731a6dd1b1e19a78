import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { EngineChoice } from '../../protocol/words/engines.ts';

/** Of a device that is not told another. */
export const MEMORY_LIMIT_BYTES = 2e9;

export interface DemoDevice {
  readonly name: string;
  readonly slowdown: number;
  readonly memoryBytes?: number;
}

/** What is the same for all devices of a demo. */
interface Alike {
  readonly cacheFolder: string | null;
  readonly engine: EngineChoice;
  /** How many times longer everything takes because they share this computer's processor. */
  readonly share: number;
}

/** A device in a process of its own. */
export function startDevice(
  link: string,
  { name, slowdown, memoryBytes = MEMORY_LIMIT_BYTES }: DemoDevice,
  { cacheFolder, engine, share }: Alike,
): ChildProcess {
  const program = fileURLToPath(new URL('../../tabloom.mjs', import.meta.url));
  return spawn(
    process.execPath,
    [
      ...[program, 'join', link],
      ...[
        '--name',
        name,
        '--slowdown',
        String(slowdown),
        '--memory',
        `${memoryBytes / 1e6}MB`,
        '--cache',
        cacheFolder ?? 'none',
        '--engine',
        engine,
        '--processor-share',
        String(share),
        '--allow-private',
      ],
    ],
    // Over the fourth, a device learns that the demo is gone, also when that was killed.
    { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
  );
}

/** The room's end reaches every device; one that does not go by itself is ended. */
export function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
