import { describe, expect, it } from 'vitest';
import { addRow, emptyMatrix, matrixBytes, matrixValues, storeRows } from '../../worker/model/stored-matrix.ts';

describe('a stored matrix', () => {
  it('keeps 8-bit codes and one scale for each row: 127 is the row’s largest magnitude', () => {
    const matrix = emptyMatrix('int8', 3, 4);
    storeRows(matrix, 0, Float32Array.of(1, -0.49, 0.25, 0, 100, -127, 63.4, 63.6));
    storeRows(matrix, 2, Float32Array.of(0, 0, 0, 0));
    if (matrix.storage !== 'int8') throw new Error();
    expect([...matrix.values]).toEqual([127, -62, 32, 0, 100, -127, 63, 64, 0, 0, 0, 0]);
    expect([...matrix.scales]).toEqual([Math.fround(1 / 127), 1, 0]);
    expect([...matrixValues(matrix)].map((value) => Math.round(value * 1000) / 1000)).toEqual([
      1, -0.488, 0.252, 0, 100, -127, 63, 64, 0, 0, 0, 0,
    ]);
  });

  it('is never off by more than half a step of its row', () => {
    const rows = Float32Array.from({ length: 40 * 33 }, (_, i) => Math.sin(i * i) * 10 ** (Math.floor(i / 33) % 7));
    const matrix = emptyMatrix('int8', 40, 33);
    storeRows(matrix, 0, rows);
    if (matrix.storage !== 'int8') throw new Error();
    const values = matrixValues(matrix);
    for (let i = 0; i < rows.length; i++)
      expect(Math.abs(values[i]! - rows[i]!)).toBeLessThanOrEqual(0.5001 * matrix.scales[Math.floor(i / 33)]!);
  });

  it('rounds halves to nearest even and keeps f32 as it is', () => {
    const values = Float32Array.of(1, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 ** -24, 65504, -3.140625);
    const half = emptyMatrix('f16', 2, 3);
    storeRows(half, 0, values);
    expect([...matrixValues(half)]).toEqual([1, 1, 1 + 2 ** -9, 2 ** -24, 65504, -3.140625]);
    const full = emptyMatrix('f32', 2, 3);
    storeRows(full, 0, values);
    expect(matrixValues(full)).toEqual(values);
  });

  it('adds a row in whatever storage', () => {
    for (const storage of ['f32', 'f16', 'int8'] as const) {
      const matrix = emptyMatrix(storage, 2, 2);
      storeRows(matrix, 0, Float32Array.of(9, 9, 127, 64));
      const out = Float64Array.of(0, 1, 1);
      addRow(matrix, 1, out, 1);
      expect([...out]).toEqual([0, 128, 65]);
    }
  });

  it('takes the bytes that are counted', () => {
    for (const storage of ['f32', 'f16', 'int8'] as const) {
      const matrix = emptyMatrix(storage, 5, 7);
      const scales = matrix.storage === 'int8' ? matrix.scales.byteLength : 0;
      expect(matrixBytes(storage, 5, 7)).toBe(matrix.values.byteLength + scales);
    }
  });
});
