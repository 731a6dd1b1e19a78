import { describe, expect, test } from 'vitest';
import { PLAIN_TRAINING } from '../../signaling/protocol/settings.ts';
import type { GradientPart } from '../../worker/api/batch.ts';
import type { HostRequest, HostStart, OpenedSession } from '../../worker/api/host-api.ts';
import { type Checkpoint, decodeCheckpoint, difference, encodeCheckpoint } from '../../worker/host/checkpoint.ts';
import { Host } from '../../worker/host/host.ts';
import { parameterLayout } from '../../worker/model/layout.ts';
import { encodeSafetensors, headerBytes, parseHeader } from '../../worker/model/safetensors.ts';
import { openFileOrHttp } from '../../worker/node/file-source.ts';
import { MINI_REQUEST } from './node-host.ts';

/** Gradients that depend on where the parameters are, as real ones do: any difference between two runs grows. */
function partsAt(values: Float32Array, opened: OpenedSession, round: number): GradientPart[] {
  const layout = parameterLayout(opened.shape, opened.lora, opened.task.labelCount);
  const blocks = [
    ...layout.layers.map((block, layer) => ({ id: layer, block })).filter(({ block }) => block.length > 0),
    { id: 'head' as const, block: layout.head },
  ];
  return blocks.map(({ id, block: { offset, length } }) => ({
    block: id,
    samples: { start: 0, count: 8 },
    gradient: Float32Array.from({ length }, (_, i) => Math.sin(1e3 * values[offset + i]! + round + i)),
  }));
}

async function train(host: Host, opened: OpenedSession, from: number, to: number): Promise<void> {
  for (let round = from; round <= to; round++) {
    const { values } = await host.parameters();
    await host.step({ round, samples: 8, lossSum: 4, parts: partsAt(values, opened, round) });
  }
}

const opened = async (start?: HostStart, request: HostRequest = MINI_REQUEST) => {
  const host = new Host(openFileOrHttp);
  return { host, info: await host.open(start ? { ...request, start } : request) };
};

test('the last layers that were asked for are named in the checkpoint, and trained on when it is gone on with', async () => {
  const { lora } = MINI_REQUEST;
  const request: HostRequest = {
    ...MINI_REQUEST,
    lora: { ...lora, layers: { top: 2 }, rankPattern: { 5: 3 }, alphaPattern: { 4: 2 }, rslora: true },
  };
  const straight = await opened(undefined, request);
  expect(straight.info.lora).toEqual({ ...request.lora, layers: [4, 5] });
  await train(straight.host, straight.info, 1, 4);

  const first = await opened(undefined, request);
  await train(first.host, first.info, 1, 2);
  const bytes = await first.host.checkpoint('{}');
  const summary = await new Host(openFileOrHttp).readCheckpoint(bytes);
  expect(summary.request.lora).toEqual(straight.info.lora);
  const second = await opened({ kind: 'checkpoint', bytes }, summary.request);
  await train(second.host, second.info, 3, 4);
  expect(await second.host.parameters()).toEqual(await straight.host.parameters());

  const other = { ...summary.request, lora: { ...lora, layers: [3, 5] } };
  await expect(opened({ kind: 'checkpoint', bytes }, other)).rejects.toThrow('the two differ in the LoRA settings');
  await expect(opened(undefined, { ...request, lora: { ...lora, layers: { top: 7 } } })).rejects.toThrow(
    'Adapters are asked for on the last 7 layers; the model has 6.',
  );
});

test('a run that is broken off and gone on with is the uninterrupted run, to the bit', async () => {
  const straight = await opened();
  await train(straight.host, straight.info, 1, 6);

  const first = await opened();
  await train(first.host, first.info, 1, 3);
  await first.host.scoreDev(new Float32Array(1000));
  const bytes = await first.host.checkpoint('{"rounds":3}');
  const summary = await new Host(openFileOrHttp).readCheckpoint(bytes);
  expect(summary).toMatchObject({ version: 3, note: '{"rounds":3}', request: MINI_REQUEST });

  const second = await opened({ kind: 'checkpoint', bytes }, summary.request);
  expect(second.info.version).toBe(3);
  await expect(second.host.step({ round: 3, samples: 8, lossSum: 4, parts: [] })).rejects.toThrow('round 4 is next');
  await train(second.host, second.info, 4, 6);
  expect(await second.host.parameters()).toEqual(await straight.host.parameters());
  expect(await second.host.roundBatch(7)).toEqual(await straight.host.roundBatch(7));

  // The score from before the break is on the card.
  const card = (await second.host.exportAdapter()).find(({ name }) => name === 'README.md')!;
  expect(new TextDecoder().decode(card.bytes)).toContain('Dev accuracy (500 examples): 0.5 after round 3.');
});

test('the best adapter is kept, through a break too', async () => {
  const { host, info } = await opened();
  const labels = (await host.devBatch(0, 500)).labels;
  const logitsRight = (count: number) => {
    const logits = new Float32Array(1000);
    for (const [i, label] of labels.entries()) logits[2 * i + (i < count ? label : 1 - label)] = 1;
    return logits;
  };
  await expect(host.exportAdapter('best')).rejects.toThrow('No adapter has been scored yet');
  await train(host, info, 1, 2);
  await host.scoreDev(logitsRight(400));
  const best = await host.exportAdapter('last');
  await train(host, info, 3, 3);
  // Not better than the best: neither a worse score nor an equal one.
  await host.scoreDev(logitsRight(300));
  await host.scoreDev(logitsRight(400));
  expect((await host.exportAdapter('best')).slice(0, 2)).toEqual(best.slice(0, 2));
  expect((await host.exportAdapter('last')).slice(0, 2)).not.toEqual(best.slice(0, 2));

  const bytes = await host.checkpoint('');
  // A round that is scored again has its last score alone.
  expect(decodeCheckpoint(bytes).scores.map(({ round, value }) => [round, value])).toEqual([
    [2, 0.8],
    [3, 0.8],
  ]);
  const later = await opened({ kind: 'checkpoint', bytes });
  const kept = await later.host.exportAdapter('best');
  expect(kept).toEqual(await host.exportAdapter('best'));
  expect(new TextDecoder().decode(kept[2]!.bytes)).toContain('Dev accuracy (500 examples): 0.8 after round 2.');
});

test('a checkpoint of another session is refused with what is different', async () => {
  const { host } = await opened();
  const start: HostStart = { kind: 'checkpoint', bytes: await host.checkpoint('') };
  const { training, lora } = MINI_REQUEST;
  const other = (change: Partial<HostRequest>) => opened(start, { ...MINI_REQUEST, ...change });
  await expect(other({ training: { ...training, seed: 8 } })).rejects.toThrow('differ in the training settings');
  await expect(other({ lora: { ...lora, alpha: 8 } })).rejects.toThrow('differ in the LoRA settings');
  const hub = new URL('../fixtures/hub', import.meta.url).href;
  await expect(other({ weights: 'int8' })).rejects.toThrow('differ in the storage of the weights');
  await expect(other({ task: { id: 'sst2', endpoint: hub } })).rejects.toThrow('differ in the task');
  // The same settings with their keys in another order are the same.
  const reversed = Object.fromEntries(Object.entries(training).reverse()) as unknown as HostRequest['training'];
  expect((await other({ training: reversed })).info.version).toBe(0);
});

test('a session goes on with the same model from another address', async () => {
  const at = (endpoint: string): HostRequest['model'] => ({ kind: 'hub', id: 'a/b', endpoint, revision: 'main' });
  const { model: _, ...rest } = MINI_REQUEST;
  const saved = { ...rest, model: at('http://127.0.0.1:1/hub') };
  expect(difference(saved, { ...rest, model: at('http://127.0.0.1:2/hub') })).toBeNull();
  expect(difference(saved, { ...rest, model: { ...at('http://127.0.0.1:1/hub'), id: 'a/c' } })).toBe('model');
  const revised: HostRequest['model'] = { kind: 'hub', id: 'a/b', endpoint: 'http://127.0.0.1:1/hub', revision: 'v2' };
  expect(difference(saved, { ...rest, model: revised })).toBe('model');
  expect(difference(saved, MINI_REQUEST)).toBe('model');
});

test('an own task goes on with its files, which lie in the checkpoint, or with the same ones', async () => {
  const own = (text: string): HostRequest => ({
    ...MINI_REQUEST,
    task: {
      id: 'own',
      endpoint: '',
      own: {
        title: 'Mine',
        train: { name: 'a.csv', bytes: new TextEncoder().encode(text) },
        dev: null,
        columns: { text: 'text', pair: null, label: 'label' },
        kind: 'classification',
      },
    },
  });
  const table = 'text,label\nfine,1\nbad,0\nso so,1\n"unread';
  const { host, info } = await opened(undefined, own(table));
  expect(info.data.tables).toMatchObject([
    { rows: 4, used: 3, leftOut: [{ reason: 'a quote that is never closed', count: 1, lines: [5] }] },
  ]);
  const start: HostStart = { kind: 'checkpoint', bytes: await host.checkpoint('') };
  const { request } = await host.readCheckpoint(start.bytes);
  expect(request.task).toEqual(own(table).task);
  expect((await opened(start, request)).info.task).toMatchObject({ id: 'own', title: 'Mine', trainExamples: 2 });
  expect((await opened(start, own(table))).info.task).toMatchObject({ id: 'own', title: 'Mine', trainExamples: 2 });
  await expect(opened(start, own(table.replace('fine', 'good')))).rejects.toThrow('differ in the data');
  await expect(opened(start, { ...MINI_REQUEST, task: { id: 'own', endpoint: '' } })).rejects.toThrow(
    'choose the file again',
  );
});

describe('files that are no checkpoint', () => {
  const { origin, model, weights, lora, training } = MINI_REQUEST;
  const checkpoint: Checkpoint = {
    request: { origin, model, weights, lora, training, task: { id: 'grammar', endpoint: '' } },
    dataFingerprint: 1,
    round: 5,
    values: new Float32Array([1, 2]),
    optimiser: { steps: 4, firstMoment: new Float32Array([3, 4]), secondMoment: new Float32Array([5, 6]) },
    before: new Float32Array([9, 10]),
    scores: [{ round: 0, metric: 'accuracy', value: 0.5, further: [{ metric: 'f1', devSet: null, value: 0.4 }] }],
    best: { round: 0, value: 0.5, values: new Float32Array([7, 8]) },
    devices: ['abcdefgh', 'ijklmnop'],
    note: 'ü',
  };

  test('one reads back as it was', () => {
    expect(decodeCheckpoint(encodeCheckpoint(checkpoint))).toEqual(checkpoint);
    const unscored = { ...checkpoint, before: null, scores: [], best: null };
    expect(decodeCheckpoint(encodeCheckpoint(unscored))).toEqual(unscored);
  });

  test('one of 0.1.0, which knew less, reads as what it did', () => {
    const { schedule, maxGradientNorm, beta1, beta2, epsilon, loraPlusRatio, ...older } = training;
    const state = {
      request: { ...checkpoint.request, task: { ...checkpoint.request.task, own: null }, training: older },
      dataFingerprint: 1,
      steps: 4,
      scores: [],
      best: null,
      devices: [],
    };
    const vectors = ['parameters', 'first_moment', 'second_moment'].map((name, i) => ({
      name,
      shape: [2],
      values: new Float32Array([2 * i + 1, 2 * i + 2]),
    }));
    const note = { name: 'note', shape: [2], values: new TextEncoder().encode('ü') };
    const file = encodeSafetensors([...vectors, note], {
      format: 'tabloom-checkpoint-2',
      state: JSON.stringify(state),
    });
    const read = decodeCheckpoint(file);
    expect(read).toEqual({ ...checkpoint, round: 4, before: null, scores: [], best: null, devices: [] });
    expect(read.request.training).toEqual({ ...older, ...PLAIN_TRAINING });
  });

  const bytes = encodeCheckpoint(checkpoint);
  test.each([
    ['nothing', new Uint8Array(0), 'inside its header'],
    ['text', new TextEncoder().encode('not a checkpoint at all'), 'no safetensors file'],
    ['cut short', bytes.slice(0, -4), /parameters|moment|file/],
    ['another safetensors file', encodeSafetensors([], {}), 'is no checkpoint'],
    [
      'no vectors',
      encodeSafetensors([], { format: 'tabloom-checkpoint-2', state: '{}' }),
      "The checkpoint's request cannot be used",
    ],
    ['broken state', encodeSafetensors([], { format: 'tabloom-checkpoint-2', state: '{' }), 'state is not JSON'],
    [
      'a value that is not finite',
      encodeCheckpoint({ ...checkpoint, values: new Float32Array([1, Number.NaN]) }),
      '"parameters" holds a value that is not finite',
    ],
    [
      'vectors of different lengths',
      encodeSafetensors(
        ['parameters', 'first_moment', 'second_moment', 'best'].map((name, i) => ({
          name,
          shape: [2 + i],
          values: new Float32Array(2 + i),
        })),
        Object.fromEntries(parseHeader(bytes.subarray(0, 8 + headerBytes(bytes, bytes.length)), bytes.length).metadata),
      ),
      'have different lengths',
    ],
  ])('%s', (_, file, sentence) => {
    expect(() => decodeCheckpoint(file)).toThrow(sentence);
  });
});
