/**
 * Where a device keeps pieces of model files between visits: entries of bytes by key, each written whole or not at all. Keys are
 * `<32 hexadecimal digits>/<word>`. Whoever reads an entry checks it: a browser or a person may remove or damage any of them at any time.
 */
export interface ChunkStore {
  /** It belongs to one page's origin, as browsers' do: then it also keeps what that origin serves itself. */
  readonly ofOrigin?: true;
  get(key: string): Promise<Uint8Array | null>;
  /** Keeps the parts, one after the other. Rejects with a QuotaExceededError, or ENOSPC, where there is no room. */
  put(key: string, parts: readonly Uint8Array<ArrayBuffer>[]): Promise<void>;
  /** Entries that are not there are fine. */
  delete(keys: readonly string[]): Promise<void>;
  /** Those whose keys begin with `prefix`. */
  list(prefix: string): Promise<readonly { readonly key: string; readonly bytes: number }[]>;
  /** Deletes all entries, and what entries left that were never whole. */
  clear(): Promise<void>;
}
