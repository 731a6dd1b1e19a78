import { describe, expect, it } from 'vitest';
import { crc32 } from '../../signaling/protocol/exchange/checksum.ts';
import {
  decodeFrame,
  encodeFrame,
  LONGEST_MESSAGE_MS,
  MAX_OPEN_MESSAGES,
  Reassembler,
  SLICE_HEADER_BYTES,
  STALLED_MESSAGE_MS,
  slices,
} from '../../signaling/protocol/exchange/frames.ts';
import { LEAST_SLICE_PAYLOAD_BYTES, SLICE_PAYLOAD_BYTES } from '../../signaling/protocol/limits.ts';

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
        const whole = slice && reassembler.add(slice, 0);
        if (whole) done.push(whole);
      }
    expect(done).toEqual([other, message]);
  });

  it('may be of any length from 2 to 16 KiB, the same for all of a message but the last', () => {
    const least = LEAST_SLICE_PAYLOAD_BYTES;
    for (const bytes of [least, least + 1, 9999, SLICE_PAYLOAD_BYTES]) {
      const parts = [...slices(message, 1, bytes)];
      expect(parts.slice(0, -1).every(({ length }) => length === SLICE_HEADER_BYTES + bytes)).toBe(true);
      const reassembler = new Reassembler(message.length);
      expect(parts.map((slice) => reassembler.add(slice, 0)).at(-1)).toEqual(message);
    }
    const [shorter] = slices(message, 1, least - 1);
    expect(() => new Reassembler().add(shorter!, 0)).toThrow('out of place');
    const [longer] = slices(message, 1, SLICE_PAYLOAD_BYTES + 1);
    expect(() => new Reassembler().add(longer!, 0)).toThrow('impossible size');
    // Begun with one length, it does not go on with another.
    const [begun] = slices(message, 1, 4096);
    for (const bytes of [4095, 4097]) {
      const other = begun!.slice(0, SLICE_HEADER_BYTES + 4095 + (bytes === 4097 ? 1 : 0));
      const second = new Uint8Array(SLICE_HEADER_BYTES + bytes);
      second.set(other);
      new DataView(second.buffer).setUint32(8, 4096, true);
      const reassembler = new Reassembler();
      reassembler.add(begun!.slice(), 0);
      expect(() => reassembler.add(second, 0)).toThrow('out of place');
    }
  });

  it('of a message that is whole are forgotten: its number may come again, its bytes count no more', () => {
    const reassembler = new Reassembler(message.length);
    for (let round = 0; round < 3; round++) {
      const parts = [...slices(message, 7)].map((slice) => reassembler.add(slice, 0));
      expect(parts.at(-1)).toEqual(message);
    }
  });

  it('that go beyond the end of their message are refused', () => {
    const [first, second] = slices(message, 1);
    const reassembler = new Reassembler();
    const total = SLICE_PAYLOAD_BYTES + 4;
    for (const slice of [first, second]) new DataView(slice.buffer).setUint32(4, total, true);
    expect(reassembler.add(first, 0)).toBeNull();
    expect(() => reassembler.add(second, 0)).toThrow('out of place');
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
    expect(() => cut.map((slice) => reassembler.add(slice, 0))).toThrow('checksum');
  });

  it('are refused out of place, without a beginning, or with another total', () => {
    const [first, second, third] = slices(message, 1);
    expect(() => new Reassembler().add(second, 0)).toThrow('without its beginning');
    const skipping = new Reassembler();
    skipping.add(first, 0);
    expect(() => skipping.add(third, 0)).toThrow('out of place');
    const changing = new Reassembler();
    changing.add(first, 0);
    new DataView(second.buffer).setUint32(4, 99, true);
    expect(() => changing.add(second, 0)).toThrow('out of place');
    expect(() => new Reassembler().add(new Uint8Array(5), 0)).toThrow('impossible size');
  });

  it('make the receiver hold what has arrived, not what was announced', () => {
    const held = (reassembler: Reassembler): number => reassembler.heldBytes;
    const reassembler = new Reassembler(2 ** 28);
    const [first, second] = slices(message, 1);
    // A message of 128 MiB, of which one slice has come.
    for (const slice of [first, second]) new DataView(slice.buffer).setUint32(4, 2 ** 27, true);
    expect(reassembler.add(first, 0)).toBeNull();
    expect(held(reassembler)).toBe(SLICE_PAYLOAD_BYTES);
    reassembler.add(second, 0);
    expect(held(reassembler)).toBe(2 * SLICE_PAYLOAD_BYTES);
    // 17 bytes that announce 128 MiB: only the last slice may be short.
    expect(() => reassembler.add(tiny(2, 2 ** 27, 0), 0)).toThrow('out of place');
    const whole = new Reassembler(message.length);
    for (const slice of slices(message, 3)) whole.add(slice, 0);
    expect(held(whole)).toBe(0);
  });

  it('reserve nothing for what 1,000 links of one peer announce', () => {
    const [slice] = slices(message, 1);
    new DataView(slice.buffer).setUint32(4, 2 ** 28, true);
    const before = process.memoryUsage();
    const all = Array.from({ length: 1000 }, () => {
      const reassembler = new Reassembler(2 ** 28);
      reassembler.add(slice.slice(), 0);
      return reassembler;
    });
    // 16 MB of slices, where 256 GB were announced.
    expect(process.memoryUsage().arrayBuffers - before.arrayBuffers).toBeLessThan(64 * 2 ** 20);
    expect(all.every(({ heldBytes }) => heldBytes === SLICE_PAYLOAD_BYTES)).toBe(true);
  });

  it('are refused where they overlap, come twice, or lie out of range', () => {
    const cases: [string, (parts: Uint8Array<ArrayBuffer>[]) => Uint8Array<ArrayBuffer>][] = [
      ['twice', ([first]) => first],
      ['overlapping', ([, second]) => at(second, SLICE_PAYLOAD_BYTES - 4)],
      ['with a gap', ([, second]) => at(second, SLICE_PAYLOAD_BYTES + 4)],
      ['beyond the end', ([, second]) => at(second, message.length)],
      ['at the largest offset', ([, second]) => at(second, 2 ** 32 - 1)],
      ['short before the end', ([, second]) => second.slice(0, -1)],
      ['of another checksum', ([, second]) => second.fill(7, 12, 16)],
      ['from the beginning again, with another total', ([first]) => first.fill(9, 4, 8)],
    ];
    for (const [what, spoil] of cases) {
      const parts = [...slices(message, 1)];
      const reassembler = new Reassembler();
      reassembler.add(parts[0].slice(), 0);
      expect(() => reassembler.add(spoil(parts), 0), what).toThrow('out of place');
    }
    expect(() => new Reassembler().add(tiny(1, 0, 0), 0)).toThrow('out of place');
  });

  it('cannot make the receiver hold more than its bound', () => {
    const announce = (number: number, total: number): Uint8Array<ArrayBuffer> => {
      const [slice] = slices(message, number);
      new DataView(slice.buffer).setUint32(4, total, true);
      return slice;
    };
    const bound = 2 * SLICE_PAYLOAD_BYTES;
    expect(() => new Reassembler(bound).add(announce(1, bound + 1), 0)).toThrow('longer than any of this session');
    expect(() => new Reassembler().add(announce(1, 2 ** 32 - 1), 0)).toThrow('longer than any of this session');
    // Each within the bound alone.
    const many = new Reassembler(bound);
    expect(many.add(announce(1, bound), 0)).toBeNull();
    expect(many.add(announce(2, bound), 0)).toBeNull();
    expect(() => many.add(announce(3, bound), 0)).toThrow('more data at once');
    const open = new Reassembler();
    for (let number = 1; number <= MAX_OPEN_MESSAGES; number++) open.add(announce(number, 2 ** 20), 0);
    expect(() => open.add(announce(99, 2 ** 20), 0)).toThrow('more messages at once');
  });

  it('are overdue when they stop for 30 s, or go on for half an hour', () => {
    const parts = [...slices(message, 1)];
    const stalled = new Reassembler();
    stalled.add(parts[0], 1000);
    expect([stalled.overdue(1000 + STALLED_MESSAGE_MS), stalled.overdue(1001 + STALLED_MESSAGE_MS)]).toEqual([
      null,
      'The other side began a message and did not end it.',
    ]);
    stalled.add(parts[1], 20_000);
    expect(stalled.overdue(20_000 + STALLED_MESSAGE_MS)).toBeNull();
    const long = encodeFrame({}, [new Float32Array(100 * SLICE_PAYLOAD_BYTES)]);
    const slow = new Reassembler();
    let nowMs = 0;
    for (const slice of slices(long, 1)) {
      if (slow.overdue(nowMs) !== null) break;
      slow.add(slice, nowMs);
      nowMs += 29_000;
    }
    expect([nowMs > LONGEST_MESSAGE_MS, nowMs <= LONGEST_MESSAGE_MS + 29_000]).toEqual([true, true]);
    // What was whole is due no more.
    const whole = new Reassembler();
    for (const slice of slices(message, 1)) whole.add(slice, 0);
    expect(whole.overdue(10 * LONGEST_MESSAGE_MS)).toBeNull();
  });
});

/** A slice that carries one byte. */
function tiny(number: number, total: number, offset: number): Uint8Array<ArrayBuffer> {
  const slice = new Uint8Array(SLICE_HEADER_BYTES + 1);
  const view = new DataView(slice.buffer);
  view.setUint32(0, number, true);
  view.setUint32(4, total, true);
  view.setUint32(8, offset, true);
  return slice;
}

function at(slice: Uint8Array<ArrayBuffer>, offset: number): Uint8Array<ArrayBuffer> {
  new DataView(slice.buffer).setUint32(8, offset, true);
  return slice;
}
