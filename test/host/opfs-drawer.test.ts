import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { opfsDrawer } from '../../worker/host/opfs-drawer.ts';

/** What happened to a file since it was opened for writing. */
type Step = { readonly at: number; readonly bytes: number } | 'flush' | 'close' | { readonly truncate: number };

/** A file of the browser's private storage, as the File System standard describes it. */
class StoredFile {
  readonly name: string;
  content = new Uint8Array(0);
  readonly steps: Step[] = [];
  /** Bytes that one write takes at most. */
  takes = Number.POSITIVE_INFINITY;
  gone = false;

  constructor(name: string, content: Uint8Array = new Uint8Array(0)) {
    this.name = name;
    this.content = content.slice();
  }

  async getFile() {
    if (this.gone) throw new DOMException('gone', 'NotFoundError');
    return new Blob([this.content.slice()]);
  }

  async createSyncAccessHandle() {
    return {
      truncate: (bytes: number) => {
        this.steps.push({ truncate: bytes });
        this.content = this.content.slice(0, bytes);
      },
      write: (bytes: Uint8Array, { at }: { at: number }) => {
        const taken = bytes.subarray(0, this.takes);
        const grown = new Uint8Array(Math.max(this.content.length, at + taken.length));
        grown.set(this.content);
        grown.set(taken, at);
        this.content = grown;
        this.steps.push({ at, bytes: taken.length });
        return taken.length;
      },
      flush: () => this.steps.push('flush'),
      close: () => this.steps.push('close'),
    };
  }
}

/** The page's private storage, with one folder. */
class Folder {
  readonly entries = new Map<string, StoredFile | Folder>();

  async *values() {
    yield* this.entries.values();
  }
  async getFileHandle(name: string, { create = false } = {}) {
    const found = this.entries.get(name) ?? (create ? new StoredFile(name) : null);
    if (!(found instanceof StoredFile)) throw new DOMException(name, 'NotFoundError');
    this.entries.set(name, found);
    return found;
  }
  async getDirectoryHandle(name: string, { create = false } = {}) {
    const found = this.entries.get(name) ?? (create ? new Folder() : null);
    if (!(found instanceof Folder)) throw new DOMException(name, 'NotFoundError');
    this.entries.set(name, found);
    return found;
  }
  async removeEntry(name: string, { recursive = false } = {}) {
    const found = this.entries.get(name);
    if (found === undefined) throw new DOMException(name, 'NotFoundError');
    if (found instanceof Folder && found.entries.size > 0 && !recursive)
      throw new DOMException(name, 'InvalidModificationError');
    this.entries.delete(name);
  }
}

let root: Folder;
const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => i + 1);
const stored = async (name: string) => (await root.getDirectoryHandle('sessions')).getFileHandle(name);
const put = async (file: StoredFile) => {
  (await root.getDirectoryHandle('sessions', { create: true })).entries.set(file.name, file);
  return file;
};

beforeEach(() => {
  root = new Folder();
  vi.stubGlobal('navigator', { storage: { getDirectory: async () => root } });
  vi.stubGlobal('FileSystemFileHandle', StoredFile);
});
afterEach(() => vi.unstubAllGlobals());

describe('files of a session in the browser’s private storage', () => {
  it('are written with their first eight bytes last, so that what was broken off is no checkpoint', async () => {
    await opfsDrawer.write('a', bytes(20));
    const { content, steps } = await stored('a');
    expect(content).toEqual(bytes(20));
    expect(steps).toEqual([{ truncate: 0 }, { at: 8, bytes: 12 }, 'flush', { at: 0, bytes: 8 }, 'flush', 'close']);
  });

  it('are written piece by piece where the disk takes no more at once', async () => {
    const file = await put(new StoredFile('a', bytes(90)));
    file.takes = 5;
    await opfsDrawer.write('a', bytes(20));
    expect(file.content).toEqual(bytes(20));
    expect(file.steps.filter((step) => typeof step === 'object' && 'at' in step)).toEqual([
      { at: 8, bytes: 5 },
      { at: 13, bytes: 5 },
      { at: 18, bytes: 2 },
      { at: 0, bytes: 5 },
      { at: 5, bytes: 3 },
    ]);
  });

  it('are closed again when the disk is full', async () => {
    const file = await put(new StoredFile('a'));
    file.takes = 0;
    await expect(opfsDrawer.write('a', bytes(20))).rejects.toThrow('the disk is full');
    expect(file.steps.at(-1)).toBe('close');
    // Nothing is left to be written of a file that is no longer than its beginning.
    await expect(opfsDrawer.write('b', bytes(8))).resolves.toBeUndefined();
    expect((await stored('b')).content).toEqual(bytes(8));
  });

  it('are refused with a sentence where a page may write none', async () => {
    const handle = { name: 'a' };
    vi.spyOn(Folder.prototype, 'getFileHandle').mockResolvedValueOnce(handle as StoredFile);
    await expect(opfsDrawer.write('a', bytes(20))).rejects.toThrow('this browser lets no page write files of its own');
  });

  it('are listed with their bytes, but for folders and for what goes at this moment', async () => {
    expect(await opfsDrawer.list()).toEqual([]);
    await put(new StoredFile('a', bytes(20)));
    (await put(new StoredFile('b', bytes(9)))).gone = true;
    await put(new StoredFile('c', bytes(3)));
    (await root.getDirectoryHandle('sessions')).entries.set('folder', new Folder());
    expect(await opfsDrawer.list()).toEqual([
      { name: 'a', bytes: 20 },
      { name: 'c', bytes: 3 },
    ]);
  });

  it('are read in part', async () => {
    await put(new StoredFile('a', bytes(20)));
    expect(await opfsDrawer.read('a', 3, 6)).toEqual(Uint8Array.of(4, 5, 6));
    await expect(opfsDrawer.read('b', 0, 1)).rejects.toThrow();
  });

  it('go one by one, and all at once with their folder, also where there is none', async () => {
    for (const name of ['a', 'b', 'c']) await opfsDrawer.write(name, bytes(20));
    await opfsDrawer.remove('b');
    expect((await opfsDrawer.list()).map(({ name }) => name)).toEqual(['a', 'c']);
    await opfsDrawer.clear();
    expect(root.entries.size).toBe(0);
    await opfsDrawer.clear();
    expect(root.entries.size).toBe(0);
  });
});
