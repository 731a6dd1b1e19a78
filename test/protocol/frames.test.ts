import { describe, expect, it } from 'vitest';
import { crc32 } from '../../signaling/protocol/exchange/checksum.ts';
import {
  decodeFrame,
  encodeFrame,
  Reassembler,
  SLICE_HEADER_BYTES,
  slices,
} from '../../signaling/protocol/exchange/frames.ts';
import { SLICE_PAYLOAD_BYTES } from '../../signaling/protocol/limits.ts';

const floats = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => Math.sin(i));

describe('crc32', () => {
  it('has the check value that the polynomial is known by', () => {
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
    expect(crc32(new Uint8Array())).toBe(0);
  });
});

describe('a frame', () => {
  it('gives back its header and tensors', () => {
    const header = { type: 'gradient', text: 'grün 🧵', order: 3 };
    const frame = decodeFrame(encodeFrame(header, [floats(7), Int32Array.of(-1, 2 ** 31 - 1), new Float32Array()]));
    expect(frame.header).toEqual(header);
    expect(frame.tensors).toEqual([floats(7), Int32Array.of(-1, 2 ** 31 - 1), new Float32Array()]);
  });

  it.each<[string, (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>, string]>([
    ['cut off', (b) => b.slice(0, b.length - 4), 'shorter than its tensors'],
    ['followed by more', (b) => Uint8Array.from([...b, 0, 0, 0, 0]), 'longer than its tensors'],
    ['empty', () => new Uint8Array(2), 'shorter than its header length'],
    ['stating a huge header', (b) => Uint8Array.from(b, (byte, i) => (i === 3 ? 0x40 : byte)), 'impossible header'],
    ['with a header that is not JSON', (b) => b.fill(0x7f, 4, 8), 'not JSON'],
  ])('that is %s is refused', (_, spoil, sentence) => {
    const bytes = encodeFrame({ a: 1 }, [floats(3)]);
    expect(() => decodeFrame(spoil(bytes.slice()))).toThrow(sentence);
  });

  it('refuses tensors that are described wrongly', () => {
    const described = (tensors: unknown): Uint8Array<ArrayBuffer> => {
      const head = new TextEncoder().encode(JSON.stringify({ header: {}, tensors }).padEnd(400));
      const bytes = new Uint8Array(4 + head.length);
      new DataView(bytes.buffer).setUint32(0, head.length, true);
      bytes.set(head, 4);
      return bytes;
    };
    expect(() => decodeFrame(described([['f64', 0]]))).toThrow('describes a tensor wrongly');
    expect(() => decodeFrame(described([['f32', -1]]))).toThrow('describes a tensor wrongly');
    expect(() => decodeFrame(described([['f32', 1.5]]))).toThrow('describes a tensor wrongly');
    expect(() => decodeFrame(described([['f32', 2 ** 40]]))).toThrow('shorter than its tensors');
    expect(() => decodeFrame(described('all'))).toThrow('lists its tensors wrongly');
    expect(decodeFrame(described(Array(5).fill(['f32', 0]))).tensors).toHaveLength(5);
    expect(() => decodeFrame(described(Array(17).fill(['f32', 0])))).toThrow('lists its tensors wrongly');
  });

  it('refuses a header that is too long to be one', () => {
    expect(decodeFrame(encodeFrame({ text: 'x'.repeat(65_000) }, [])).tensors).toEqual([]);
    expect(() => decodeFrame(encodeFrame({ text: 'x'.repeat(66_000) }, []))).toThrow('impossible header');
  });
});

describe('slices', () => {
  const message = encodeFrame({ big: true }, [floats(3 * SLICE_PAYLOAD_BYTES)]);

  it('are put back together, also when two messages interleave', () => {
    const other = encodeFrame({ small: 1 }, [floats(2 * SLICE_PAYLOAD_BYTES)]);
    const [a, b] = [[...slices(message, 1)], [...slices(other, 2)]];
    const reassembler = new Reassembler();
    const done: Uint8Array[] = [];
    for (let i = 0; i < Math.max(a.length, b.length); i++)
      for (const slice of [a[i], b[i]]) {
        const whole = slice && reassembler.add(slice);
        if (whole) done.push(whole);
      }
    expect(done).toEqual([other, message]);
  });

  it('of a message that is whole are forgotten: its number may come again, its bytes count no more', () => {
    const reassembler = new Reassembler(message.length);
    for (let round = 0; round < 3; round++) {
      const parts = [...slices(message, 7)].map((slice) => reassembler.add(slice));
      expect(parts.at(-1)).toEqual(message);
    }
  });

  it('that go beyond the end of their message are refused', () => {
    const [first, second] = slices(message, 1);
    const reassembler = new Reassembler();
    const total = SLICE_PAYLOAD_BYTES + 4;
    for (const slice of [first, second]) new DataView(slice.buffer).setUint32(4, total, true);
    expect(reassembler.add(first)).toBeNull();
    expect(() => reassembler.add(second)).toThrow('out of place');
  });

  it('carry at most one slice payload each', () => {
    const sizes = [...slices(message, 1)].map((slice) => slice.length - SLICE_HEADER_BYTES);
    expect(Math.max(...sizes)).toBe(SLICE_PAYLOAD_BYTES);
    expect(sizes.reduce((a, b) => a + b)).toBe(message.length);
  });

  it('are refused when a byte was changed on the way', () => {
    const cut = [...slices(message, 1)];
    cut[1][SLICE_HEADER_BYTES + 5] ^= 1;
    const reassembler = new Reassembler();
    expect(() => cut.map((slice) => reassembler.add(slice))).toThrow('checksum');
  });

  it('are refused out of place, without a beginning, or with another total', () => {
    const [first, second, third] = slices(message, 1);
    expect(() => new Reassembler().add(second)).toThrow('without its beginning');
    const skipping = new Reassembler();
    skipping.add(first);
    expect(() => skipping.add(third)).toThrow('out of place');
    const changing = new Reassembler();
    changing.add(first);
    new DataView(second.buffer).setUint32(4, 99, true);
    expect(() => changing.add(second)).toThrow('out of place');
    expect(() => new Reassembler().add(new Uint8Array(5))).toThrow('impossible size');
  });

  it('cannot make the receiver hold more than its bound', () => {
    const [first] = slices(message, 1);
    new DataView(first.buffer).setUint32(4, 2 ** 31, true);
    expect(() => new Reassembler().add(first)).toThrow('more data at once');
    // Two that are half begun, each within the bound alone.
    const bound = 1000;
    const begun = (number: number): Uint8Array<ArrayBuffer> => {
      const [slice] = slices(encodeFrame({ n: 1 }, [floats(1)]), number);
      new DataView(slice.buffer).setUint32(4, 0.6 * bound, true);
      return slice;
    };
    const both = new Reassembler(bound);
    expect(both.add(begun(1))).toBeNull();
    expect(() => both.add(begun(2))).toThrow('more data at once');
    const open = new Reassembler(2 ** 30, 2);
    open.add([...slices(message, 1)][0]);
    open.add([...slices(message, 2)][0]);
    expect(() => open.add([...slices(message, 3)][0])).toThrow('more data at once');
  });
});
