import type { ConnectionId, Core, Effect, Input } from '../core.ts';
import { stepCore } from '../step.ts';
import { dataOf, textOf } from './text.ts';

/**
 * A core that outlives whoever holds it: what happened to it lies in a store, as the inputs since a snapshot, and the same inputs at the same
 * times make the same core. What it was told is written before anybody hears what follows from it.
 */

/** To be raised when the state's form changes: what was kept in another form is forgotten, and devices bring their room back. */
export const FORM = 1;

/** Where a core is kept: texts in their order. */
export interface Store {
  /** The snapshot, and what was added since; null where nothing is kept. */
  read(): { readonly snapshot: string; readonly added: readonly string[] } | null;
  add(text: string): void;
  /** In place of all that was there. */
  replace(snapshot: string): void;
  clear(): void;
}

/** Inputs after which a snapshot takes their place: they are taken again at every return, some thousand in a second. */
export const SNAPSHOT_EVERY = 256;

type Taken = readonly [atMs: number, input: Input];

interface Snapshot {
  readonly form: number;
  readonly lastConnection: ConnectionId;
  readonly state: Kept;
}

/** What of a core is not its home's to know: limits, secrets and the like may be others the next time. */
type Kept = Omit<Core, 'limits' | 'share' | 'secrets' | 'iceServers'>;

export interface KeptCoreOptions {
  readonly store: Store;
  /** As `newCore` makes it. */
  readonly fresh: () => Core;
  readonly snapshotEvery?: number;
}

export class KeptCore {
  readonly #store: Store;
  readonly #snapshotEvery: number;
  #core: Core;
  #lastConnection: ConnectionId = 0;
  /** Taken, and in the store, since the snapshot there; null while there is none. */
  #added: number | null = null;
  #unwritten: Taken[] = [];

  constructor({ store, fresh, snapshotEvery = SNAPSHOT_EVERY }: KeptCoreOptions) {
    this.#store = store;
    this.#snapshotEvery = snapshotEvery;
    this.#core = fresh();
    this.#restore();
  }

  get core(): Core {
    return this.#core;
  }

  /** Whether there is anything in the store. */
  get isKept(): boolean {
    return this.#added !== null;
  }

  get hasUnwritten(): boolean {
    return this.#unwritten.length > 0;
  }

  newConnection(): ConnectionId {
    this.#lastConnection += 1;
    return this.#lastConnection;
  }

  take(input: Input, nowMs: number): readonly Effect[] {
    this.#unwritten.push([nowMs, input]);
    if (input.type === 'opened') this.#lastConnection = Math.max(this.#lastConnection, input.connection);
    return stepCore(this.#core, input, nowMs);
  }

  /** Puts all that was taken into the store. */
  write(): void {
    if (this.#unwritten.length === 0) return;
    if (this.#added === null || this.#added + this.#unwritten.length > this.#snapshotEvery) {
      const { limits: _, share: _share, secrets: _secrets, iceServers: _ice, ...state } = this.#core;
      const snapshot: Snapshot = { form: FORM, lastConnection: this.#lastConnection, state };
      this.#store.replace(textOf(snapshot));
      this.#added = 0;
    } else {
      this.#store.add(textOf(this.#unwritten));
      this.#added += this.#unwritten.length;
    }
    this.#unwritten = [];
  }

  #restore(): void {
    const kept = this.#store.read();
    if (kept === null) return;
    const snapshot = dataOf(kept.snapshot);
    if (!isSnapshot(snapshot)) {
      this.#store.clear();
      return;
    }
    const { limits, share, secrets, iceServers } = this.#core;
    this.#core = { limits, share, secrets, iceServers, ...snapshot.state };
    this.#lastConnection = snapshot.lastConnection;
    this.#added = 0;
    for (const text of kept.added) {
      const taken = dataOf(text);
      if (!isTaken(taken)) continue;
      for (const [atMs, input] of taken) this.take(input, atMs);
      this.#added += taken.length;
    }
    this.#unwritten = [];
  }
}

/** What lies in the store was written by this code, in this form or another: the form is what has to be asked. */
function isSnapshot(data: unknown): data is Snapshot {
  return typeof data === 'object' && data !== null && 'form' in data && data.form === FORM;
}

const isTaken = (data: unknown): data is readonly Taken[] => Array.isArray(data);
