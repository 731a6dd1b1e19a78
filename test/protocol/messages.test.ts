import { describe, expect, it } from 'vitest';
import { type DataMessage, encodeMessage, readMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import { decodeFrame } from '../../signaling/protocol/exchange/frames.ts';
import { MAX_CONTROL_CHARACTERS, MAX_DEVICES_IN_ROOM } from '../../signaling/protocol/limits.ts';
import {
  ClientMessageSchema,
  entryVersion,
  parseClientMessage,
  parseServerMessage,
  ServerMessageSchema,
} from '../../signaling/protocol/messages.ts';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { tensorSizes } from '../../web/session/links/tensor-sizes.ts';
import { CLIENT_MESSAGES, device, SERVER_MESSAGES } from './message-samples.ts';
import { SETTINGS } from './samples.ts';

/** Fields that may be nothing. */
const NULLABLE = new Set(['plan', 'planNote', 'peerId', 'devSet', 'classWeights', 'bestBy', 'since']);

/** Every way to replace one leaf of a value by something that cannot stand there. */
function* mutations(value: unknown, field = ''): Generator<unknown> {
  if (typeof value !== 'object' || value === null) {
    if (!NULLABLE.has(field)) yield null;
    yield typeof value === 'number' ? 'text' : 77;
    return;
  }
  for (const key of Object.keys(value)) {
    const copy = (): Record<string, unknown> => structuredClone(value) as Record<string, unknown>;
    for (const changed of mutations((value as Record<string, unknown>)[key], key))
      yield Array.isArray(value) ? Object.assign([...value], { [key]: changed }) : { ...copy(), [key]: changed };
  }
  if (!Array.isArray(value)) yield { ...value, unexpected: 1 };
}

describe('control messages', () => {
  it.each(CLIENT_MESSAGES.map((m) => [m.type, m] as const))('%s comes back as it was sent', (_, message) => {
    expect(parseClientMessage(JSON.stringify(message))).toEqual({ ok: true, value: message });
  });

  it.each(CLIENT_MESSAGES.map((m) => [m.type, m] as const))('%s is refused with any one field spoilt', (_, message) => {
    const spoilt = [...mutations(message)];
    expect(spoilt.length).toBeGreaterThan(2);
    const passed = spoilt.filter((m) => parseClientMessage(JSON.stringify(m)).ok);
    expect(passed).toEqual([]);
  });

  it.each(SERVER_MESSAGES.map((m) => [m.type, m] as const))('the server’s %s likewise', (type, message) => {
    expect(parseServerMessage(JSON.stringify(message))).toEqual({ ok: true, value: message });
    const passed = [...mutations(message)].filter((m) => parseServerMessage(JSON.stringify(m)).ok);
    // A later server may say more when it greets.
    expect(passed).toEqual(type === 'hello' ? [{ ...message, unexpected: 1 }] : []);
  });

  it('that are refused are told of in one short line, whatever they say', () => {
    for (const said of ['a'.repeat(50_000), '\u0001\u001b[31m\u202e'.repeat(1000)]) {
      const refusals = [said, { type: said }, { type: 'hidden', hidden: said }, { type: 'hidden', [said]: 1 }].map(
        (m) => parseClientMessage(JSON.stringify(m)),
      );
      for (const refusal of refusals) {
        if (refusal.ok) expect.unreachable('It was taken.');
        expect(refusal.sentence).toMatch(/^[^\p{C}]{20,400}$/u);
        // The server says it again.
        const error = { type: 'error', sentence: refusal.sentence, refused: false };
        expect(parseServerMessage(JSON.stringify(error)).ok).toBe(true);
      }
    }
  });

  it.each([
    [{ type: 'join', version: 7, room: 3 }, 7],
    [{ type: 'create' }, null],
    [{ type: 'create', version: 'new' }, null],
    [{ type: 'status', version: 7 }, undefined],
    [[], undefined],
  ])('that enter a session are told apart by what they state: %j', (message, version) => {
    expect(entryVersion(JSON.stringify(message))).toBe(version);
  });

  it('of every type have a sample here', () => {
    const types = (options: readonly { readonly entries: { readonly type: { readonly literal: string } } }[]) =>
      options.map(({ entries }) => entries.type.literal);
    expect(new Set(CLIENT_MESSAGES.map((m) => m.type))).toEqual(new Set(types(ClientMessageSchema.options)));
    expect(new Set(SERVER_MESSAGES.map((m) => m.type))).toEqual(new Set(types(ServerMessageSchema.options)));
  });

  it('says in one sentence which field was wrong', () => {
    const wrong = { type: 'join', version: PROTOCOL_VERSION, device, room: 'o0l1', watch: false };
    const parsed = parseClientMessage(JSON.stringify(wrong));
    expect(parsed).toEqual({
      ok: false,
      sentence: 'The message is not valid at "room": a room code of six letters and digits.',
    });
    expect(parseClientMessage('{')).toMatchObject({ sentence: 'The message is not JSON.' });
    expect(parseServerMessage(`"${'x'.repeat(MAX_CONTROL_CHARACTERS)}"`)).toMatchObject({ ok: false });
  });
});

describe('data messages', () => {
  const sizes = tensorSizes(SETTINGS);
  // Two targets of (128,128) at rank 8: 2 * 8 * 256 values a layer.
  const LAYER = 4096;
  const HEAD = 128 * 128 + 128 + 2 * 128 + 2;
  const TAG = { term: 1, round: 1, order: 1, epoch: 1 };
  const order = {
    header: {
      type: 'order',
      tag: TAG,
      version: 0,
      parameters: true,
      samples: { start: 0, count: 2 },
      tokens: 3,
      layers: [4, 5],
      head: true,
      microBatch: 2,
      share: 0.5,
      dropout: { probability: 0, seed: 1 },
    },
    tensors: [
      Int32Array.of(0, 5, 2, 0, 7, 1),
      Int32Array.of(3, 2),
      Float32Array.of(0, 1),
      Int32Array.of(0, 1),
      new Float32Array(6 * LAYER + HEAD),
    ],
  } satisfies DataMessage;
  const gradient = {
    header: { type: 'gradient', tag: TAG, block: 5 },
    tensors: [new Float32Array(LAYER).fill(0.5)],
  } satisfies DataMessage;
  const read = (message: DataMessage): DataMessage => readMessage(decodeFrame(encodeMessage(message)), sizes);

  it('come back as they were sent', () => {
    expect(read(order)).toEqual(order);
    expect(read(gradient)).toEqual(gradient);
    for (const tag of [TAG, { term: 1, evaluation: 2, chunk: 0 }]) {
      const failed = { header: { type: 'failed', tag, sentence: 'No.' }, tensors: [] } satisfies DataMessage;
      expect(read(failed)).toEqual(failed);
    }
    expect(sizes.blockLength('head')).toBe(HEAD);
  });

  it('may hold the largest of everything', () => {
    const largest = order.tensors.with(0, Int32Array.of(8191, 0, 8191, 1, 2, 3)).with(3, Int32Array.of(0, 4096));
    expect(read({ ...order, tensors: largest })).toMatchObject({ tensors: largest });
  });

  it('of an evaluation bring ids and lengths, and parameters where they say so', () => {
    const header = {
      type: 'evaluate',
      tag: { term: 1, evaluation: 1, chunk: 0 },
      samples: 2,
      tokens: 3,
      version: 0,
    } as const;
    const rows = order.tensors.slice(0, 2);
    const parameters = order.tensors[4]!;
    const evaluate = (carries: boolean, tensors: typeof rows) => (): DataMessage =>
      read({ header: { ...header, parameters: carries }, tensors });
    expect(evaluate(false, rows)()).toMatchObject({ tensors: rows });
    expect(evaluate(true, [...rows, parameters])()).toMatchObject({ tensors: [...rows, parameters] });
    expect(evaluate(true, rows)).toThrow('2 tensors where 3 belong');
    expect(evaluate(false, [...rows, parameters])).toThrow('3 tensors where 2 belong');
    expect(evaluate(true, [...rows, new Float32Array(3)])).toThrow('values where');
  });

  it.each<[string, DataMessage, string]>([
    [
      'a position beyond any round',
      { ...order, tensors: order.tensors.with(3, Int32Array.of(0, 4097)) },
      'out of range',
    ],
    [
      'labels that are not finite',
      { ...order, tensors: order.tensors.with(2, Float32Array.of(0, Number.NaN)) },
      'not a finite number',
    ],
    ['too few labels', { ...order, tensors: order.tensors.with(2, Float32Array.of(0)) }, 'values where 2 belong'],
    ['too few ids', { ...order, tensors: order.tensors.with(0, Int32Array.of(0, 1)) }, 'values where 6 belong'],
    [
      'a token id outside the vocabulary',
      { ...order, tensors: order.tensors.with(0, Int32Array.of(0, 8192, 2, 0, 7, 1)) },
      'out of range',
    ],
    [
      'a token id below nothing',
      { ...order, tensors: order.tensors.with(0, Int32Array.of(0, -1, 2, 0, 7, 1)) },
      'out of range',
    ],
    [
      'two probes in one',
      { header: { type: 'probe', probe: 1 }, tensors: [new Float32Array(1), new Float32Array(1)] },
      'too many',
    ],
    ['a length above the row', { ...order, tensors: order.tensors.with(1, Int32Array.of(3, 4)) }, 'out of range'],
    [
      'no samples',
      {
        header: { ...order.header, samples: { start: 0, count: 0 } },
        tensors: [new Int32Array(0), new Int32Array(0), new Float32Array(0), new Int32Array(0), order.tensors[4]],
      },
      'no samples',
    ],
    [
      'an order that the plan cannot have',
      { ...gradient, header: { ...gradient.header, tag: { ...TAG, order: MAX_DEVICES_IN_ROOM + 1 } } },
      'tag.order',
    ],
    ['no epoch', { ...gradient, header: { ...gradient.header, tag: { ...TAG, epoch: 0 } } }, 'tag.epoch'],
    ['no term', { ...gradient, header: { ...gradient.header, tag: { ...TAG, term: 0 } } }, 'tag.term'],
    ['missing parameters', { ...order, tensors: order.tensors.slice(0, 4) }, '4 tensors where 5 belong'],
    ['too few parameters', { ...order, tensors: order.tensors.with(4, new Float32Array(9)) }, 'values where'],
    [
      'parameters that are not finite',
      { ...order, tensors: order.tensors.with(4, new Float32Array(order.tensors[4]!.length).fill(Number.NaN)) },
      'not a finite number',
    ],
    ['a gradient of the wrong size', { ...gradient, tensors: [new Float32Array(LAYER - 1)] }, 'values where'],
    [
      'a layer that the model does not have',
      { ...gradient, header: { ...gradient.header, block: 6 } },
      'does not have',
    ],
    ['integers where floats belong', { ...gradient, tensors: [new Int32Array(LAYER)] }, 'missing'],
  ])('with %s are refused', (_, message, sentence) => {
    expect(() => read(message)).toThrow(sentence);
  });
});
