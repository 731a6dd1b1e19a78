import { open, rename, rm } from 'node:fs/promises';

/** Of what holds a session's key or a person's own data. */
export const PRIVATE_MODE = 0o600;

export const PUBLIC_MODE = 0o666;

/**
 * Writes a file that is there whole or as it was before, whatever happens meanwhile; only its owner may read it unless `mode` says more.
 * What could not be written leaves nothing beside it: on a full disk that would be in the way of the next attempt.
 */
export const writeWhole = (path: string, bytes: Uint8Array, mode = PRIVATE_MODE): Promise<void> =>
  writeInParts(path, [bytes], mode);

/** The same of bytes that come one after the other. */
export async function writeInParts(
  path: string,
  parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  mode = PRIVATE_MODE,
): Promise<void> {
  const beside = `${path}.part`;
  try {
    // Made anew: a file that lies there keeps its own mode.
    await rm(beside, { force: true });
    const file = await open(beside, 'wx', mode);
    try {
      for await (const bytes of parts) await file.writeFile(bytes);
      // Else the name may be there before the bytes are, should the machine lose its power.
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}
