import { vi } from 'vitest';

/** Makes every wait of this process twenty times shorter, until `vi.unstubAllGlobals`: what comes after what stays as it is. */
export function quickTimers(): void {
  const wait = globalThis.setTimeout;
  vi.stubGlobal('setTimeout', (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
    wait(run, ms / 20, ...args),
  );
}
