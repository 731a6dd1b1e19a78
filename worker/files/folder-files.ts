import { FOLDER_ENDPOINT } from '../../signaling/protocol/settings.ts';
import { type ByteSource, MissingFileError, SourceError } from './byte-source.ts';
import type { OpenFile } from './open-file.ts';

/**
 * The files of a model that lies in a folder of the host's own: the host's tab was given them by its person; everybody else has them from
 * the host and each other, chunk by chunk, and knows their names alone.
 */
export class FolderFiles {
  readonly #given = new Map<string, Blob>();
  readonly #told = new Set<string>();

  give(files: readonly File[]): void {
    for (const file of files) this.#given.set(file.name, file);
  }

  /** What there is, as the host says. */
  tell(names: readonly string[]): void {
    for (const name of names) this.#told.add(name);
  }

  /** Opens what lies in the folder from here, and all else with `open`. */
  opening(open: OpenFile): OpenFile {
    return async (url) => {
      if (!url.startsWith(`${FOLDER_ENDPOINT}/`)) return open(url);
      const name = url.slice(url.lastIndexOf('/') + 1);
      const file = this.#given.get(name);
      if (file !== undefined) return blobSource(file);
      if (this.#given.size > 0 || (this.#told.size > 0 && !this.#told.has(name)))
        throw new MissingFileError(`The folder of the model has no ${name}.`);
      // What is kept on this device serves all the same.
      throw new SourceError(
        `${name} of this model lies on the host’s disk. Devices get it from the host and keep it, which browsers allow on https pages alone.`,
      );
    };
  }
}

const blobSource = (blob: Blob): ByteSource => ({
  size: blob.size,
  read: async (start, end) => {
    try {
      return new Uint8Array(await blob.slice(start, end).arrayBuffer());
    } catch {
      throw new SourceError('A file of the model cannot be read any more; was it changed or moved?');
    }
  },
});
