import { describe, expect, it } from 'vitest';
import { pcg4d } from '../../signaling/protocol/exchange/pcg4d.ts';
import { encodeSafetensors, headerBytes, parseHeader, SafetensorsError } from '../../worker/model/safetensors.ts';
import { decodeFloats, decodeIntegers } from '../../worker/model/tensor-values.ts';
import { cpuMs } from '../cpu-ms.ts';

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
const text = (content: string) => new TextEncoder().encode(content);
/** The local header of a zip's first entry. */
function zip(name: string): Uint8Array {
  const bytes = new Uint8Array(30 + name.length);
  bytes.set(text('PK\x03\x04\x14'));
  bytes[26] = name.length;
  bytes.set(text(name), 30);
  return bytes;
}
function tar(): Uint8Array {
  const bytes = new Uint8Array(512);
  bytes.set(text('model/config.json'));
  bytes.set(text('ustar'), 257);
  return bytes;
}
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

  it.each([
    ['a pickle, protocols 2 to 5', [0x280, 0x380, 0x480, 0x580]],
    ['<', [0x103c, 0x3c]],
    ['PK', [0x4b50]],
    ['{ or [', [0x7b, 0x227b, 0x5b]],
    ['a gzip', [0x88b1f]],
    ['a byte-order mark', [0xfeff, 0xbbef, 0xbfbbef]],
    ['ve (rsion) or %PDF', [0x6576, 0x5025]],
    ['a line break', [0x0a, 0x0d, 0x0a0d]],
  ])('takes headers whose length begins like %s', (_, lengths) => {
    for (const length of lengths)
      for (const padded of [length, length + 0x10000])
        if (padded < 16 * 2 ** 20) expect(refusal(file('{}'.padEnd(padded), 0)), String(padded)).toBe('accepted');
  });

  it('takes what it need not understand: null metadata, other types of tensors, further keys', () => {
    expect(refusal(file({ __metadata__: null }, 0))).toBe('accepted');
    expect(refusal(file({ __metadata__: { format: 'pt', note: null } }, 0))).toBe('accepted');
    const odd = { dtype: 'F4', shape: [3, 3], data_offsets: [0, 5], layout: { order: ['a'] } };
    const bytes = file({ odd, ids: { dtype: 'I64', shape: [2], data_offsets: [5, 21] }, w: f32([1], 21, 25) }, 25);
    const { tensors } = parseHeader(bytes, bytes.length);
    expect([...tensors.values()].map(({ dtype }) => dtype)).toEqual(['F4', 'I64', 'F32']);
    expect(() => decodeFloats(tensors.get('odd')!, new Uint8Array(5))).toThrow(/stored as F4/);
  });

  it.each([
    ['an empty file', new Uint8Array(0), /ends after 0 bytes/],
    ['a file cut inside the prefix', new Uint8Array(5), /ends after 5 bytes/],
    ['a file cut inside the JSON', file({ a: f32([1], 0, 4) }, 0).subarray(0, 20), /truncated/],
    [
      'a header of gigabytes',
      Uint8Array.of(0, 0, 0, 0x80, 1, 0, 0, 0, 123),
      /no safetensors file.*Choose another file/,
    ],
    [
      'a header of 2^63 bytes',
      Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0x80, 123),
      /no safetensors file.*Choose another file/,
    ],
    ['JSON that is an array', file('[]', 0), /not a JSON object/],
    ['no JSON', file('{"a":', 0), /not JSON/],
    ['a pickle', Uint8Array.of(0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0, 0, 0, 0), /pickle/],
    ['a pickle of protocol 4', Uint8Array.of(0x80, 4, 0x95, 9, 0, 0, 0, 0, 0, 0, 0, 0x7d), /pickle/],
    ['a zipped pickle', zip('archive/data.pkl'), /PyTorch file with a pickle/],
    ['a zip of something else', zip('word/document.xml'), /zip archive.*unpack/],
    ['a gzip', Uint8Array.of(0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 7), /packed archive/],
    ['a tar', tar(), /packed archive/],
    ['a GGUF model', text('GGUF\x03\0\0\0\x10\0\0\0'), /GGUF/],
    ['an array of NumPy', Uint8Array.of(0x93, ...text('NUMPY\x01\0v\0')), /NumPy array/],
    ['an HDF5 file', Uint8Array.of(0x89, ...text('HDF\r\n'), 0x1a, 0x0a), /an HDF5 file/],
    ['a Git LFS pointer', text('version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 9\n'), /Git LFS/],
    ['an error page', text('<!doctype html><html>'), /web page/],
    ['a page after white space', text('\r\n  <!-- x --> <HTML lang="en">'), /web page/],
    ['an answer of S3', text('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'), /XML/],
    ['an answer of an interface', text('{"error":"Repository not found"}'), /JSON text/],
    ['something nested', file(`{"a":${'['.repeat(1000)}`, 0), /nested/],
    [
      'a tensor called __proto__',
      file('{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4),
      /__proto__/,
    ],
    [
      'an empty tensor named twice',
      file(
        '{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}',
        0,
      ),
      /twice/,
    ],
    ['a type given twice', file('{"a":{"dtype":"I32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4), /twice/],
    [
      'offsets beyond 2^53',
      file('{"a":{"dtype":"F32","shape":[0],"data_offsets":[9007199254740993,9007199254740993]}}', 0),
      /not valid/,
    ],
    ['an entry that is null', file({ a: null }, 0), /not valid/],
    ['an entry that is a list', file({ a: [1] }, 0), /not valid/],
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
      /twice/,
    ],
    ['bytes that nothing accounts for', file({ a: f32([1], 0, 4) }, 8), /accounts for/],
    ['a size that does not fit the shape', file({ a: f32([3], 0, 8) }, 8), /takes 12 bytes/],
    ['a shape that overflows', file({ a: f32([2 ** 50, 2 ** 50], 0, 4) }, 4), /takes/],
    ['a negative dimension', file({ a: f32([-1, -1], 0, 4) }, 4), /not valid/],
    ['metadata that is not text', file({ __metadata__: { n: 1 } }, 0), /__metadata__/],
  ])('refuses %s', (_, bytes, why) => {
    expect(refusal(bytes)).toMatch(why);
  });

  it('refuses a giant header from the prefix alone, before anything is read', () => {
    expect(() => headerBytes(Uint8Array.of(0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0), 2 ** 40)).toThrow(
      /at most 16777216 are read/,
    );
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

  it('writes 16-bit values to the beginning of what is lent for them', () => {
    const lent = new Float32Array(3).fill(7);
    const got = decodeFloats(entry('F16', 4), halves(0x3c00, 0xc000), lent);
    expect([...got]).toEqual([1, -2]);
    expect([...lent]).toEqual([1, -2, 7]);
    expect([...decodeFloats(entry('BF16', 2), halves(0xc040), lent.subarray(1))]).toEqual([-3]);
    expect([...lent]).toEqual([1, -3, 7]);
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

describe('headers made to cost time', () => {
  const refusedWithin = (bytes: Uint8Array, milliseconds: number, why: RegExp) => {
    const start = cpuMs();
    expect(refusal(bytes)).toMatch(why);
    expect(cpuMs() - start).toBeLessThan(milliseconds);
  };

  it('20 MB of nested JSON, a million empty tensors, ten million brackets: refused at once', () => {
    refusedWithin(file('['.repeat(20_000_000), 0), 1000, /20000000/);
    refusedWithin(file(`{"a":${'{"a":'.repeat(2_700_000)}1`, 0), 1000, /nested/);
    const empty = (i: number) => `"${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`;
    refusedWithin(
      file(`{${Array.from({ length: 1_000_000 }, (_, i) => empty(i)).join()}}`, 0),
      1000,
      /at most 16777216/,
    );
    refusedWithin(
      file(`{${Array.from({ length: 1_000_000 }, (_, i) => `"${i}":0`).join()}}`, 0),
      1000,
      /100000 tensors/,
    );
  });

  it('100,000 tensors: read, quickly', () => {
    const entry = (i: number) => `"t${i}":{"dtype":"U8","shape":[1],"data_offsets":[${i},${i + 1}]}`;
    const start = cpuMs();
    expect(refusal(file(`{${Array.from({ length: 100_000 }, (_, i) => entry(i)).join()}}`, 100_000))).toBe('accepted');
    expect(cpuMs() - start).toBeLessThan(2500);
  });

  it('3,000 files with changed bytes: read or refused with a sentence, never slow, never anything else', () => {
    const whole = file({ __metadata__: { format: 'pt' }, a: f32([2, 3], 0, 24), b: f32([], 24, 28) }, 28);
    const words = new Uint32Array(4);
    let refused = 0;
    for (let i = 0; i < 3000; i++) {
      const bytes = whole.slice();
      words.set([i, 0, 0, 1]);
      pcg4d(words);
      for (const word of words.subarray(0, 1 + (i % 3))) bytes[word % (whole.length - 28)] = (word >>> 16) & 0xff;
      const start = cpuMs();
      const sentence = refusal(bytes.subarray(0, i % 5 === 0 ? words[3]! % whole.length : whole.length));
      expect(cpuMs() - start).toBeLessThan(1000);
      if (sentence !== 'accepted') refused++;
      expect(sentence).toMatch(/^accepted$|[.?]$/);
    }
    expect(refused).toBeGreaterThan(2000);
  });
});
