import { describe, expect, it } from 'vitest';
import { type DataMessage, encodeMessage, readMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import { decodeFrame } from '../../signaling/protocol/exchange/frames.ts';
import { tensorSizes } from '../../web/session/links/tensor-sizes.ts';
import { SETTINGS } from './samples.ts';

const sizes = tensorSizes(SETTINGS);
const tokens = 5;
const layers = [0, SETTINGS.shape.layers - 1];
const audit: DataMessage<'audit'> = {
  header: {
    ...{ type: 'audit', tag: { term: 2, audit: 7 }, round: 12, layers, head: true, samples: { start: 4, count: 2 } },
    ...{ microBatch: 2, recompute: false, tokens, dropout: { probability: 0.1, seed: 3 } },
  },
  tensors: [
    new Int32Array(2 * tokens).fill(4),
    Int32Array.of(5, 3),
    new Float32Array(2 * sizes.labelsPerSample),
    Int32Array.of(0, 9),
    new Float32Array(sizes.parameterCount).fill(0.5),
  ],
};
const blocks: ('head' | number)[] = ['head', layers[1]!];
const values = blocks.reduce<number>((sum, block) => sum + sizes.blockLength(block)!, 0);
const audited: DataMessage<'audited'> = {
  header: { type: 'audited', tag: { term: 2, audit: 7 }, blocks, lossSum: 1.5, computeSeconds: 0.2 },
  tensors: [new Float32Array(values).fill(0.25)],
};
const failed: DataMessage<'failed'> = {
  header: { type: 'failed', tag: { term: 2, audit: 7 }, sentence: 'No memory is left.' },
  tensors: [],
};

const read = (message: { readonly header: object; readonly tensors: DataMessage['tensors'] }) =>
  readMessage(decodeFrame(encodeMessage(message as DataMessage)), sizes);

describe('an audit', () => {
  it.each([audit, audited, failed])('is read as it was written: $header.type', (message) => {
    expect(read(message)).toEqual(message);
  });

  it('of everything fits into the longest messages of a session', () => {
    const all = Array.from({ length: SETTINGS.shape.layers }, (_, layer) => layer);
    const whole = { ...audited.header, blocks: ['head' as const, ...all] };
    const answer = { header: whole, tensors: [new Float32Array(sizes.parameterCount)] };
    expect(read(answer)).toEqual(answer);
    expect(encodeMessage(answer).length).toBeLessThanOrEqual(sizes.toHostBytes);
    expect(encodeMessage(audit).length).toBeLessThanOrEqual(sizes.toDeviceBytes);
  });

  const [ids, lengths, labels, positions, parameters] = audit.tensors;
  const endless = new Float32Array(sizes.parameterCount).fill(Number.POSITIVE_INFINITY, 3, 4);
  it.each<[string, { header: object; tensors: DataMessage['tensors'] }, string]>([
    ['no parameters', { ...audit, tensors: [ids!, lengths!, labels!, positions!] }, '4 tensors where 5 belong'],
    ['parameters without end', { ...audit, tensors: [ids!, lengths!, labels!, positions!, endless] }, 'not a finite'],
    [
      'a token that there is not',
      { ...audit, tensors: [new Int32Array(2 * tokens).fill(1e6), lengths!, labels!, positions!, parameters!] },
      'Token ids',
    ],
    ['no samples', { ...audit, header: { ...audit.header, samples: { start: 0, count: 0 } } }, 'for no samples'],
    ['no number', { ...audit, header: { ...audit.header, tag: { term: 2, audit: 0 } } }, 'not valid'],
    ['a field too many', { ...audit, header: { ...audit.header, version: 3 } }, 'not valid'],
    ['an answer that is too short', { ...audited, tensors: [new Float32Array(values - 1)] }, 'values where'],
    ['an answer of whole numbers', { ...audited, tensors: [new Int32Array(values)] }, 'is missing'],
    ['a block twice', { ...audited, header: { ...audited.header, blocks: ['head', 'head'] } }, 'not valid'],
    [
      'a block that the model has not',
      { ...audited, header: { ...audited.header, blocks: ['head', 63] } },
      'does not have',
    ],
    ['a loss in words', { ...audited, header: { ...audited.header, lossSum: 'much' } }, 'not valid'],
  ])('is refused with %s', (_, message, sentence) => {
    expect(() => read(message)).toThrow(sentence);
  });
});
