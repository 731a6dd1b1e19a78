import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

const SECRET_BYTES = 32;

/** For a server that was given none: good until this process ends. */
export const PROCESS_SECRET: Uint8Array = randomBytes(SECRET_BYTES);

/** Where a server keeps what has to outlive it. */
export function defaultStateFolder(): string {
  const { XDG_STATE_HOME: xdg, LOCALAPPDATA: local } = process.env;
  if (process.platform === 'win32' && local) return join(local, 'tabloom');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'tabloom');
  return join(xdg || join(homedir(), '.local', 'state'), 'tabloom');
}

const secretFile = (folder: string): string => join(folder, 'server-secret');

/** Deletes the secret; resolves with its bytes. The next server of this machine knows no host of sessions from before. */
export async function forgetSecret(folder: string): Promise<number> {
  const { size } = await stat(secretFile(folder)).catch(() => ({ size: 0 }));
  await rm(secretFile(folder), { force: true });
  return size;
}

/**
 * The server's secret, made on the first start and readable by its owner alone. With it a server that was started again knows the hosts
 * of its rooms again. Null where it cannot be kept.
 */
export async function keptSecret(folder: string): Promise<Uint8Array | null> {
  const path = secretFile(folder);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    // Only where there is none: two servers that start at once end up with the same.
    await writeFile(path, randomBytes(SECRET_BYTES), { mode: 0o600, flag: 'wx' }).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      },
    );
    const secret = await readFile(path);
    return secret.length === SECRET_BYTES ? secret : null;
  } catch {
    return null;
  }
}
