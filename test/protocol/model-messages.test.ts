import { describe, expect, it } from 'vitest';
import { type DataMessage, encodeMessage, readMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import { decodeFrame } from '../../signaling/protocol/exchange/frames.ts';
import {
  MAX_SHARED_BYTES,
  MODEL_CHUNK_BYTES,
  MODEL_PIECE_BYTES,
} from '../../signaling/protocol/exchange/model-messages.ts';
import { tensorSizes } from '../../web/session/links/tensor-sizes.ts';
import { SETTINGS } from './samples.ts';

const sizes = tensorSizes(SETTINGS);
interface Message {
  readonly header: { readonly type: string; readonly [field: string]: unknown };
  readonly tensors: DataMessage['tensors'];
}
const read = (message: Message) => readMessage(decodeFrame(encodeMessage(message as DataMessage)), sizes);

const place = { file: 'model-00001-of-00002.safetensors', chunk: 511 };
const piece: Message = {
  header: { type: 'model-piece', ...place, offset: MODEL_CHUNK_BYTES - 3 },
  tensors: [Uint8Array.of(0, 255, 7)],
};
const hashes = (change: object, count = 2): Message => ({
  header: { type: 'model-hashes', file: 'model.safetensors', bytes: 3 * MODEL_CHUNK_BYTES, first: 1, ...change },
  tensors: [new Uint8Array(32 * count)],
});
const short = (header: Message['header']): Message => ({ header, tensors: [] });
const held = (change: object) => short({ type: 'model-held', file: 'config.json', held: '0f', ...change });
const wanted = (change: object) => short({ type: 'model-wanted', ...place, ...change });
const fetched = (change: object) =>
  short({ type: 'model-fetched', ...place, bytes: MAX_SHARED_BYTES, sha256: 'a3'.repeat(32), ...change });

describe('the model’s files between devices', () => {
  it.each<Message>([
    piece,
    hashes({}),
    held({}),
    held({ held: 'f'.repeat(128), file: 'model.safetensors.index.json' }),
    wanted({}),
    wanted({ type: 'model-lacking', file: 'tokenizer.json' }),
    wanted({ type: 'model-fetching' }),
    fetched({}),
  ])('are read as they were written: $header.type', (message) => {
    expect(read(message)).toEqual(message);
  });

  it.each<[string, Message, string]>([
    ['a path', wanted({ file: '../model.safetensors' }), 'not valid'],
    ['a file of another kind', wanted({ file: 'notes.txt' }), 'not valid'],
    ['a hidden file', wanted({ file: '.safetensors' }), 'not valid'],
    ['a chunk beyond two gigabytes', wanted({ chunk: 512 }), 'not valid'],
    ['a half chunk', wanted({ chunk: 0.5 }), 'not valid'],
    ['a file beyond two gigabytes', hashes({ bytes: MAX_SHARED_BYTES + 1 }), 'not valid'],
    ['a hash beyond the file', hashes({}, 3), 'do not fit'],
    ['a first chunk beyond the file', hashes({ first: 3 }), 'not valid'],
    ['no hashes', hashes({}, 0), 'do not fit'],
    ['half a hash', { ...hashes({}), tensors: [new Uint8Array(48)] }, 'do not fit'],
    ['hashes as numbers', { ...hashes({}), tensors: [new Float32Array(16)] }, 'are missing'],
    ['bits that are no digits', held({ held: '0g' }), 'not valid'],
    ['more bits than chunks', held({ held: 'f'.repeat(129) }), 'not valid'],
    ['an empty piece', { ...piece, tensors: [new Uint8Array()] }, 'has 0 bytes'],
    ['a long piece', { ...piece, tensors: [new Uint8Array(MODEL_PIECE_BYTES + 1)] }, 'there are 131072 at most'],
    ['a piece of numbers', { ...piece, tensors: [new Float32Array(1)] }, 'is missing'],
    ['a piece without bytes', { ...piece, tensors: [] }, '0 tensors where 1 belong'],
    ['a short hash', fetched({ sha256: 'a3' }), 'not valid'],
    ['bytes with a question', { ...wanted({}), tensors: piece.tensors }, 'belong'],
  ])('are refused as %s', (_, message, sentence) => {
    expect(() => read(message)).toThrow(sentence);
  });
});
