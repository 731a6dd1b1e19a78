import * as v from 'valibot';
import {
  LORA_TARGETS,
  type LoraSettings,
  type ModelShape,
  ModelShapeSchema,
} from '../../signaling/protocol/settings.ts';
import { brief } from '../../signaling/protocol/text/visible.ts';
import type { TokenBatch } from '../api/batch.ts';
import { checkedBatch } from '../engine/checked-batch.ts';
import { bytesSource } from '../files/byte-source.ts';
import { type ParameterLayout, parameterLayout } from '../model/layout.ts';
import { parseHeader, SafetensorsError } from '../model/safetensors.ts';
import { decodeFloats, decodeIntegers } from '../model/tensor-values.ts';
import { openWeights, type Weights } from '../model/weights.ts';

/** A case with known answers from PyTorch: a small random model, a batch, and what training it for some steps must give. */
export interface GoldenCase {
  readonly shape: ModelShape;
  readonly lora: LoraSettings;
  readonly labelCount: number;
  readonly weights: Weights;
  readonly withDropout: false;
  readonly weightStorage: 'f32';
  readonly layout: ParameterLayout;
  /** Flat, before the first step. */
  readonly parameters: Float32Array;
  readonly batch: TokenBatch;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly expected: {
    /** (B,labels) */
    readonly logits: Float32Array;
    /** Mean over the samples. */
    readonly loss: number;
    /** (B,T,C) after the embeddings and after each layer; values at padding are PyTorch's own. */
    readonly hidden: readonly Float32Array[];
    /** Flat gradient of the mean loss. */
    readonly gradient: Float32Array;
    /** Mean loss before each AdamW step. */
    readonly losses: readonly number[];
    /** Flat parameters after all steps. */
    readonly after: Float32Array;
  };
}

const count = v.pipe(v.string(), v.regex(/^\d{1,7}$/, 'a whole number'), v.transform(Number), v.minValue(1));
const number = v.pipe(v.string(), v.transform(Number), v.finite());
const MetadataSchema = v.object({
  layers: count,
  hidden: count,
  heads: count,
  ffn: count,
  vocab: count,
  rank: count,
  labels: count,
  batch: count,
  seq: count,
  steps: count,
  alpha: number,
  lr: number,
  wd: number,
  targets: v.pipe(
    v.string(),
    v.transform((text) => text.split(',')),
    v.array(v.picklist(LORA_TARGETS)),
  ),
  losses: v.pipe(v.string(), v.parseJson(), v.array(v.pipe(v.number(), v.finite()))),
});

/** Pad id and epsilon of every golden file; positions follow RoBERTa, so the table has two rows more than the sequence. */
const PAD_TOKEN_ID = 1;
const LAYER_NORM_EPS = 1e-5;

/** @throws SafetensorsError with one sentence when the bytes are not such a file. */
export async function readGoldenFile(bytes: Uint8Array): Promise<GoldenCase> {
  const { tensors, metadata } = parseHeader(bytes, bytes.length);
  const read = v.safeParse(MetadataSchema, Object.fromEntries(metadata));
  if (!read.success)
    throw new SafetensorsError(
      `This is not a golden file: its metadata lacks a usable "${v.getDotPath(read.issues[0]) ?? 'config'}" (${brief(read.issues[0].message)}).`,
    );
  const m = read.output;
  const sizes = {
    layers: m.layers,
    hiddenSize: m.hidden,
    heads: m.heads,
    ffnSize: m.ffn,
    vocabSize: m.vocab,
    maxPositions: m.seq + 2,
    layerNormEps: LAYER_NORM_EPS,
    padTokenId: PAD_TOKEN_ID,
  };
  const checked = v.safeParse(ModelShapeSchema, sizes);
  if (!checked.success)
    throw new SafetensorsError(
      `This golden file's ${v.getDotPath(checked.issues[0])} is out of range (${brief(checked.issues[0].message)}).`,
    );
  const shape = checked.output;
  if (m.hidden % m.heads !== 0)
    throw new SafetensorsError(`This golden file has ${m.heads} heads for a width of ${m.hidden}.`);
  if (m.losses.length !== m.steps)
    throw new SafetensorsError(`This golden file has ${m.losses.length} losses for ${m.steps} steps.`);
  const targets = LORA_TARGETS.filter((target) => m.targets.includes(target));
  const lora = { rank: m.rank, alpha: m.alpha, targets };
  const layout = parameterLayout(shape, lora, m.labels);
  const weights = await openWeights(bytesSource(bytes));

  const flat = async (prefix: string): Promise<Float32Array> => {
    const values = new Float32Array(layout.length);
    for (const block of [...layout.layers, layout.head])
      for (const slot of block.slots) values.set(await weights.read(prefix + slot.name, slot.shape), slot.offset);
    return values;
  };
  const integers = (name: string, length: number): Int32Array => {
    const entry = tensors.get(name);
    if (entry === undefined) throw new SafetensorsError(`This golden file has no tensor "${name}".`);
    const values = decodeIntegers(entry, bytes.subarray(entry.start, entry.end));
    if (values.length !== length)
      throw new SafetensorsError(`"${name}" has ${values.length} values in this golden file; ${length} are expected.`);
    return values;
  };
  const lengths = realLengths(integers('attention_mask', m.batch * m.seq), m.seq);
  const hidden: Float32Array[] = [];
  for (let layer = 0; layer <= m.layers; layer++)
    hidden.push(await weights.read(`hidden0.${layer}`, [m.batch, m.seq, m.hidden]));
  const labels = tensors.get('labels');
  if (labels === undefined) throw new SafetensorsError('This golden file has no tensor "labels".');

  const batch: TokenBatch = {
    ids: integers('input_ids', m.batch * m.seq),
    lengths,
    labels:
      m.labels === 1
        ? decodeFloats(labels, bytes.subarray(labels.start, labels.end))
        : Float32Array.from(integers('labels', m.batch)),
    positions: Int32Array.from({ length: m.batch }, (_, i) => i),
    tokens: m.seq,
  };
  try {
    checkedBatch(batch, shape, m.labels);
  } catch (error) {
    throw new SafetensorsError(
      `This golden file's batch is not usable: ${error instanceof Error ? error.message : ''}`,
    );
  }

  return {
    shape,
    lora,
    labelCount: m.labels,
    weights,
    withDropout: false,
    weightStorage: 'f32',
    layout,
    parameters: await flat(''),
    batch,
    learningRate: m.lr,
    weightDecay: m.wd,
    expected: {
      logits: await weights.read('logits0', [m.batch, m.labels]),
      loss: (await weights.read('loss0', [1]))[0]!,
      hidden,
      gradient: await flat('grad0.'),
      losses: m.losses,
      after: await flat('after.'),
    },
  };
}

/** Lengths (B) from an attention mask (B,T), which must be ones and then zeros. */
function realLengths(mask: Int32Array, tokens: number): Int32Array {
  return Int32Array.from({ length: mask.length / tokens }, (_, sample) => {
    const row = mask.subarray(sample * tokens, (sample + 1) * tokens);
    const length = row.findLastIndex((value) => value !== 0) + 1;
    if (length === 0 || row.subarray(0, length).some((value) => value !== 1))
      throw new SafetensorsError(
        `The attention mask of sample ${sample} in this golden file is not ones and then zeros.`,
      );
    return length;
  });
}
