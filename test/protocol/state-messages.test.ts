import { describe, expect, it } from 'vitest';
import { type DataMessage, encodeMessage, readMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import { decodeFrame } from '../../signaling/protocol/exchange/frames.ts';
import { tensorSizes } from '../../web/session/links/tensor-sizes.ts';
import { SETTINGS } from './samples.ts';

const sizes = tensorSizes(SETTINGS);
const whole = new Float32Array(sizes.parameterCount).fill(0.5);
const state: DataMessage<'state'> = {
  header: { type: 'state', term: 2, version: 7, steps: 6, digest: 0xffffffff, vector: 'first-moment' },
  tensors: [whole],
};
const update: DataMessage<'update'> = {
  header: { type: 'update', term: 2, version: 8, learningRate: 1e-3, digest: 0 },
  tensors: [whole],
};
const skipped: DataMessage<'update'> = { ...update, tensors: [new Float32Array()] };
const holds: DataMessage<'holds'> = { header: { type: 'holds', state: { version: 0, digest: 9 } }, tensors: [] };
const none: DataMessage<'holds'> = { header: { type: 'holds', state: null }, tensors: [] };

const read = (message: { readonly header: object; readonly tensors: DataMessage['tensors'] }) =>
  readMessage(decodeFrame(encodeMessage(message as DataMessage)), sizes);

describe('what a device holds of the session', () => {
  it.each([state, update, skipped, holds, none])('is read as it was written: $header.type', (message) => {
    expect(read(message)).toEqual(message);
  });

  it('fits into the longest message that a device may be sent', () => {
    expect(encodeMessage(state).length).toBeLessThanOrEqual(sizes.toDeviceBytes);
  });

  const infinite = whole.slice().fill(Number.POSITIVE_INFINITY, 3, 4);
  it.each<[string, { header: object; tensors: DataMessage['tensors'] }, string]>([
    ['a vector that is too short', { ...state, tensors: [whole.subarray(1)] }, 'values where'],
    ['no vector', { ...state, tensors: [] }, '0 tensors where 1 belong'],
    ['two vectors', { ...state, tensors: [whole, whole] }, '2 tensors where 1 belong'],
    ['a value without end', { ...state, tensors: [infinite] }, 'not a finite number'],
    ['a step with a value without end', { ...update, tensors: [infinite] }, 'not a finite number'],
    ['a step of another length', { ...update, tensors: [whole.subarray(1)] }, 'values where'],
    ['a step of whole numbers', { ...update, tensors: [new Int32Array(whole.length)] }, 'is missing'],
    ['another vector', { ...state, header: { ...state.header, vector: 'third-moment' } }, 'not valid'],
    ['a digest of 33 bits', { ...state, header: { ...state.header, digest: 2 ** 32 } }, 'not valid'],
    ['a step to before all rounds', { ...update, header: { ...update.header, version: 0 } }, 'not valid'],
    ['a rate below zero', { ...update, header: { ...update.header, learningRate: -1 } }, 'not valid'],
    ['a tensor with what is held', { ...holds, tensors: [whole] }, '1 tensors where 0 belong'],
  ])('is refused with %s', (_, message, sentence) => {
    expect(() => read(message)).toThrow(sentence);
  });
});

describe('what a host leaves to a device', () => {
  const heritage: DataMessage<'heritage'> = {
    header: {
      ...{ type: 'heritage', term: 2, dataFingerprint: 2 ** 40, patience: 3, door: 'link', cap: 8 },
      ...{ task: { id: 'sst2', endpoint: 'https://hub.example' }, removed: ['aaaaaaaa'], admitted: ['bbbbbbbb'] },
      ...{ best: { round: 20, value: 0.9 }, audits: 0.08, begun: true, table: null, given: [] },
    },
    tensors: [whole, whole.slice()],
  };
  const nothing = new Float32Array();
  const none: DataMessage<'heritage'> = {
    header: { ...heritage.header, best: null, begun: false },
    tensors: [nothing, nothing],
  };

  it('is read as it was written, with the best adapter and without', () => {
    expect(read(heritage)).toEqual(heritage);
    expect(read(none)).toEqual(none);
    // Of a room of friends nobody is audited under the next host either.
    const unaudited: DataMessage<'heritage'> = { ...none, header: { ...none.header, audits: 0 } };
    expect(read(unaudited)).toEqual(unaudited);
  });

  it.each<[string, { header: object; tensors: DataMessage['tensors'] }, string]>([
    ['no values for the best adapter', { ...heritage, tensors: [nothing, whole] }, 'values where'],
    ['no values for what it began from', { ...heritage, tensors: [whole, nothing] }, 'values where'],
    ['values for none', { ...none, tensors: [whole, nothing] }, 'values where 0 belong'],
    ['values for a seed', { ...none, tensors: [nothing, whole] }, 'values where 0 belong'],
    ['more audits than there are', { ...heritage, header: { ...heritage.header, audits: 0.6 } }, 'not valid'],
    ['more devices than are remembered', big('removed'), 'not valid'],
    ['more audits than there may be', { ...heritage, header: { ...heritage.header, audits: 0.6 } }, 'not valid'],
    ['another door', { ...heritage, header: { ...heritage.header, door: 'ajar' } }, 'not valid'],
    [
      'a long address',
      { ...heritage, header: { ...heritage.header, task: { id: 'x', endpoint: 'h'.repeat(2001) } } },
      'not valid',
    ],
  ])('is refused with %s', (_, message, sentence) => {
    expect(() => read(message)).toThrow(sentence);
  });

  function big(field: 'removed' | 'admitted') {
    return { ...heritage, header: { ...heritage.header, [field]: Array<string>(129).fill('aaaaaaaa') } };
  }
});
