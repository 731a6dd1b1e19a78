/**
 * What was found out about this machine, kept over reloads where the browser lets us and for the life of the worker where not. A
 * measurement that is lost is made again; so nothing here ever fails.
 */
const DATABASE = 'tabloom';
const STORE = 'machine';

const known = new Map<string, unknown>();

function openDatabase(): Promise<IDBDatabase | null> {
  return new Promise((resolve) => {
    try {
      const request = indexedDB.open(DATABASE, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => resolve(null);
      request.onblocked = () => resolve(null);
    } catch {
      // Node has none, and a browser may forbid it.
      resolve(null);
    }
  });
}

/** The value last remembered under `key`, as it was, or undefined. Whoever asks checks what it is. */
export async function recallFact(key: string): Promise<unknown> {
  if (known.has(key)) return known.get(key);
  const database = await openDatabase();
  if (database === null) return undefined;
  return new Promise((resolve) => {
    try {
      const request = database.transaction(STORE).objectStore(STORE).get(key);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => resolve(undefined);
    } catch {
      resolve(undefined);
    }
  }).finally(() => database.close());
}

/** Forgets all that was found out, on this worker and on the disk. */
export function forgetFacts(): Promise<void> {
  known.clear();
  return new Promise((resolve) => {
    try {
      const request = indexedDB.deleteDatabase(DATABASE);
      request.onsuccess = () => resolve();
      request.onerror = () => resolve();
      // Another worker of this browser has it open for a moment; the browser deletes it then.
      request.onblocked = () => resolve();
    } catch {
      resolve();
    }
  });
}

export async function rememberFact(key: string, value: unknown): Promise<void> {
  known.set(key, value);
  const database = await openDatabase();
  if (database === null) return;
  await new Promise<void>((resolve) => {
    try {
      const transaction = database.transaction(STORE, 'readwrite');
      transaction.objectStore(STORE).put(value, key);
      transaction.oncomplete = () => resolve();
      transaction.onerror = () => resolve();
      transaction.onabort = () => resolve();
    } catch {
      resolve();
    }
  });
  database.close();
}
