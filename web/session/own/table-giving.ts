import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import * as v from 'valibot';
import {
  type GivenTable,
  GivenTableSchema,
  MAX_GIVEN_TABLE_BYTES,
  TABLE_PIECE_BYTES,
  type TableFile,
} from '../../../signaling/protocol/exchange/table-messages.ts';
import { bytesText } from '../../../signaling/protocol/words/quantities.ts';
import type { NamedFile, OwnTaskRequest } from '../../../worker/api/tables.ts';
import * as say from '../../words/session/own.ts';
import type { DeviceLinks } from '../rounds/device-links.ts';
import type { ViewStore } from '../view/view-store.ts';

/** Devices may ask for pieces again, after a link was lost; of the whole table so many times at most, each. */
const MAX_TIMES = 4;

export interface TableGivingContext {
  readonly own: OwnTaskRequest;
  /** To whom it was given before. */
  readonly given: readonly string[];
  readonly deviceLinks: DeviceLinks;
  readonly store: ViewStore;
}

/** The host's side of a person's own table that is given, whole, to devices of the person's choice: to no other one does a row of it go. */
export class TableGiving {
  readonly #context: TableGivingContext;
  readonly #given: Set<string>;
  readonly #sentBytes = new Map<string, number>();
  #described: GivenTable | null = null;

  constructor(context: TableGivingContext) {
    this.#context = context;
    this.#given = new Set(context.given);
    const { deviceLinks, store } = context;
    for (const device of this.#given) store.dispatch({ type: 'table', device, table: 'coming' });
    deviceLinks.onEvent((event) => {
      if (event.type !== 'message' || !this.#given.has(event.device)) return;
      const { header } = event.message;
      if (header.type === 'table-wanted') this.#send(event.device, header.file, header.offset);
      if (header.type === 'table-held' && store.view.tables[event.device] !== 'held')
        store.dispatch({ type: 'table', device: event.device, table: 'held' });
    });
  }

  get given(): readonly string[] {
    return [...this.#given];
  }

  isGivenTo(device: string): boolean {
    return this.#given.has(device);
  }

  /** What it is, for who is to ask for its rows. */
  get described(): GivenTable {
    const { title, kind, columns, train, dev } = this.#context.own;
    this.#described ??= {
      title,
      kind,
      columns: { ...columns },
      train: describedFile(train),
      dev: dev && describedFile(dev),
    };
    return this.#described;
  }

  /** The person's choice. What stands in the way is said. */
  give(device: string): void {
    const { own, store } = this.#context;
    if (this.#given.has(device)) return;
    const bytes = own.train.bytes.length + (own.dev?.bytes.length ?? 0);
    const why =
      bytes > MAX_GIVEN_TABLE_BYTES
        ? say.itHasAtMostCan(bytesText(bytes), bytesText(MAX_GIVEN_TABLE_BYTES))
        : v.safeParse(GivenTableSchema, this.described).success
          ? null
          : say.theNamesOfItsColumns;
    if (why !== null) {
      store.notice('problem', say.theTableStays(why));
      return;
    }
    this.#given.add(device);
    store.dispatch({ type: 'table', device, table: 'coming' });
  }

  #send(device: string, file: TableFile, offset: number): void {
    const { own, deviceLinks } = this.#context;
    const bytes = own[file]?.bytes.subarray(offset, offset + TABLE_PIECE_BYTES) ?? new Uint8Array(0);
    const sent = (this.#sentBytes.get(device) ?? 0) + bytes.length;
    if (bytes.length === 0 || sent > MAX_TIMES * MAX_GIVEN_TABLE_BYTES) return;
    this.#sentBytes.set(device, sent);
    deviceLinks.sendPiece(device, { type: 'table-piece', file, offset }, bytes);
  }
}

const describedFile = ({ name, bytes }: NamedFile): GivenTable['train'] => ({
  name,
  bytes: bytes.length,
  sha256: bytesToHex(sha256(bytes)),
});
