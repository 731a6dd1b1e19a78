import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { DataMessage } from '../../../signaling/protocol/exchange/data-messages.ts';
import type { GivenTable, TableFile } from '../../../signaling/protocol/exchange/table-messages.ts';
import type { OwnTaskRequest } from '../../../worker/api/tables.ts';

/** A table whose bytes are not what the host named is asked for once more. */
const MAX_TRIES = 2;

type Hash = ReturnType<typeof sha256.create>;
export type Ask = (message: DataMessage<'table-wanted' | 'table-held'>) => void;

interface ComingFile {
  readonly which: TableFile;
  readonly pieces: Uint8Array[];
  readonly hash: Hash;
  bytes: number;
}

/** A device's side of a table that it is given: asked for piece by piece, and taken when the whole is what the host said it would be. */
export class TableComing {
  #table: GivenTable | null = null;
  #file: ComingFile | null = null;
  #train: Uint8Array | null = null;
  #own: OwnTaskRequest | null = null;
  #tries = 0;

  /** The table, once it is here whole. */
  get own(): OwnTaskRequest | null {
    return this.#own;
  }

  /** The host says what it gives, over a link that may be a new one: what is here is not asked for again. */
  expect(table: GivenTable, ask: Ask): void {
    if (JSON.stringify(table) !== JSON.stringify(this.#table)) {
      this.#table = table;
      this.#own = null;
      this.#tries = 0;
      this.#begin('train');
    } else if (this.#own === null && this.#file === null && this.#tries < MAX_TRIES) this.#begin('train');
    if (this.#own !== null) ask({ header: { type: 'table-held' }, tensors: [] });
    else this.#next(ask);
  }

  /** True when the table is here with this piece. */
  take({ header, tensors }: DataMessage<'table-piece'>, ask: Ask): boolean {
    const [table, file] = [this.#table, this.#file];
    const [piece] = tensors;
    // What was asked for over an earlier link may come twice.
    if (table === null || file?.which !== header.file || file.bytes !== header.offset) return false;
    const described = table[file.which];
    if (!(piece instanceof Uint8Array) || described === null || file.bytes + piece.length > described.bytes)
      return false;
    // A copy: it is a view of the message that it came in.
    file.pieces.push(piece.slice());
    file.hash.update(piece);
    file.bytes += piece.length;
    if (file.bytes === described.bytes) this.#fileDone(table, file, described.sha256);
    if (this.#own !== null) ask({ header: { type: 'table-held' }, tensors: [] });
    else this.#next(ask);
    return this.#own !== null;
  }

  #begin(which: TableFile): void {
    if (which === 'train') this.#train = null;
    this.#file = { which, pieces: [], hash: sha256.create(), bytes: 0 };
  }

  #next(ask: Ask): void {
    const file = this.#file;
    if (file !== null) ask({ header: { type: 'table-wanted', file: file.which, offset: file.bytes }, tensors: [] });
  }

  #fileDone(table: GivenTable, file: ComingFile, expected: string): void {
    this.#file = null;
    if (bytesToHex(file.hash.digest()) !== expected) {
      this.#tries++;
      this.#train = null;
      if (this.#tries < MAX_TRIES) this.#begin('train');
      return;
    }
    const bytes = joined(file);
    const { title, kind, columns, train, dev } = table;
    if (file.which === 'train' && dev !== null) {
      this.#train = bytes;
      this.#begin('dev');
      return;
    }
    this.#own = {
      ...{ title, kind, columns },
      train: { name: train.name, bytes: this.#train ?? bytes },
      dev: dev && { name: dev.name, bytes },
    };
    this.#train = null;
  }
}

function joined({ pieces, bytes }: ComingFile): Uint8Array {
  const whole = new Uint8Array(bytes);
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}
