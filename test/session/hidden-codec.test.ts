import { describe, expect, it } from 'vitest';
import type { DataMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import { packed, unpacked } from '../../signaling/protocol/exchange/hidden-codec.ts';
import { EarlyHidden } from '../../web/session/stages/cuts/early-hidden.ts';
import { Outbox } from '../../web/session/stages/cuts/outbox.ts';

const through = (values: number[], codec: 'f32' | 'f16'): number[] => {
  const made = packed(Float32Array.from(values), codec);
  if (made === null) throw new Error('This is not finite.');
  return [...unpacked(made.tensor, made)];
};

describe('hidden states on their way', () => {
  it('in 32 bits are the values themselves', () => {
    const values = Float32Array.of(1.1, -3e-30, 7e30, 0);
    const made = packed(values, 'f32');
    expect(made).toEqual({ tensor: values, scale: 1 });
    expect(made && unpacked(made.tensor, made)).toBe(values);
  });

  it('in 16 bits are scaled by the power of two that brings the largest to 2^14 and above, below 2^15', () => {
    // 0.75 is 3 * 2^-2: times 2^15 it is 24,576, whose bits are 0x7600.
    expect(packed(Float32Array.of(0.75, -0.75), 'f16')).toEqual({
      tensor: Uint16Array.of(0x7600, 0xf600),
      scale: 2 ** 15,
    });
    expect(packed(Float32Array.of(32_768), 'f16')).toEqual({ tensor: Uint16Array.of(0x7400), scale: 2 ** -1 });
    expect(packed(new Float32Array(2), 'f16')).toEqual({ tensor: new Uint16Array(2), scale: 1 });
  });

  it('in 16 bits keep what 11 bits of a number hold, however small or large all of it is', () => {
    for (const size of [2 ** -120, 2 ** -40, 1, 2 ** 60, 2 ** 120])
      expect(through([size, 1.5 * size, (2047 / 1024) * size, -size / 64], 'f16')).toEqual([
        size,
        1.5 * size,
        (2047 / 1024) * size,
        -size / 64,
      ]);
    // Half-way between two values of 11 bits goes to the even one.
    expect(through([1 + 1 / 2048, 1 + 3 / 2048], 'f16')).toEqual([1, 1 + 2 / 1024]);
  });

  it('are not sent where one is no finite number', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
      for (const codec of ['f32', 'f16'] as const) expect(packed(Float32Array.of(1, value, 2), codec)).toBeNull();
  });
});

const of = (microBatch: number, values = 1, to = 'bbbbbbbb'): DataMessage<'hidden'> => ({
  header: {
    type: 'hidden',
    from: 'aaaaaaaa',
    to,
    of: { term: 1, round: 1, pipeline: 0, epoch: 1 },
    stage: 1,
    microBatch,
    direction: 'up',
    codec: 'f32',
    scale: 1,
  },
  tensors: [new Float32Array(values)],
});

it('what comes before its order waits within a bound; the oldest makes room', () => {
  const early = new EarlyHidden(1200);
  // 40 bytes each, and 512 for the message: two stay.
  for (const j of [0, 1, 2]) early.keep({ message: of(j, 10), sender: 'aaaaaaaa', isRelayed: false });
  expect(early.takeAll().map(({ message }) => message.header.microBatch)).toEqual([1, 2]);
  expect(early.takeAll()).toEqual([]);
  early.keep({ message: of(0, 173), sender: 'aaaaaaaa', isRelayed: false });
  expect(early.takeAll()).toEqual([]);
});

it('a link is handed a few messages at once, the others in their order as those are on their way; what is of no use does not go', async () => {
  const handed: string[] = [];
  const settle: (() => void)[] = [];
  const outbox = new Outbox(({ header: { to, microBatch } }) => {
    handed.push(`${to} ${microBatch}`);
    return new Promise((resolve) => settle.push(resolve));
  });
  for (let j = 0; j < 20; j++) outbox.add(of(j));
  outbox.add(of(0, 1, 'cccccccc'));
  expect(handed).toEqual([...[0, 1, 2, 3, 4, 5, 6, 7].map((j) => `bbbbbbbb ${j}`), 'cccccccc 0']);
  settle[0]?.();
  settle[1]?.();
  await new Promise((resolve) => setImmediate(resolve));
  expect(handed.slice(9)).toEqual(['bbbbbbbb 8', 'bbbbbbbb 9']);
  outbox.keepOnly(({ header }) => header.microBatch === 15);
  for (const done of settle) done();
  await new Promise((resolve) => setImmediate(resolve));
  expect(handed.slice(11)).toEqual(['bbbbbbbb 15']);
});
