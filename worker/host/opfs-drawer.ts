import type { Drawer } from './kept-sessions.ts';

const FOLDER = 'sessions';
/** Written last: without them a file is no checkpoint. */
const LAST_BYTES = 8;

/** The part of FileSystemSyncAccessHandle that is used; TypeScript's DOM library, unlike the one for workers, does not have it. */
interface SyncAccess {
  truncate(bytes: number): void;
  write(bytes: Uint8Array, options: { at: number }): number;
  flush(): void;
  close(): void;
}

/** Files in the browser's private storage for this origin (OPFS), written from a dedicated worker. */
export const opfsDrawer: Drawer = {
  async list() {
    const files: { name: string; bytes: number }[] = [];
    for await (const handle of (await folder()).values())
      if (handle instanceof FileSystemFileHandle) {
        // Another tab may have it open, or remove it at this moment.
        const file = await handle.getFile().catch(() => null);
        if (file !== null) files.push({ name: handle.name, bytes: file.size });
      }
    return files;
  },
  async read(name, start, end) {
    const file = await (await (await folder()).getFileHandle(name)).getFile();
    return new Uint8Array(await file.slice(start, end).arrayBuffer());
  },
  async write(name, bytes) {
    const access = await openForWriting(await (await folder()).getFileHandle(name, { create: true }));
    try {
      access.truncate(0);
      writeAll(access, bytes.subarray(LAST_BYTES), LAST_BYTES);
      access.flush();
      writeAll(access, bytes.subarray(0, LAST_BYTES), 0);
      access.flush();
    } finally {
      access.close();
    }
  },
  async remove(name) {
    await (await folder()).removeEntry(name);
  },
  async clear() {
    await folder();
    await (await navigator.storage.getDirectory()).removeEntry(FOLDER, { recursive: true });
  },
};

async function folder(): Promise<FileSystemDirectoryHandle> {
  return (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
}

async function openForWriting(handle: FileSystemFileHandle): Promise<SyncAccess> {
  if (!('createSyncAccessHandle' in handle) || typeof handle.createSyncAccessHandle !== 'function')
    throw new Error('this browser lets no page write files of its own');
  return handle.createSyncAccessHandle();
}

/** `write` may take fewer bytes than it was given. */
function writeAll(access: SyncAccess, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length; ) {
    const written = access.write(bytes.subarray(done), { at: at + done });
    if (written === 0) throw new Error('the disk is full');
    done += written;
  }
}
