import { readFileSync } from 'node:fs';
import { encodeMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import { decodeFrame, type FrameTensor, slices } from '../../signaling/protocol/exchange/frames.ts';
import type { LoraSettings } from '../../signaling/protocol/settings.ts';
import { tensorSizes } from '../../web/session/links/tensor-sizes.ts';
import { exportAdapter } from '../../worker/adapter/export-adapter.ts';
import { encodeCheckpoint } from '../../worker/host/checkpoint.ts';
import { parseModelConfig } from '../../worker/model/config.ts';
import { parameterLayout } from '../../worker/model/layout.ts';
import { encodeSafetensors } from '../../worker/model/safetensors.ts';
import { MINI_REQUEST, SMALL_REQUEST } from '../host/node-host.ts';
import { SETTINGS } from '../protocol/samples.ts';

/** Valid inputs of every kind that comes from outside. */
const utf8 = new TextEncoder();
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const fixture = (path: string): Uint8Array => readFileSync(new URL(`../fixtures/${path}`, import.meta.url));

/** By what a header's tensors are known here: its type, and the codec of hidden states. */
export const typeOf = (header: unknown): unknown =>
  typeof header === 'object' && header !== null && 'type' in header
    ? `${header.type}${'codec' in header && header.type === 'hidden' ? header.codec : ''}`
    : null;

export const SIZES = tensorSizes(SETTINGS);
const tag = { term: 1, round: 1, order: 1, epoch: 1 };
const small = { samples: { start: 0, count: 2 }, tokens: 4, layers: [5], head: true, microBatch: 2 };
const chunkTag = { term: 1, evaluation: 1, chunk: 0 };
const STAGE_WORK = {
  stage: { pipeline: 0, index: 0, from: 0, to: 8, window: 1, microBatches: 2 },
  sizes: [1, 1],
  version: 0,
  parameters: false,
  tokens: 4,
  codec: 'f32' as const,
  below: null,
  above: null,
};
const HIDDEN = {
  type: 'hidden',
  from: 'abcdefgh',
  to: 'hosthost',
  stage: 1,
  microBatch: 0,
  direction: 'up',
} as const;
export const FRAMES = [
  encodeMessage({
    header: {
      type: 'order',
      tag,
      ...small,
      version: 0,
      parameters: false,
      share: 1,
      dropout: { probability: 0, seed: 1 },
    },
    tensors: [new Int32Array(8), new Int32Array(2).fill(4), new Float32Array(2), new Int32Array(2)],
  }),
  encodeMessage({
    header: { type: 'gradient', tag, block: 5 },
    tensors: [new Float32Array(SIZES.blockLength(5) ?? 1)],
  }),
  encodeMessage({ header: { type: 'done', tag, lossSum: 1, computeSeconds: 1 }, tensors: [] }),
  encodeMessage({ header: { type: 'abandon', tag }, tensors: [] }),
  encodeMessage({
    header: { type: 'update', term: 1, version: 3, learningRate: 1e-3, digest: 7 },
    tensors: [new Float32Array()],
  }),
  encodeMessage({ header: { type: 'holds', state: { version: 3, digest: 7 } }, tensors: [] }),
  encodeMessage({
    header: {
      ...{ type: 'standings', term: 1, round: 7 },
      devices: [{ device: 'aaaaaaaa', right: 3, since: 1, unaudited: 5 }],
    },
    tensors: [],
  }),
  encodeMessage({
    header: {
      ...{ type: 'report', term: 1 },
      report: {
        ...{ round: 4, planVersion: 1, loss: 0.5, learningRate: 0.1, gradientNorm: 1, elapsedSeconds: 1 },
        ...{ devices: [], reassigned: 0 },
      },
    },
    tensors: [],
  }),
  encodeMessage({ header: { type: 'failed', tag, sentence: 'No.' }, tensors: [] }),
  encodeMessage({ header: { type: 'table-wanted', file: 'train', offset: 0 }, tensors: [] }),
  encodeMessage({ header: { type: 'table-piece', file: 'train', offset: 0 }, tensors: [Uint8Array.of(97, 44, 98)] }),
  encodeMessage({
    header: {
      ...{ type: 'heritage', term: 2, task: { id: 'own', endpoint: '' }, given: ['aaaaaaaa'], dataFingerprint: 1 },
      ...{ patience: 0, audits: 0, begun: false, door: 'ask', cap: 8, removed: [], admitted: [], best: null },
      table: {
        ...{ title: 'Own', kind: 'classification', columns: { text: 'text', pair: null, label: 'label' }, dev: null },
        train: { name: 'rows.csv', bytes: 9, sha256: 'a3'.repeat(32) },
      },
    },
    tensors: [new Float32Array(), new Float32Array()],
  }),
  encodeMessage({
    header: {
      ...{
        type: 'audit',
        tag: { term: 1, audit: 2 },
        round: 3,
        layers: [5],
        head: true,
        samples: { start: 0, count: 2 },
      },
      ...{ microBatch: 2, tokens: 4, dropout: { probability: 0, seed: 1 } },
    },
    tensors: [
      new Int32Array(8),
      new Int32Array(2).fill(4),
      new Float32Array(2),
      new Int32Array(2),
      new Float32Array(SIZES.parameterCount),
    ],
  }),
  encodeMessage({
    header: { type: 'audited', tag: { term: 1, audit: 2 }, blocks: [5], lossSum: 1, computeSeconds: 1 },
    tensors: [new Float32Array(SIZES.blockLength(5) ?? 1)],
  }),
  encodeMessage({
    header: {
      type: 'stage-order',
      tag,
      ...STAGE_WORK,
      layers: [0, 1, 2, 3, 4, 5],
      head: true,
      lowest: 0,
      share: 1,
      dropout: { probability: 0, seed: 1 },
    },
    tensors: [new Int32Array(2).fill(4), new Int32Array(2), new Int32Array(8), new Float32Array(2)],
  }),
  encodeMessage({
    header: { type: 'stage-evaluate', tag: chunkTag, ...STAGE_WORK },
    tensors: [new Int32Array(2).fill(4), new Int32Array(8)],
  }),
  encodeMessage({
    header: { ...HIDDEN, of: { term: 1, round: 1, pipeline: 0, epoch: 1 }, codec: 'f32', scale: 1 },
    tensors: [new Float32Array(128)],
  }),
  encodeMessage({
    header: { ...HIDDEN, of: chunkTag, codec: 'f16', scale: 2 },
    tensors: [new Uint16Array(128)],
  }),
  encodeMessage({
    header: { type: 'rewire', tag, side: 'above', neighbour: { device: 'abcdefgh', epoch: 2 } },
    tensors: [],
  }),
  encodeMessage({
    header: { type: 'passed', tag, passes: [{ microBatch: 0, direction: 'up', sinceSeconds: 0, seconds: 1 }] },
    tensors: [],
  }),
  encodeMessage({
    header: {
      ...{ type: 'done', tag, lossSum: 1, computeSeconds: 1 },
      sent: [{ to: 'abcdefgh', bytes: 8, relayedBytes: 4 }],
    },
    tensors: [],
  }),
  encodeMessage({ header: { type: 'merged', term: 1, round: 1 }, tensors: [] }),
  encodeMessage({ header: { type: 'show', tag, side: 'above', direction: 'down' }, tensors: [] }),
  encodeMessage({
    header: {
      ...{ type: 'shown', tag: { term: 1, audit: 2 }, side: 'below', direction: 'up' },
      ...{ microBatch: 0, codec: 'f32', scale: 1 },
    },
    tensors: [new Float32Array(128)],
  }),
];
/** What an order, for one, has with it. */
export const TENSORS: ReadonlyMap<unknown, readonly FrameTensor[]> = new Map(
  FRAMES.map((frame) => {
    const { header, tensors } = decodeFrame(frame);
    return [typeOf(header), tensors];
  }),
);
/** Two messages as they go over a channel, each slice behind its length. */
export const SLICES = FRAMES.slice(0, 3).map((frame, number) => {
  const all = [...slices(frame, number)].flatMap((slice) => [slice.length >> 8, slice.length & 255, ...slice]);
  return Uint8Array.from(all);
});

export const MODEL_CONFIG: unknown = JSON.parse(textOf(fixture('cases/model/tiny/config.json')));
export const SHAPE = parseModelConfig(MODEL_CONFIG);
const LORA = { rank: 2, alpha: 4, targets: ['query', 'value'] } satisfies LoraSettings;
const LAYOUT = parameterLayout(SHAPE, LORA, 2);
/** The files of one adapter as PEFT writes them. */
export const ADAPTER = exportAdapter({
  model: { kind: 'embedded', id: 'roberta-mini' },
  task: SETTINGS.task,
  lora: LORA,
  training: SETTINGS.training,
  layout: LAYOUT,
  values: new Float32Array(LAYOUT.length).fill(0.5),
  rounds: 3,
  devices: 1,
  scores: [],
});
export const TOKENIZERS = ['cases/model/tiny', 'cases/model/unigram-tokenizer'].map((folder): unknown =>
  JSON.parse(textOf(fixture(`${folder}/tokenizer.json`))),
);
const vector = (name: string, length: number) => ({
  name,
  shape: [length],
  values: new Float32Array(length).fill(0.5),
});
export const SAFETENSORS = [
  encodeSafetensors([vector('a.weight', 12), vector('b.bias', 3)], { format: 'pt' }),
  encodeSafetensors([{ name: 'ids', shape: [2, 3], values: new Int32Array(6) }, vector('x', 1)]),
];
export const NOTE = {
  identity: { id: 'hosthost', name: 'host' },
  term: 1,
  options: { policy: 'crunch', slowdown: 1, patience: 0 },
  finished: false,
  savedAtMs: 5,
  log: ['{"type":"started"}', '{"type":"round","report":{"round":1}}'],
};
export const CHECKPOINTS = [MINI_REQUEST, SMALL_REQUEST].map((request) => {
  const values = new Float32Array(6).fill(0.25);
  const { model, weights, task, lora, training, origin } = request;
  return encodeCheckpoint({
    request: { model, weights, task, lora, training, origin },
    dataFingerprint: 5,
    round: 3,
    values,
    optimiser: { steps: 3, firstMoment: values, secondMoment: values },
    before: null,
    scores: [{ round: 3, metric: 'accuracy', value: 0.5, further: [] }],
    best: { round: 3, value: 0.5, values },
    devices: ['hosthost'],
    note: JSON.stringify(NOTE),
  });
});
export const TABLES = [
  ...[
    'backslash-quotes.csv',
    'excel-sep-line.csv',
    'labels-0-and-0.0.csv',
    'lone-quotes.tsv',
    'odd-label-names.csv',
  ].map((name) => fixture(`cases/table/${name}`)),
  fixture('cases/table/one-stray-byte.csv'),
  utf8.encode('text|label\r\n"a ""b"" c"|x\r\nd|y\r\n'),
  utf8.encode('{"text":"a","label":1}\n{"text":"b","label":0}\n{"text":"c","label":1}\n'),
  Uint8Array.from(Buffer.from('\ufefftext;label\nä;x\nö;y\n', 'utf16le')),
];
export const PROBLEMS: readonly unknown[] = [
  {
    model: { layers: 3, samples: 8, head: { uploadBits: 1e5 }, layerUploadBits: 1e6 },
    devices: ['a', 'b'].map((id) => ({
      id,
      overheadSeconds: 0.01,
      secondsPerSample: { embed: 0.001, forwardPerLayer: 0.01, backwardPerLayer: 0.02, head: 0.001 },
      memory: {
        limitBytes: 1e9,
        weightsBytes: 1e7,
        transientPerSample: 1e5,
        savedPerSamplePerLayer: 1e5,
        gradientBytesPerLayer: 1e4,
      },
      bitsPerSecondPerHz: 1e7,
    })),
    bandwidthHz: 1,
    channel: 'airtime',
  },
  {
    blocks: [{ uploadBits: 1e6 }, { uploadBits: 2e6 }],
    devices: ['a', 'b', 'c'].map((id) => ({
      id,
      computeSeconds: [0.1, 0.3],
      memoryBytes: [1e6, 2e6],
      memoryLimitBytes: 2.5e6,
      bitsPerSecondPerHz: 4,
    })),
    bandwidthHz: 1e6,
  },
];
