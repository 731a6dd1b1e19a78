import { describe, expect, it } from 'vitest';
import {
  decodeFloats,
  decodeIntegers,
  encodeSafetensors,
  headerBytes,
  parseHeader,
  SafetensorsError,
} from '../../worker/model/safetensors.ts';

/** A file with this header and `dataBytes` zero bytes after it. */
function file(header: unknown, dataBytes: number): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}
const refusal = (bytes: Uint8Array) => {
  try {
    parseHeader(bytes, bytes.length);
  } catch (error) {
    if (error instanceof SafetensorsError) return error.message;
    throw error;
  }
  return 'accepted';
};
const f32 = (shape: number[], start: number, end: number) => ({ dtype: 'F32', shape, data_offsets: [start, end] });

describe('safetensors header', () => {
  it('reads names, shapes, absolute offsets and metadata', () => {
    const bytes = file({ __metadata__: { format: 'pt' }, a: f32([2, 3], 0, 24), b: f32([], 24, 28) }, 28);
    const { tensors, metadata } = parseHeader(bytes, bytes.length);
    const start = bytes.length - 28;
    expect(metadata.get('format')).toBe('pt');
    expect(tensors.get('a')).toEqual({ name: 'a', dtype: 'F32', shape: [2, 3], start, end: start + 24 });
    expect(tensors.get('b')).toEqual({ name: 'b', dtype: 'F32', shape: [], start: start + 24, end: start + 28 });
  });

  it('takes an empty file of no tensors and a padded header', () => {
    expect(refusal(file('{}', 0))).toBe('accepted');
    expect(refusal(file('{}      ', 0))).toBe('accepted');
  });

  it('takes headers whose length begins like a pickle', () => {
    for (const length of [0x280, 0x380, 0x480, 0x580]) expect(refusal(file('{}'.padEnd(length), 0))).toBe('accepted');
  });

  it.each([
    ['an empty file', new Uint8Array(0), /ends after 0 bytes/],
    ['a file cut inside the prefix', new Uint8Array(5), /ends after 5 bytes/],
    ['a file cut inside the JSON', file({ a: f32([1], 0, 4) }, 0).subarray(0, 20), /truncated/],
    ['a header of gigabytes', Uint8Array.of(0, 0, 0, 0x80, 1, 0, 0, 0, 123), /claims a header of 6442450944 bytes/],
    ['a header of 2^63 bytes', Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0x80, 123), /claims a header of 9223372036854775808/],
    ['JSON that is an array', file('[]', 0), /not a JSON object/],
    ['no JSON', file('{"a":', 0), /not JSON/],
    ['a pickle', Uint8Array.of(0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0, 0, 0, 0), /pickle/],
    ['a zipped pickle', new TextEncoder().encode('PK\x03\x04\x14\0\0\0\0\0\0'), /pickle/],
    ['a Git LFS pointer', new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\n'), /Git LFS/],
    ['an error page', new TextEncoder().encode('<!doctype html><html>'), /web page/],
    ['offsets past the end', file({ a: f32([2], 0, 8) }, 4), /truncated or damaged/],
    ['offsets the wrong way round', file({ a: f32([0], 4, 0) }, 4), /lies at bytes/],
    ['negative offsets', file({ a: f32([1], -4, 0) }, 4), /not valid/],
    ['offsets that are not whole', file({ a: f32([1], 0.5, 4.5) }, 5), /not valid/],
    ['overlapping tensors', file({ a: f32([2], 0, 8), b: f32([1], 4, 8) }, 8), /"b" overlaps/],
    ['the same bytes twice', file({ a: f32([1], 0, 4), b: f32([1], 0, 4) }, 4), /overlaps/],
    ['a gap', file({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12), /"b" follows a gap/],
    [
      'a duplicate name',
      file(
        '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
        8,
      ),
      /gap/,
    ],
    ['bytes that nothing accounts for', file({ a: f32([1], 0, 4) }, 8), /accounts for/],
    ['a size that does not fit the shape', file({ a: f32([3], 0, 8) }, 8), /takes 12 bytes/],
    ['a shape that overflows', file({ a: f32([2 ** 50, 2 ** 50], 0, 4) }, 4), /takes/],
    ['a negative dimension', file({ a: f32([-1, -1], 0, 4) }, 4), /not valid/],
    ['an unknown dtype', file({ a: { dtype: 'F31', shape: [1], data_offsets: [0, 4] } }, 4), /unknown dtype "F31"/],
    [
      'a dtype named after a prototype',
      file({ a: { dtype: 'toString', shape: [1], data_offsets: [0, 4] } }, 4),
      /unknown dtype/,
    ],
    ['metadata that is not text', file({ __metadata__: { n: 1 } }, 0), /__metadata__/],
  ])('refuses %s', (_, bytes, why) => {
    expect(refusal(bytes)).toMatch(why);
  });

  it('refuses a giant header from the prefix alone, before anything is read', () => {
    expect(() => headerBytes(Uint8Array.of(0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0), 2 ** 40)).toThrow(/at most 100000000/);
  });
});

describe('tensor values', () => {
  const entry = (dtype: 'F32' | 'F16' | 'BF16' | 'I32' | 'I64', bytes: number) => ({
    name: 'x',
    dtype,
    shape: [],
    start: 0,
    end: bytes,
  });
  const halves = (...values: number[]) => new Uint8Array(Uint16Array.from(values).buffer);

  it('decodes F16: one, minus two, largest, smallest normal, subnormals, infinities, NaN, signed zero', () => {
    const got = decodeFloats(
      entry('F16', 22),
      halves(0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x03ff, 0x8200, 0x7c00, 0xfc00, 0x7e00, 0x8000),
    );
    const want = [1, -2, 65504, 2 ** -14, 2 ** -24, 1023 * 2 ** -24, -(2 ** -15), Infinity, -Infinity, NaN, -0];
    expect([...got]).toEqual(want);
  });

  it('decodes BF16: the upper half of an f32', () => {
    expect([...decodeFloats(entry('BF16', 8), halves(0x3f80, 0xc040, 0x7f80, 0x0080))]).toEqual([
      1,
      -3,
      Infinity,
      2 ** -126,
    ]);
  });

  it('decodes F32 as a view where aligned, from a copy where not', () => {
    const buffer = new Uint8Array(16);
    new DataView(buffer.buffer).setFloat32(4, 1.5, true);
    new DataView(buffer.buffer).setFloat32(9, -2.5, true);
    const aligned = decodeFloats(entry('F32', 4), buffer.subarray(4, 8));
    expect(aligned[0]).toBe(1.5);
    expect(aligned.buffer).toBe(buffer.buffer);
    expect(decodeFloats(entry('F32', 4), buffer.subarray(9, 13))[0]).toBe(-2.5);
  });

  it('refuses to read integers as floats, floats as integers, and too few bytes', () => {
    expect(() => decodeFloats(entry('I64', 8), new Uint8Array(8))).toThrow(/stored as I64/);
    expect(() => decodeIntegers(entry('F32', 4), new Uint8Array(4))).toThrow(/stored as F32/);
    expect(() => decodeFloats(entry('F32', 8), new Uint8Array(4))).toThrow(/4 bytes given/);
  });

  it('writes what it reads', () => {
    const bytes = encodeSafetensors(
      [
        { name: 'w', shape: [2, 2], values: Float32Array.of(1, -2, 3.5, 2 ** -149) },
        { name: 'ids', shape: [3], values: Int32Array.of(-1, 0, 7) },
      ],
      { made: 'here' },
    );
    const { tensors, metadata } = parseHeader(bytes, bytes.length);
    const read = (name: string) => bytes.subarray(tensors.get(name)!.start, tensors.get(name)!.end);
    expect([...decodeFloats(tensors.get('w')!, read('w'))]).toEqual([1, -2, 3.5, 2 ** -149]);
    expect([...decodeIntegers(tensors.get('ids')!, read('ids'))]).toEqual([-1, 0, 7]);
    expect(metadata.get('made')).toBe('here');
    expect(tensors.get('w')!.start % 8).toBe(0);
  });

  it('refuses to write a tensor whose values do not fill its shape', () => {
    expect(() => encodeSafetensors([{ name: 'w', shape: [3], values: new Float32Array(2) }])).toThrow(/do not fill/);
  });
});
