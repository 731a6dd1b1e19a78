import type { Store } from '../connection/kept/kept-core.ts';
import type { SqlStorage } from './platform.ts';

/** A row holds two megabytes, and a character takes up to three bytes. */
const MAX_CHARACTERS = 500_000;

/** A room's core in its object's SQLite: texts in their order, long ones in pieces, and the code that the object was made for. */
export class SqlStore implements Store {
  readonly #sql: SqlStorage;
  #isMade = false;
  /** As it lies there; undefined before it was looked for. */
  #code: string | null | undefined = undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Null where nothing is kept. */
  get code(): string | null {
    if (this.#code !== undefined) return this.#code;
    this.#code = null;
    if (this.#hasTable())
      for (const { text } of this.#sql.exec("SELECT text FROM kept WHERE kind = 'code'")) this.#code = String(text);
    return this.#code;
  }

  set code(code: string) {
    this.#make();
    this.#code = code;
    this.#sql.exec("DELETE FROM kept WHERE kind = 'code'");
    this.#put('code', code);
  }

  read(): { snapshot: string; added: string[] } | null {
    if (!this.#hasTable()) return null;
    let snapshot: string | null = null;
    const added: string[] = [];
    let pieces = '';
    const rows = this.#sql.exec("SELECT kind, ends, text FROM kept WHERE kind <> 'code' ORDER BY place");
    for (const { kind, ends, text } of rows) {
      pieces += String(text);
      if (ends !== 1) continue;
      if (kind === 'snapshot') snapshot = pieces;
      else added.push(pieces);
      pieces = '';
    }
    return snapshot === null ? null : { snapshot, added };
  }

  add(text: string): void {
    this.#put('added', text);
  }

  replace(snapshot: string): void {
    this.#make();
    this.#sql.exec("DELETE FROM kept WHERE kind <> 'code'");
    this.#put('snapshot', snapshot);
  }

  clear(): void {
    if (this.#hasTable()) this.#sql.exec('DELETE FROM kept');
    this.#code = null;
  }

  #put(kind: string, text: string): void {
    let from = 0;
    do {
      let to = Math.min(text.length, from + MAX_CHARACTERS);
      // Not between the halves of a pair.
      if (to < text.length && /[\ud800-\udbff]/.test(text.charAt(to - 1))) to -= 1;
      const ends = to === text.length ? 1 : 0;
      this.#sql.exec('INSERT INTO kept (kind, ends, text) VALUES (?, ?, ?)', kind, ends, text.slice(from, to));
      from = to;
    } while (from < text.length);
  }

  #hasTable(): boolean {
    if (this.#isMade) return true;
    const found = this.#sql.exec("SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'kept'");
    this.#isMade = [...found].length > 0;
    return this.#isMade;
  }

  #make(): void {
    if (this.#hasTable()) return;
    this.#sql.exec(
      'CREATE TABLE kept (place INTEGER PRIMARY KEY, kind TEXT NOT NULL, ends INTEGER NOT NULL, text TEXT NOT NULL)',
    );
    this.#isMade = true;
  }
}
