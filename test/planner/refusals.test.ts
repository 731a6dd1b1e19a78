import { expect, test } from 'vitest';
import { whyInfeasible } from '../../signaling/planner/blocks/crunch.ts';

const no = Infinity;

test.each<[string, readonly (readonly number[])[], readonly number[], readonly number[], string]>([
  [
    'a depth that nobody holds',
    [
      [1, 2, no],
      [1, no, no],
    ],
    [1, 1],
    [8, 8, 8],
    "no device's memory can hold depth 3; add a device with more memory or train fewer layers",
  ],
  [
    'several depths',
    [
      [1, no, no],
      [1, no, no],
    ],
    [1, 1],
    [8, 8, 8],
    "no device's memory can hold depth 2 (nor depth 3); add a device with more memory or train fewer layers",
  ],
  [
    'a link that carries nothing',
    [
      [1, 2],
      [1, no],
    ],
    [0, 1],
    [8, 8],
    'depth 2 fits only on devices whose link carries nothing; give one of them a working link',
  ],
  [
    'too few devices',
    [[1, 2]],
    [1],
    [8, 8],
    'depth 1 to depth 2 need one device each, but there are only 1; add devices or merge blocks',
  ],
  [
    'too few for the deepest ones together',
    [
      [1, 2, 3],
      [1, no, no],
      [1, no, no],
    ],
    [1, 1, 1],
    [8, 8, 8],
    'depths 2 to 3 need 2 devices, but only 1 can hold depth 2; add a device with more memory',
  ],
])('%s is said', (_, rows, coefficients, bits, sentence) => {
  expect(whyInfeasible(Float64Array.from(rows.flat()), Float64Array.from(coefficients), Float64Array.from(bits))).toBe(
    sentence,
  );
});

test('without uploads a dead link does not matter', () => {
  // Depth 2 has nothing to send: what is short is devices.
  expect(whyInfeasible(Float64Array.of(1, 2), Float64Array.of(1), Float64Array.of(8, 0))).toContain('only 1');
  expect(whyInfeasible(Float64Array.of(1, 2, no, no), Float64Array.of(0, 1), Float64Array.of(0, 0))).toBe(
    'depths 1 to 2 need 2 devices, but only 1 can hold depth 1; add a device with more memory',
  );
});
