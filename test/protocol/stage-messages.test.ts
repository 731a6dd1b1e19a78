import { describe, expect, it } from 'vitest';
import { type DataMessage, encodeMessage, readMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import { decodeFrame, encodeFrame, type FrameTensor } from '../../signaling/protocol/exchange/frames.ts';
import { trainedBlocks } from '../../signaling/protocol/exchange/stage-messages.ts';
import { tensorSizes } from '../../web/session/links/tensor-sizes.ts';
import { SETTINGS } from './samples.ts';

/** Six layers, adapters on 1 and 4; units are 0 to 7. Layers of 4096 parameters each, a head of 130 * 129. */
const SETTINGS_OF_TWO = {
  ...SETTINGS,
  policy: 'split' as const,
  lora: { ...SETTINGS.lora, layers: [1, 4] },
};
const SIZES = tensorSizes(SETTINGS_OF_TWO);
const LAYER = 4 * 8 * 128;
const HEAD = 130 * 129;
const TAG = { term: 1, round: 3, order: 2, epoch: 1 };
const [LOW, HIGH] = [
  { device: 'lowlowlow', epoch: 4 },
  { device: 'highhigh', epoch: 5 },
];

type Order = DataMessage<'stage-order'>;
/** Units 2 to 5, which are layers 1 to 4. */
const MIDDLE: Order = {
  header: {
    type: 'stage-order',
    tag: TAG,
    stage: { pipeline: 0, index: 1, from: 2, to: 6, window: 2, microBatches: 2 },
    sizes: [2, 1],
    version: 2,
    parameters: true,
    tokens: 4,
    codec: 'f32',
    below: LOW,
    above: HIGH,
    layers: [1, 4],
    head: false,
    lowest: 1,
    share: 1,
    dropout: { probability: 0.1, seed: 7 },
  },
  tensors: [Int32Array.of(2, 3, 4), Int32Array.of(9, 0, 4), new Float32Array(2 * LAYER)],
};
const FIRST: Order = {
  header: {
    ...MIDDLE.header,
    stage: { ...MIDDLE.header.stage, index: 0, from: 0, to: 2 },
    below: null,
    layers: [],
    parameters: false,
  },
  tensors: [MIDDLE.tensors[0], MIDDLE.tensors[1], new Int32Array(12).fill(8191)],
};
const LAST: Order = {
  header: {
    ...MIDDLE.header,
    stage: { ...MIDDLE.header.stage, index: 2, from: 5, to: 8, window: 1 },
    above: null,
    layers: [4],
    head: true,
  },
  tensors: [MIDDLE.tensors[0], MIDDLE.tensors[1], Float32Array.of(0, 1, 1), new Float32Array(HEAD + LAYER)],
};
const EVALUATE: DataMessage<'stage-evaluate'> = {
  header: {
    type: 'stage-evaluate',
    tag: { term: 1, evaluation: 2, chunk: 0 },
    stage: MIDDLE.header.stage,
    sizes: [2, 1],
    version: 2,
    parameters: true,
    tokens: 4,
    codec: 'f16',
    below: LOW,
    above: HIGH,
  },
  tensors: [Int32Array.of(2, 3, 4), new Float32Array(2 * LAYER)],
};
const HIDDEN: DataMessage<'hidden'> = {
  header: {
    type: 'hidden',
    from: 'lowlowlow',
    to: 'highhigh',
    of: { term: 1, round: 3, pipeline: 0, epoch: 5 },
    stage: 1,
    microBatch: 0,
    direction: 'up',
    codec: 'f32',
    scale: 1,
  },
  tensors: [new Float32Array(5 * 128).fill(-0.5)],
};
const HALVES: DataMessage<'hidden'> = {
  header: { ...HIDDEN.header, direction: 'down', codec: 'f16', scale: 1024 },
  tensors: [new Uint16Array(128).fill(0xfbff)],
};
const REWIRE: DataMessage<'rewire'> = {
  header: { type: 'rewire', tag: TAG, side: 'above', neighbour: HIGH },
  tensors: [],
};
const PASSED: DataMessage<'passed'> = {
  header: {
    type: 'passed',
    tag: TAG,
    passes: [{ microBatch: 1, direction: 'down', sinceSeconds: 0.25, seconds: 0.5, cameSeconds: 0.125 }],
  },
  tensors: [],
};
const MERGED: DataMessage<'merged'> = { header: { type: 'merged', term: 1, round: 3 }, tensors: [] };
const SENT = { to: 'abcdefgh', bytes: 1008, relayedBytes: 0 };
const DONE: DataMessage<'done'> = {
  header: { type: 'done', tag: TAG, lossSum: null, computeSeconds: 0.5, sent: [SENT] },
  tensors: [],
};
const CUTS = { fromBelow: 'a'.repeat(64), toBelow: null, fromAbove: '09'.repeat(32), toAbove: 'f'.repeat(64) };
const CHECKED: DataMessage<'done'> = { header: { ...DONE.header, cuts: CUTS }, tensors: [] };
const CHECKED_ORDER: Order = {
  header: { ...MIDDLE.header, checked: true, below: { ...LOW, relayed: true } },
  tensors: MIDDLE.tensors,
};
const AGAIN: DataMessage<'stage-audit'> = (() => {
  const { tag: _, below: __, above: ___, share: ____, type: _____, ...work } = MIDDLE.header;
  return {
    header: { type: 'stage-audit', tag: { term: 1, audit: 5 }, round: 3, ...work },
    tensors: MIDDLE.tensors,
  };
})();
const SHOW: DataMessage<'show'> = { header: { type: 'show', tag: TAG, side: 'below', direction: 'up' }, tensors: [] };
const SHOWN: DataMessage<'shown'> = {
  header: {
    ...{ type: 'shown', tag: { term: 1, audit: 5 }, side: 'above', direction: 'down' },
    ...{ microBatch: 1, codec: 'f16', scale: 2 },
  },
  tensors: [new Uint16Array(256).fill(1)],
};
const STAGE_SAMPLES: readonly DataMessage[] = [
  ...[MIDDLE, FIRST, LAST, EVALUATE, HIDDEN, HALVES, REWIRE, PASSED, MERGED, DONE],
  ...[CHECKED, CHECKED_ORDER, AGAIN, SHOW, SHOWN],
];

const through = (message: DataMessage): DataMessage => readMessage(decodeFrame(encodeMessage(message)), SIZES);
const read = (header: object, tensors: readonly FrameTensor[]): DataMessage =>
  readMessage(decodeFrame(encodeFrame(header, tensors)), SIZES);

describe('messages of a split room', () => {
  it.each(STAGE_SAMPLES.map((message) => [message.header.type, message] as const))(
    '%s arrives as it was sent',
    (_, m) => {
      expect(through(m)).toEqual(m);
    },
  );

  it('of what is computed again are held to the same as what was computed first', () => {
    expect(() => read({ ...AGAIN.header, parameters: false }, AGAIN.tensors.slice(0, 2))).toThrow(
      'A stage is to be computed again without its parameters.',
    );
    expect(() => read({ ...AGAIN.header, layers: [1] }, AGAIN.tensors)).toThrow('other blocks');
    expect(() => read({ ...AGAIN.header, below: LOW }, AGAIN.tensors)).toThrow();
    expect(() => read(AGAIN.header, AGAIN.tensors.slice(0, 2))).toThrow();
    expect(() => read(SHOWN.header, [new Float32Array(256)])).toThrow('Hidden states are missing.');
    expect(() => read(SHOWN.header, [new Uint16Array(130)])).toThrow('Hidden states are no rows.');
    expect(() => read({ ...SHOWN.header, scale: 3 }, SHOWN.tensors)).toThrow('no power of two');
    expect(() => read(SHOW.header, SHOWN.tensors)).toThrow();
    expect(() => read({ ...DONE.header, cuts: { ...CUTS, toAbove: 'F'.repeat(64) } }, [])).toThrow();
  });

  it('have two bytes for a value of u16, and begin the next tensor at a whole word', () => {
    const one = encodeFrame({}, [Uint16Array.of(1, 2, 3), Int32Array.of(7)]);
    const two = encodeFrame({}, [Uint16Array.of(1, 2, 3, 4), Int32Array.of(7)]);
    expect(one.length).toBe(two.length);
    expect([...one.slice(-12)]).toEqual([1, 0, 2, 0, 3, 0, 0, 0, 7, 0, 0, 0]);
    expect(decodeFrame(one).tensors).toEqual([Uint16Array.of(1, 2, 3), Int32Array.of(7)]);
    expect(() => decodeFrame(one.slice(0, -4))).toThrow('shorter than its tensors');
  });

  it('name the trained blocks of a run, the head first', () => {
    const blocks = (from: number, to: number) => trainedBlocks({ from, to }, SIZES);
    expect([blocks(0, 2), blocks(0, 3), blocks(2, 6), blocks(3, 5), blocks(5, 8), blocks(7, 8)]).toEqual([
      [],
      [1],
      [1, 4],
      [],
      ['head', 4],
      ['head'],
    ]);
  });
});

describe('a stage’s order is refused', () => {
  const { header, tensors } = MIDDLE;
  const [lengths, positions, parameters] = tensors;
  const stage = (change: object) => ({ ...header, stage: { ...header.stage, ...change } });
  it.each<[string, object, readonly FrameTensor[], string]>([
    ['beyond the model', stage({ to: 9 }), tensors, "unit 8; the model's are 0 to 7"],
    ['of no unit', stage({ from: 6 }), tensors, 'one unit at least'],
    [
      'with another number of micro-batches',
      { ...header, sizes: [3] },
      tensors,
      '1 micro-batches where its pipeline has 2',
    ],
    ['with an empty micro-batch', { ...header, sizes: [3, 0] }, tensors, 'sizes'],
    ['with too wide a window', stage({ window: 3 }), tensors, 'window'],
    ['with nobody below', { ...header, below: null }, tensors, 'below it'],
    ['with somebody below the embeddings', { ...FIRST.header, below: LOW }, FIRST.tensors, 'below it'],
    ['with nobody above', { ...header, above: null }, tensors, 'above it'],
    ['with somebody above the head', { ...LAST.header, above: HIGH }, LAST.tensors, 'above it'],
    ['with a layer of another run', { ...header, layers: [1, 5] }, tensors, 'other blocks'],
    ['with a layer too few', { ...header, layers: [4] }, tensors, 'other blocks'],
    ['with a head that it does not have', { ...header, head: true }, tensors, 'other blocks'],
    ['with another lowest layer', { ...header, lowest: 0 }, tensors, 'lowest'],
    ['with an unknown codec', { ...header, codec: 'f8' }, tensors, 'codec'],
    ['with a neighbour without an epoch', { ...header, above: { device: 'highhigh' } }, tensors, 'above.epoch'],
    ['with a field that it does not have', { ...header, more: 1 }, tensors, 'more'],
    ['without a length', header, [lengths.slice(1), positions, parameters], '2 values where 3 belong'],
    ['with a text of no tokens', header, [Int32Array.of(2, 0, 4), positions, parameters], 'out of range'],
    ['with a text that is too long', header, [Int32Array.of(2, 5, 4), positions, parameters], 'out of range'],
    ['with a position below 0', header, [lengths, Int32Array.of(1, -1, 2), parameters], 'out of range'],
    [
      'with parameters too few',
      header,
      [lengths, positions, new Float32Array(LAYER)],
      `${LAYER} values where ${2 * LAYER}`,
    ],
    [
      'with a parameter that is no number',
      header,
      [lengths, positions, new Float32Array(2 * LAYER).fill(NaN)],
      'finite',
    ],
    ['with parameters that were not announced', { ...header, parameters: false }, tensors, '3 tensors where 2'],
    ['without its parameters', header, [lengths, positions], 'missing'],
    ['with ids in the middle', header, [lengths, positions, new Int32Array(12), parameters], 'missing'],
    [
      'with an id beyond the vocabulary',
      FIRST.header,
      [lengths, positions, new Int32Array(12).fill(8192)],
      'out of range',
    ],
    [
      'with a label too few',
      LAST.header,
      [lengths, positions, Float32Array.of(1, 0), LAST.tensors[3]],
      '2 values where 3',
    ],
  ])('%s', (_, spoilt, with_, sentence) => {
    expect(() => read(spoilt, with_)).toThrow(sentence);
  });

  it('whose samples are more than any round has', () => {
    const sizes = Array(3).fill(4096);
    const many = { ...stage({ microBatches: 3 }), sizes };
    expect(() => read(many, tensors)).toThrow('more samples than a round has');
  });

  it('as a chunk of an evaluation that has labels or positions with it', () => {
    expect(() => read(EVALUATE.header, [lengths, positions, parameters])).toThrow('missing');
    expect(() => read(EVALUATE.header, [...EVALUATE.tensors, positions])).toThrow('3 tensors where 2');
  });
});

describe('hidden states are refused', () => {
  const { header, tensors } = HIDDEN;
  const half = HALVES.header;
  it.each<[string, object, readonly FrameTensor[], string]>([
    ['with a part of a row', header, [new Float32Array(129)], 'no rows'],
    ['with no row', header, [new Float32Array(0)], 'no rows'],
    ['with two tensors', header, [tensors[0], tensors[0]], '2 tensors where 1'],
    ['with another type than their codec’s', header, [new Uint16Array(128)], 'missing'],
    ['with halves as words', half, [new Int32Array(128)], 'missing'],
    ['that are infinite', header, [new Float32Array(128).fill(Infinity)], 'finite'],
    ['with halves that are infinite', half, [new Uint16Array(128).fill(0x7c00)], 'finite'],
    ['with halves that are no numbers', half, [new Uint16Array(128).fill(0xfe01)], 'finite'],
    ['with a scale in f32', { ...header, scale: 2 }, tensors, 'power of two'],
    ['with a scale that rounds', { ...half, scale: 3 }, HALVES.tensors, 'power of two'],
    ['with a scale of nothing', { ...half, scale: 0 }, HALVES.tensors, 'scale'],
    ['from a device to itself', { ...header, to: 'lowlowlow' }, tensors, 'to itself'],
    ['coming down in an evaluation', { ...header, direction: 'down', of: EVALUATE.header.tag }, tensors, 'evaluation'],
    ['of a pipeline that no room has', { ...header, of: { ...header.of, pipeline: 64 } }, tensors, 'of'],
    ['of no order', { ...header, of: { term: 1, round: 3 } }, tensors, 'of'],
    ['to no device', { ...header, to: 'x y' }, tensors, 'to'],
  ])('%s', (_, spoilt, with_, sentence) => {
    expect(() => read(spoilt, with_)).toThrow(sentence);
  });

  it('but scaled by any power of two they are taken, in an evaluation too', () => {
    for (const scale of [2 ** -20, 0.5, 1, 2 ** 30])
      expect(read({ ...half, scale }, HALVES.tensors).header).toEqual({ ...half, scale });
    const of = EVALUATE.header.tag;
    expect(read({ ...header, of }, tensors).header).toEqual({ ...header, of });
  });
});

describe('what is told without tensors is refused', () => {
  it.each<[string, object, string]>([
    ['a rewiring to no side', { ...REWIRE.header, side: 'left' }, 'side'],
    ['a rewiring to nobody', { ...REWIRE.header, neighbour: null }, 'neighbour'],
    ['passes of which there are none', { ...PASSED.header, passes: [] }, 'passes'],
    [
      'more passes than one message has',
      { ...PASSED.header, passes: Array(257).fill(PASSED.header.passes[0]) },
      'passes',
    ],
    [
      'a pass that took less than no time',
      { ...PASSED.header, passes: [{ ...PASSED.header.passes[0], seconds: -1 }] },
      'seconds',
    ],
    ['more receivers than one report has', { ...DONE.header, sent: Array(9).fill(SENT) }, 'sent'],
    ['less than nothing that was sent', { ...DONE.header, sent: [{ ...SENT, relayedBytes: -1 }] }, 'relayedBytes'],
    ['half a byte', { ...DONE.header, sent: [{ ...SENT, bytes: 0.5 }] }, 'bytes'],
    ['what was sent to no device', { ...DONE.header, sent: [{ ...SENT, to: 'x y' }] }, 'to'],
    ['a round of no term that is over', { ...MERGED.header, term: 0 }, 'term'],
  ])('%s', (_, header, sentence) => {
    expect(() => read(header, [])).toThrow(sentence);
    expect(() => read(REWIRE.header, [new Float32Array(1)])).toThrow('1 tensors where 0');
  });
});
