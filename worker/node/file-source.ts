import { open, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type ByteSource, MissingFileError, SourceError } from '../files/byte-source.ts';
import { type Fetch, httpSource } from '../files/http-source.ts';
import { type OpenFile, openHttp } from '../files/open-file.ts';

/**
 * Opens `file:` and http(s) addresses; for headless devices, so nothing that a page loads may import it. A hub's addresses write the
 * slash in a revision as %2F; in a folder with a hub's layout that is a folder more.
 */
export const openFileOrHttp: OpenFile = (url) =>
  url.startsWith('file:') ? fileSource(fileURLToPath(url.replace(/%2f/gi, '/'))) : openHttp(url);

/** Opens http(s) addresses by way of `fetcher`, and no files: for a device that reads what somebody else names. */
export const openGuarded =
  (fetcher: Promise<Fetch>): OpenFile =>
  async (url) => {
    if (!/^https?:/i.test(url)) throw new SourceError('The session names a model that is not on a hub.');
    return httpSource(url, await fetcher);
  };

/** A file on disk; opened for each read, so that nothing has to be closed. */
export async function fileSource(path: string): Promise<ByteSource> {
  const { size } = await explained(path, stat(path));
  return {
    size,
    read: async (start, end) => {
      const file = await explained(path, open(path));
      try {
        const bytes = new Uint8Array(end - start);
        let filled = 0;
        while (filled < bytes.length) {
          const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, start + filled);
          if (bytesRead === 0) throw new SourceError(`${path} ends at byte ${start + filled}, before byte ${end}.`);
          filled += bytesRead;
        }
        return bytes;
      } finally {
        await file.close();
      }
    },
  };
}

async function explained<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      throw new MissingFileError(`There is no file ${path}.`);
    throw new SourceError(`${path} cannot be read (${error instanceof Error ? error.message : String(error)}).`);
  }
}
