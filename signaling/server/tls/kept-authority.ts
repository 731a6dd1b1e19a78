import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type KeyPair, type MachineNames, newAuthority } from './authority.ts';

const DAY_MS = 86_400_000;
/** With less than this left, the authority is made anew: its certificates would soon end. */
const RENEW_DAYS = 30;

export const AUTHORITY_FILES = { key: 'authority-key.pem', certificate: 'authority.pem' } as const;

/** Where a person's own settings are kept. */
export function defaultConfigFolder(): string {
  const { XDG_CONFIG_HOME: xdg, APPDATA: roaming } = process.env;
  if (process.platform === 'win32' && roaming) return join(roaming, 'tabloom');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'tabloom');
  return join(xdg || join(homedir(), '.config'), 'tabloom');
}

/**
 * This person's authority, made on the first call and readable by its owner alone. One that is about to end, or was made for a machine of
 * another name, is replaced, and whoever installed it has to install the new one. Null where it can be neither read nor kept.
 */
export async function keptAuthority(folder: string, machine: MachineNames, nowMs: number): Promise<KeyPair | null> {
  const paths = { key: join(folder, AUTHORITY_FILES.key), certificate: join(folder, AUTHORITY_FILES.certificate) };
  const known = await readPair(paths).catch(() => null);
  if (known !== null && isOf(known, machine, nowMs)) return known;
  const pair = await newAuthority(machine, nowMs);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    // The certificate first: a key without its own would be used with another's.
    for (const [path, text] of [
      [paths.certificate, pair.certificate],
      [paths.key, pair.key],
    ] as const) {
      await writeFile(`${path}.part`, text, { mode: 0o600 });
      await rename(`${path}.part`, path);
    }
    return pair;
  } catch {
    return null;
  }
}

/** Deletes the authority; resolves with its bytes. Devices that installed it should remove it, too. */
export async function forgetAuthority(folder: string): Promise<number> {
  const sizes = Object.values(AUTHORITY_FILES).map(async (name) => {
    const path = join(folder, name);
    const { size } = await stat(path).catch(() => ({ size: 0 }));
    await rm(path, { force: true });
    return size;
  });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

async function readPair(paths: { readonly key: string; readonly certificate: string }): Promise<KeyPair> {
  return { key: await readFile(paths.key, 'utf8'), certificate: await readFile(paths.certificate, 'utf8') };
}

function isOf({ key, certificate }: KeyPair, { names }: MachineNames, nowMs: number): boolean {
  try {
    const read = new X509Certificate(certificate);
    if (Date.parse(read.validTo) < nowMs + RENEW_DAYS * DAY_MS || Date.parse(read.validFrom) > nowMs) return false;
    return (
      read.subject.includes(`CN=Tabloom on ${names[0] ?? 'this machine'}`) &&
      read.checkPrivateKey(createPrivateKey(key))
    );
  } catch {
    return false;
  }
}
