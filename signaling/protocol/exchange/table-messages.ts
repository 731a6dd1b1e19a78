import * as v from 'valibot';
import { TASK_KINDS } from '../scores.ts';
import type { FrameTensor } from './frames.ts';

/**
 * A person's own table on its way to a device to which the host's person gave it, so that this device can be host when the host is gone. The
 * host tells what it is; the device asks for one piece after the other, and says when it has the whole.
 */

/** Of a table and the one to evaluate on; a larger one is given to nobody. */
export const MAX_GIVEN_TABLE_BYTES = 64_000_000;
export const TABLE_PIECE_BYTES = 256 * 1024;

const name = v.pipe(v.string(), v.maxLength(300));
/** A list of columns may be meant. */
const column = v.pipe(v.string(), v.maxLength(8000));
const FileSchema = v.strictObject({
  name,
  bytes: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_GIVEN_TABLE_BYTES)),
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
});

export const GivenTableSchema = v.pipe(
  v.strictObject({
    title: v.pipe(v.string(), v.maxLength(120)),
    kind: v.picklist(TASK_KINDS),
    columns: v.strictObject({ text: column, pair: v.nullable(column), label: column }),
    train: FileSchema,
    dev: v.nullable(FileSchema),
  }),
  v.check(({ train, dev }) => train.bytes + (dev?.bytes ?? 0) <= MAX_GIVEN_TABLE_BYTES, 'The table is too large.'),
);
/** Everything of a table but its rows. */
export type GivenTable = v.InferOutput<typeof GivenTableSchema>;

const TABLE_FILES = ['train', 'dev'] as const;
export type TableFile = (typeof TABLE_FILES)[number];

const piece = {
  file: v.picklist(TABLE_FILES),
  offset: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_GIVEN_TABLE_BYTES)),
};

export const TABLE_MESSAGES = [
  /** From a device: the file's next bytes, from here on. */
  v.strictObject({ type: v.literal('table-wanted'), ...piece }),
  /** From the host, with the bytes. */
  v.strictObject({ type: v.literal('table-piece'), ...piece }),
  /** From a device: it has the whole table, and its bytes are those that the host named. */
  v.strictObject({ type: v.literal('table-held') }),
] as const;

/** @throws Error with one sentence when this is no piece of a table. */
export function checkPiece(tensor: FrameTensor | undefined): void {
  if (!(tensor instanceof Uint8Array)) throw new Error('A piece of a table is missing.');
  if (tensor.length === 0 || tensor.length > TABLE_PIECE_BYTES)
    throw new Error(`A piece of a table has ${tensor.length} bytes; there are ${TABLE_PIECE_BYTES} at most.`);
}
