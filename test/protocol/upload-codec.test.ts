import { describe, expect, it } from 'vitest';
import { adapterParameterCount, headParameterCount, layerParameterCount } from '../../signaling/protocol/adapters.ts';
import { type DataMessage, encodeMessage, readMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import { decodeFrame } from '../../signaling/protocol/exchange/frames.ts';
import {
  decodeUpload,
  decodeUploads,
  encodeRounded,
  encodeUpload,
  encodeUploads,
  type RoundingKey,
  rounded,
  sentBits,
  uploadBytes,
} from '../../signaling/protocol/exchange/upload-codec.ts';
import { splitModelOf } from '../../signaling/protocol/pipeline/split-room.ts';
import type { Block } from '../../signaling/protocol/round.ts';
import { UPLOADS } from '../../signaling/protocol/settings.ts';
import { roomProblem } from '../../signaling/room/planning.ts';
import { tensorSizes } from '../../web/session/links/tensor-sizes.ts';
import { differenceOf, productsOf } from '../../web/session/rounds/audits/compare.ts';
import { toleranceFor } from '../../web/session/rounds/audits/tolerance.ts';
import { drawsFrom } from '../audits/play.ts';
import { pcg4dPlain } from '../engine/plain-roberta.ts';
import { SETTINGS } from './samples.ts';

const KEY: RoundingKey = { seed: 7, round: 3, block: 2, position: 5 };
const int8 = (values: readonly number[], key: RoundingKey = KEY) =>
  encodeUpload(Float32Array.from(values), 'int8', key);
const plain = (tensors: readonly { [Symbol.iterator](): Iterator<number> }[]) => tensors.map((t) => [...t]);

/** Like a gradient: normal values, some of them a thousand times larger, and whole stretches of zeros. */
function likeGradient(length: number, seed: number): Float32Array {
  const draw = drawsFrom(seed);
  return Float32Array.from({ length }, (_, i) => {
    const normal = Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
    if (i % 1024 < 128) return 0;
    return 1e-3 * normal * (draw() < 0.01 ? 1000 : 1);
  });
}

describe('16 bit', () => {
  it('are halves of the values over a power of two that brings the largest to the top', () => {
    // The largest is 1 * 2^-20, so e = -34, stored as 93. 2^14 is 0x7400; -1.5 * 2^13 is 0xf200; 2^-40 * 2^34 = 2^-6 is 0x2400.
    const tensors = encodeUpload(Float32Array.of(2 ** -20, -3 * 2 ** -22, 2 ** -40, 0), 'f16', KEY);
    expect(plain(tensors)).toEqual([[0x7400, 0xf200, 0x2400, 0], [93]]);
    expect([...decodeUpload(tensors)]).toEqual([2 ** -20, -3 * 2 ** -22, 2 ** -40, 0]);
  });

  it('are off by 2^-11 of a value at most, whatever the size of all', () => {
    for (const size of [1e-30, 1e-6, 1, 1e30]) {
      const values = likeGradient(5000, 1).map((x) => x * size);
      const largest = values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      const back = rounded(values, 'f16', KEY);
      values.forEach((x, i) => {
        if (Math.abs(back[i]! - x) > Math.max(2 ** -11 * Math.abs(x), 2 ** -40 * largest))
          expect.unreachable(`${x} became ${back[i]}`);
      });
    }
  });

  it('reach from the smallest to the largest of what an f32 can be', () => {
    const values = Float32Array.of(3.4028234663852886e38, -1);
    expect(rounded(values, 'f16', KEY)[0]).toBe(Number.POSITIVE_INFINITY);
    expect([...rounded(Float32Array.of(2 ** 127, -(2 ** 100)), 'f16', KEY)]).toEqual([2 ** 127, -(2 ** 100)]);
    expect([...rounded(Float32Array.of(2 ** -149, -(2 ** -140)), 'f16', KEY)]).toEqual([2 ** -149, -(2 ** -140)]);
  });
});

describe('8 bit', () => {
  it('are whole numbers of at most 127 over a power of two of each 32 values', () => {
    // 127 / 2^10: e = -10, stored as 117. The next 32 have 64 at most: 64 / 2^0, stored as 127; the last ones are zero.
    const first = [127 / 1024, -127 / 1024, 1 / 1024, ...new Array<number>(29).fill(-5 / 1024)];
    const second = [64, ...new Array<number>(31).fill(-3)];
    const tensors = int8([...first, ...second, 0, 0]);
    const codes = [127, 129, 1, ...new Array<number>(29).fill(251), 64, ...new Array<number>(31).fill(253), 0, 0];
    expect(plain(tensors)).toEqual([codes, [117, 127, 0]]);
    expect([...decodeUpload(tensors)]).toEqual([...first, ...second, 0, 0]);
  });

  it('are taken up a power where the largest would come to more than 127, so that nothing has to be cut off', () => {
    for (let seed = 0; seed < 200; seed++) {
      const [codes, exponents] = int8([127.5, -127.5, 1], { ...KEY, seed });
      expect(exponents).toEqual(Uint8Array.of(128));
      expect([63, 64]).toContain(codes![0]);
      expect([256 - 63, 256 - 64]).toContain(codes![1]);
    }
  });

  it('are rounded up where a drawn word is below the part that is over', () => {
    // Both groups have a value between 64 and 127, so that a step is 1.
    const values = Array.from({ length: 40 }, (_, i) => 100 - 5.3 * i);
    const site = 2 ** 31 + 2;
    const [k0, k1, k2, k3] = pcg4dPlain([KEY.seed, KEY.round, site, KEY.position]);
    const wanted = [...Float32Array.from(values)].map((value, i) => {
      const words = pcg4dPlain([(k0! + Math.floor(i / 4)) % 2 ** 32, k1!, k2!, k3!]);
      const below = Math.floor(value);
      return (below + (words[i % 4]! / 2 ** 32 < value - below ? 1 : 0)) & 255;
    });
    expect([...int8(values)[0]!]).toEqual(wanted);
  });

  it('are the value in the mean over keys, and never off by a whole step', () => {
    const values = [100.25, -0.3, 0.001, -63.5, 126.75, -126.9, 31, 0.5];
    const sums = new Float64Array(values.length);
    const keys = 4000;
    for (let round = 1; round <= keys; round++)
      rounded(Float32Array.from(values), 'int8', { ...KEY, round }).forEach((x, i) => {
        sums[i]! += x / keys;
        expect(Math.abs(x - values[i]!)).toBeLessThan(1);
      });
    // One standard deviation of the mean is at most 1/2 of a step over the root of the keys; five of them.
    for (const [i, value] of values.entries())
      expect(Math.abs(sums[i]! - value)).toBeLessThan((5 * 0.5) / Math.sqrt(keys));
    expect(sums[6]).toBeCloseTo(31, 9);
  });

  it('are others for another seed, round, block and place in the round, and the same for the same', () => {
    const values = Array.from({ length: 256 }, (_, i) => Math.sin(i));
    const of = (change: Partial<RoundingKey>) => int8(values, { ...KEY, ...change })[0]!.join();
    const keys: Partial<RoundingKey>[] = [
      {},
      { seed: 8 },
      { round: 4 },
      { block: 3 },
      { block: 'head' },
      { block: 'merged' },
      { position: 6 },
    ];
    expect(new Set(keys.map(of)).size).toBe(keys.length);
    expect(of({})).toBe(of({}));
  });
});

describe.each(['f16', 'int8'] as const)('a gradient as %s', (uploads) => {
  it('that was rounded is encoded again without a change, whatever the key', () => {
    for (const size of [2 ** -140, 1e-38, 1e-9, 1, 1e36])
      for (let seed = 0; seed < 5; seed++) {
        const once = rounded(
          likeGradient(1000, seed).map((x) => x * size),
          uploads,
          { ...KEY, seed },
        );
        expect(decodeUpload(encodeRounded(once, uploads))).toEqual(once);
      }
    // What is rounded up to the next power of two.
    const close = rounded(Float32Array.of(1.9999, 2 ** -26 * 1.7), uploads, KEY);
    expect(decodeUpload(encodeRounded(close, uploads))).toEqual(close);
  });

  it('of zeros is zeros', () => {
    expect(rounded(new Float32Array(70), uploads, KEY)).toEqual(new Float32Array(70));
    expect(rounded(new Float32Array(0), uploads, KEY)).toEqual(new Float32Array(0));
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('that holds %d is not finite', (bad) => {
    const values = new Float32Array(64).fill(1);
    values[40] = bad;
    expect(rounded(values, uploads, KEY)[40]).toBeNaN();
  });

  it('is as long as it is said to be', () => {
    for (const length of [0, 1, 31, 32, 33, 1000])
      expect(sentBits(encodeUpload(likeGradient(length, 2), uploads, KEY))).toBe(8 * uploadBytes(length, uploads));
  });

  it('is the same in a message of several', () => {
    const blocks: Block[] = ['head', 1, 0];
    const lengths = [70, 33, 64];
    const parts = blocks.map((block, i) => ({ block, gradient: likeGradient(lengths[i]!, i + 1) }));
    const { block: _, ...key } = KEY;
    const back = decodeUploads(encodeUploads(parts, uploads, key), lengths);
    expect(back).toEqual(parts.map(({ block, gradient }) => rounded(gradient, uploads, { ...key, block })));
  });

  it('differs by far less than audits tolerate where two engines made it, and by more where somebody lies', () => {
    const { distance, stretch } = toleranceFor('f32', []);
    const truth = likeGradient(24_576, 3);
    const draw = drawsFrom(4);
    // As far apart as engines were seen to be in single precision: 1e-5, and 7e-4 in twelve layers of random weights.
    for (const [apart, part] of [
      [1e-5, 0.2],
      [7e-4, 0.9],
    ] as const) {
      const norm = Math.sqrt(productsOf(truth, truth).aa / truth.length);
      const other = truth.map((x) => (x === 0 ? 0 : x + apart * norm * 1.75 * (2 * draw() - 1)));
      const found = differenceOf(productsOf(rounded(other, uploads, KEY), rounded(truth, uploads, KEY)), 0);
      expect(found.distance).toBeLessThan(part * distance);
      expect(found.stretch).toBeLessThan(part * stretch);
    }
    const lie = rounded(
      truth.map((x) => 1.05 * x),
      uploads,
      KEY,
    );
    const seen = differenceOf(productsOf(lie, rounded(truth, uploads, KEY)), 0);
    expect(seen.stretch).toBeGreaterThan(4 * stretch);
  });
});

describe('a message with a gradient', () => {
  const tag = { term: 1, round: 3, order: 2, epoch: 1 };
  const length = layerParameterCount(SETTINGS.shape, SETTINGS.lora, 0);
  const settings = (uploads: (typeof UPLOADS)[number]) => ({
    ...SETTINGS,
    training: { ...SETTINGS.training, uploads },
  });
  const read = (
    message: { readonly header: object; readonly tensors: DataMessage['tensors'] },
    uploads: (typeof UPLOADS)[number],
  ) => readMessage(decodeFrame(encodeMessage(message as DataMessage)), tensorSizes(settings(uploads)));
  const header = { type: 'gradient', tag, block: 0 } as const;
  const of = (uploads: (typeof UPLOADS)[number], gradient = likeGradient(length, 9)) => ({
    header,
    tensors: encodeUpload(gradient, uploads, KEY),
  });

  it('is read as the session has it, and refused in any other form', () => {
    for (const uploads of UPLOADS) {
      expect(read(of(uploads), uploads)).toEqual(of(uploads));
      for (const other of UPLOADS)
        if (other !== uploads) expect(() => read(of(other), uploads)).toThrow(/tensors where|is missing/);
    }
  });

  it('is refused where values, exponents or their number are not what belongs', () => {
    const [codes, exponents] = of('int8').tensors;
    expect(() => read({ header, tensors: [codes!.subarray(1), exponents!] }, 'int8')).toThrow('values where');
    expect(() => read({ header, tensors: [codes!, exponents!.subarray(1)] }, 'int8')).toThrow('exponents');
    expect(() => read({ header, tensors: [codes!, new Float32Array(exponents!.length)] }, 'int8')).toThrow('exponents');
    const beyond = codes!.slice();
    beyond[5] = 128;
    expect(() => read({ header, tensors: [beyond, exponents!] }, 'int8')).toThrow('out of range');
    const [halves] = of('f16').tensors;
    expect(() => read({ header, tensors: [halves!, new Uint8Array(2)] }, 'f16')).toThrow('exponents');
  });

  it('that is not finite is read, for the round to judge; an update that is not is refused', () => {
    const broken = likeGradient(length, 9);
    broken[3] = Number.NaN;
    const { parameterCount } = tensorSizes(SETTINGS);
    const whole = likeGradient(parameterCount, 9);
    whole[3] = Number.NaN;
    const update = { type: 'update', term: 1, version: 3, learningRate: 1e-3, digest: 5 } as const;
    for (const uploads of UPLOADS) {
      expect(read(of(uploads, broken), uploads)).toBeDefined();
      const bad = { header: update, tensors: encodeUpload(whole, uploads, KEY) };
      expect(() => read(bad, uploads)).toThrow('not a finite number');
      const good = { header: update, tensors: encodeUpload(likeGradient(parameterCount, 9), uploads, KEY) };
      expect(read(good, uploads)).toEqual(good);
      expect(read({ header: update, tensors: [new Float32Array(0)] }, uploads)).toBeDefined();
    }
    const endless = encodeUpload(likeGradient(parameterCount, 9), 'f16', KEY);
    endless[0]![7] = 0xfc00;
    expect(() => read({ header: update, tensors: endless }, 'f16')).toThrow('not a finite number');
  });
});

describe('a round of roberta-base at rank 8', () => {
  const shape = { ...SETTINGS.shape, layers: 12, hiddenSize: 768, heads: 12, ffnSize: 3072, vocabSize: 50_265 };
  const lora = { rank: 8, alpha: 16, targets: ['query' as const, 'value' as const] };
  const layers = Array.from({ length: 12 }, (_, layer) => layer);
  const blocks = [headParameterCount(shape, 2), ...layers.map((layer) => layerParameterCount(shape, lora, layer))];
  const values = adapterParameterCount(shape, lora) + headParameterCount(shape, 2);

  it.each([
    ['f32', 3_548_168, 3_548_168],
    // Two bytes a value, and one for each of 13 blocks; one for the merged gradient.
    ['f16', 1_774_097, 1_774_085],
    // A byte a value, and one for each 32: 12 * (24,576 + 768) + 592,130 + 18,505 up, 887,042 + 27,721 down.
    ['int8', 914_763, 914_763],
  ] as const)('as %s takes %d bytes up for a device with all blocks, and %d down', (uploads, up, down) => {
    expect(values).toBe(887_042);
    expect(blocks.reduce((sum, length) => sum + uploadBytes(length, uploads), 0)).toBe(up);
    expect(uploadBytes(values, uploads)).toBe(down);
  });

  it.each(UPLOADS)('is planned with the bits that travel: %s', (uploads) => {
    const settings = { ...SETTINGS, shape, lora, training: { ...SETTINGS.training, uploads } };
    const problem = roomProblem(settings, 'hosthost', [], new Map());
    expect(problem.headUploadBits).toBe(8 * uploadBytes(592_130, uploads));
    expect(problem.layerUploadBits).toEqual(layers.map(() => 8 * uploadBytes(24_576, uploads)));
    const split = splitModelOf(settings);
    expect(split.headUploadBits).toBe(problem.headUploadBits);
    expect(split.layerUploadBits).toEqual(problem.layerUploadBits);
  });
});
