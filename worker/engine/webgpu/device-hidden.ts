import type { Hidden } from '../engine.ts';
import { unpackHidden } from '../hidden.ts';
import type { PackedBatch } from './packing.ts';

/** Hidden states live in `t.x`, their gradients in `t.g`; each has one place, so a new one ends the old one. */
export type Place = 't.x' | 't.g';

/** Reads packed rows, or each sample's first. */
type ReadRows = (hidden: DeviceHidden, firstOnly: boolean) => Promise<Float32Array>;

export class DeviceHidden implements Hidden {
  readonly samples: number;
  readonly tokens: number;
  readonly place: Place;
  /** The layer whose output it is, if it is one's. */
  readonly layer: number | null;
  readonly #batch: PackedBatch;
  readonly #rows: ReadRows;

  constructor(batch: PackedBatch, place: Place, layer: number | null, rows: ReadRows) {
    this.samples = batch.samples;
    this.tokens = batch.tokens;
    this.place = place;
    this.layer = layer;
    this.#batch = batch;
    this.#rows = rows;
  }

  async read(): Promise<Float32Array> {
    return unpackHidden(this.#batch, await this.readPacked());
  }

  readPacked(): Promise<Float32Array> {
    return this.#rows(this, false);
  }

  readFirst(): Promise<Float32Array> {
    return this.#rows(this, true);
  }

  dispose(): void {}
}
