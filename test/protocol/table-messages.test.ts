import { describe, expect, it } from 'vitest';
import { type DataMessage, encodeMessage, readMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import { decodeFrame } from '../../signaling/protocol/exchange/frames.ts';
import {
  type GivenTable,
  MAX_GIVEN_TABLE_BYTES,
  TABLE_PIECE_BYTES,
} from '../../signaling/protocol/exchange/table-messages.ts';
import { tensorSizes } from '../../web/session/links/tensor-sizes.ts';
import { SETTINGS } from './samples.ts';

const sizes = tensorSizes({ ...SETTINGS, task: { ...SETTINGS.task, id: 'own' } });
const read = (message: { readonly header: object; readonly tensors: DataMessage['tensors'] }) =>
  readMessage(decodeFrame(encodeMessage(message as DataMessage)), sizes);

const sha256 = 'a3'.repeat(32);
const table: GivenTable = {
  ...{ title: 'Reviews', kind: 'multi-label', columns: { text: 'text', pair: null, label: 'anger,joy' } },
  train: { name: 'train.csv', bytes: MAX_GIVEN_TABLE_BYTES - 5, sha256 },
  dev: { name: 'dev.csv', bytes: 5, sha256 },
};
const heritage = (change: object = {}) => ({
  header: {
    ...{ type: 'heritage', term: 2, task: { id: 'own', endpoint: '' }, table: { ...table, ...change }, given: [] },
    ...{ dataFingerprint: 1, patience: 0, audits: 0, begun: false, door: 'ask', cap: 8, removed: [], admitted: [] },
    best: null,
  },
  tensors: [new Float32Array(), new Float32Array()],
});
const piece: DataMessage<'table-piece'> = {
  header: { type: 'table-piece', file: 'dev', offset: 3 },
  // Of no multiple of four bytes.
  tensors: [Uint8Array.of(0, 255, 7)],
};

describe('a table that is given', () => {
  it.each<{ readonly header: { readonly type: string }; readonly tensors: DataMessage['tensors'] }>([
    heritage(),
    heritage({ dev: null }),
    piece,
    { header: { ...piece.header, type: 'table-wanted' }, tensors: [] },
    { header: { type: 'table-held' }, tensors: [] },
  ])('is read as it was written: $header.type', (message) => {
    expect(read(message)).toEqual(message);
  });

  it('comes in pieces that fit into the longest message to a device', () => {
    const longest = { ...piece, tensors: [new Uint8Array(TABLE_PIECE_BYTES)] };
    expect(encodeMessage(longest).length).toBeLessThanOrEqual(sizes.toDeviceBytes);
    expect(read(longest)).toEqual(longest);
  });

  it.each<[string, { header: object; tensors: DataMessage['tensors'] }, string]>([
    ['an empty piece', { ...piece, tensors: [new Uint8Array()] }, 'has 0 bytes'],
    ['a long piece', { ...piece, tensors: [new Uint8Array(TABLE_PIECE_BYTES + 1)] }, 'there are 262144 at most'],
    ['a piece of numbers', { ...piece, tensors: [new Float32Array(1)] }, 'is missing'],
    ['a piece without bytes', { ...piece, tensors: [] }, '0 tensors where 1 belong'],
    ['a piece of another file', { ...piece, header: { ...piece.header, file: 'test' } }, 'not valid'],
    ['a piece before its beginning', { ...piece, header: { ...piece.header, offset: -1 } }, 'not valid'],
    ['bytes with a question', { header: { ...piece.header, type: 'table-wanted' }, tensors: piece.tensors }, 'belong'],
    ['two files that are too large together', heritage({ dev: { ...table.train, bytes: 6 } }), 'not valid'],
    ['a file without bytes', heritage({ dev: { ...table.train, bytes: 0 } }), 'not valid'],
    ['no hash', heritage({ dev: { ...table.train, bytes: 5, sha256: 'a3' } }), 'not valid'],
    ['a column without end', heritage({ columns: { ...table.columns, text: 't'.repeat(8001) } }), 'not valid'],
    ['another kind of labels', heritage({ kind: 'ranking' }), 'not valid'],
  ])('is refused with %s', (_, message, sentence) => {
    expect(() => read(message)).toThrow(sentence);
  });
});
