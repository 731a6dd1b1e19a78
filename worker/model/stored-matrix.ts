import { halfBits, halfValue } from '../../signaling/protocol/exchange/half.ts';
import type { WeightStorage } from '../../signaling/protocol/settings.ts';

/**
 * A frozen matrix (rows, columns), row-major, as it stays in memory. Engines compute with the values that the storage holds, in f32 or
 * better: all devices of a session then have the same model, whatever the storage.
 *
 * `int8` is symmetric with one scale for each row: value = code * scale, scale = largest magnitude of the row / 127. A row is an output
 * of a projection, or a token of an embedding table, so that one large row costs the others nothing.
 */
export type StoredMatrix =
  | { readonly storage: 'f32'; readonly rows: number; readonly columns: number; readonly values: Float32Array }
  | { readonly storage: 'f16'; readonly rows: number; readonly columns: number; readonly values: Uint16Array }
  | {
      readonly storage: 'int8';
      readonly rows: number;
      readonly columns: number;
      readonly values: Int8Array;
      /** (rows) */
      readonly scales: Float32Array;
    };

const LARGEST_CODE = 127;

export function emptyMatrix(storage: WeightStorage, rows: number, columns: number): StoredMatrix {
  const size = rows * columns;
  switch (storage) {
    case 'f32':
      return { storage, rows, columns, values: new Float32Array(size) };
    case 'f16':
      return { storage, rows, columns, values: new Uint16Array(size) };
    case 'int8':
      return { storage, rows, columns, values: new Int8Array(size), scales: new Float32Array(rows) };
  }
}

export function matrixBytes(storage: WeightStorage, rows: number, columns: number): number {
  const perValue = { f32: 4, f16: 2, int8: 1 }[storage];
  return perValue * rows * columns + (storage === 'int8' ? Float32Array.BYTES_PER_ELEMENT * rows : 0);
}

/** Puts whole rows from `firstRow` on into the matrix. f16 rounds to nearest even, int8 to nearest. */
export function storeRows(matrix: StoredMatrix, firstRow: number, rows: Float32Array): void {
  const at = firstRow * matrix.columns;
  if (matrix.storage === 'f32') matrix.values.set(rows, at);
  else if (matrix.storage === 'f16') {
    const bits = new Uint32Array(rows.buffer, rows.byteOffset, rows.length);
    for (let i = 0; i < bits.length; i++) matrix.values[at + i] = halfBits(bits[i]!);
  } else {
    const { columns, values, scales } = matrix;
    for (let row = 0; row < rows.length / columns; row++) {
      const from = row * columns;
      let largest = 0;
      for (let i = from; i < from + columns; i++) largest = Math.max(largest, Math.abs(rows[i]!));
      const scale = Math.fround(largest / LARGEST_CODE);
      scales[firstRow + row] = scale;
      // A row of zeros, or of values too small for a scale, keeps its zeros.
      if (scale > 0) for (let i = from; i < from + columns; i++) values[at + i] = code(rows[i]! / scale);
    }
  }
}

/** The scale was rounded to f32, so the largest value may come out a little above 127. */
function code(ratio: number): number {
  return Math.max(-LARGEST_CODE, Math.min(LARGEST_CODE, Math.round(ratio)));
}

/** Adds a row to `out` from `at` on. */
export function addRow(matrix: StoredMatrix, row: number, out: Float32Array | Float64Array, at = 0): void {
  const { columns, values } = matrix;
  const from = row * columns;
  if (matrix.storage === 'f16') for (let i = 0; i < columns; i++) out[at + i]! += halfValue(values[from + i]!);
  else {
    // A product of an 8-bit code and an f32 is rounded once, to what a device that multiplies in f32 gets.
    const scale = matrix.storage === 'int8' ? matrix.scales[row]! : 1;
    for (let i = 0; i < columns; i++) out[at + i]! += Math.fround(values[from + i]! * scale);
  }
}

/** All values in f32; an f32 matrix's own array. */
export function matrixValues(matrix: StoredMatrix): Float32Array {
  if (matrix.storage === 'f32') return matrix.values;
  const out = new Float32Array(matrix.rows * matrix.columns);
  for (let row = 0; row < matrix.rows; row++) addRow(matrix, row, out, row * matrix.columns);
  return out;
}
