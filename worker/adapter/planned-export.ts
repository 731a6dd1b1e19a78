import type { ExportedFile, ExportPart } from '../api/host-api.ts';

/** A file before it is made: how long it will be, and its bytes piece after piece, none of which outlives the next. */
export interface PlannedFile {
  readonly name: string;
  readonly byteLength: number;
  readonly pieces: () => AsyncGenerator<Uint8Array, void, void>;
}

/** An export before it is made: everything but the weights' values has been looked at, so that it is known to work. */
export interface PlannedExport {
  /** Of all its files. */
  readonly bytes: number;
  readonly files: readonly PlannedFile[];
}

export const wholeFile = (name: string, bytes: Uint8Array): PlannedFile => ({
  name,
  byteLength: bytes.length,
  pieces: async function* () {
    yield bytes;
  },
});

/** Bytes that are handed out at a time. */
const PART_BYTES = 4 * 2 ** 20;

/**
 * The export's bytes, a file after the other: no more of the model is in memory at a time than a tensor. Each part is a copy, whose buffer
 * its taker may give away: trained values are views of the one vector.
 */
export async function* partsOf({ files }: Pick<PlannedExport, 'files'>): AsyncGenerator<ExportPart, void, void> {
  for (const [file, { pieces }] of files.entries())
    for await (const piece of pieces())
      for (let at = 0; at < piece.length; at += PART_BYTES) yield { file, bytes: piece.slice(at, at + PART_BYTES) };
}

/** All files at once, where they are wanted whole. */
export async function collected({ files }: PlannedExport): Promise<readonly ExportedFile[]> {
  const made: ExportedFile[] = [];
  for (const { name, byteLength, pieces } of files) {
    const bytes = new Uint8Array(byteLength);
    let at = 0;
    for await (const piece of pieces()) {
      bytes.set(piece, at);
      at += piece.length;
    }
    made.push({ name, bytes });
  }
  return made;
}
