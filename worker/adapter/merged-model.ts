import * as v from 'valibot';
import { rankOf, scaleOf } from '../../signaling/protocol/adapters.ts';
import type { LoraTarget, ModelShape } from '../../signaling/protocol/settings.ts';
import { maxTokens } from '../model/config.ts';
import { layerTensorSpecs } from '../model/description.ts';
import type { ParameterSlot } from '../model/layout.ts';
import { EMBEDDING_NAMES, layerTensorName } from '../model/tensor-names.ts';
import type { Weights } from '../model/weights.ts';
import { type PlannedExport, type PlannedFile, wholeFile } from './planned-export.ts';
import type { TrainedAdapter } from './trained-adapter.ts';

/** The base model that an adapter is merged into: its files as they lie beside each other. */
export interface BaseModel {
  readonly shape: ModelShape;
  /** `config.json`, parsed as JSON. */
  readonly config: unknown;
  readonly tokenizer: Uint8Array;
  readonly weights: Weights;
}

/** RobertaConfig's own default for token types is 2. The other keys go into the export as they are. */
const ConfigSchema = v.looseObject({
  type_vocab_size: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)), 2),
});

/** As many as the file has: a configuration may leave the number out, and the file need not have the default. */
function tokenTypesOf({ config, weights }: Pick<BaseModel, 'config' | 'weights'>): number {
  return weights.shapeOf(EMBEDDING_NAMES.tokenType)?.[0] ?? v.parse(ConfigSchema, config).type_vocab_size;
}

export interface MergedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Read from the base model; the head is the adapter's own. */
  readonly inBase: boolean;
  /** Read, and merged, when it is asked for. */
  readonly values: () => Promise<Float32Array>;
}

/** The folder of a merged model: `weights` in the format of the plan, and what lies beside them whatever it is. */
export function planFolder(
  adapter: TrainedAdapter,
  base: BaseModel,
  tensors: readonly MergedTensor[],
  weights: PlannedFile,
  card: string,
): PlannedExport {
  // Throws where the base model lacks one, or has it in another shape.
  base.weights.fileBytes(tensors.filter(({ inBase }) => inBase));
  const text = (content: string) => new TextEncoder().encode(content);
  const json = (value: unknown) => text(`${JSON.stringify(value, null, 2)}\n`);
  const files = [
    wholeFile('config.json', json(mergedConfig(adapter, base))),
    weights,
    wholeFile('tokenizer.json', base.tokenizer),
    wholeFile('tokenizer_config.json', json(tokenizerConfig(base))),
    wholeFile('README.md', text(card)),
  ];
  return { bytes: files.reduce((sum, { byteLength }) => sum + byteLength, 0), files };
}

/** The roles of RoBERTa's special tokens, which tokenizer.json does not tell; transformers.js opens no tokenizer without it. */
function tokenizerConfig({ shape }: BaseModel): Record<string, unknown> {
  return {
    // As tokenizer.json says, whatever the family's member.
    tokenizer_class: 'PreTrainedTokenizerFast',
    model_input_names: ['input_ids', 'attention_mask'],
    model_max_length: maxTokens(shape),
    bos_token: '<s>',
    cls_token: '<s>',
    eos_token: '</s>',
    sep_token: '</s>',
    pad_token: '<pad>',
    unk_token: '<unk>',
    mask_token: '<mask>',
    clean_up_tokenization_spaces: false,
  };
}

/** As `RobertaForSequenceClassification` chooses its loss by. */
const PROBLEM_TYPES = {
  classification: 'single_label_classification',
  regression: 'regression',
  'multi-label': 'multi_label_classification',
} as const;

/** Labels go into the configuration, so that a pipeline answers with the classes' names. */
function mergedConfig({ task }: TrainedAdapter, base: BaseModel): Record<string, unknown> {
  // Two names of one key, before and after transformers 4.56; and the base model's count of labels, which would overrule the names.
  const { torch_dtype: _, dtype: __, num_labels: ___, ...rest } = v.parse(ConfigSchema, base.config);
  const names = task.classNames.length > 0 ? task.classNames : ['score'];
  return {
    // roberta-base's own file states none, and nothing opens a folder without.
    model_type: 'roberta',
    ...rest,
    type_vocab_size: tokenTypesOf(base),
    architectures: ['RobertaForSequenceClassification'],
    dtype: 'float32',
    id2label: Object.fromEntries(names.map((name, label) => [label, name])),
    label2id: Object.fromEntries(names.map((name, label) => [name, label])),
    problem_type: PROBLEM_TYPES[task.kind],
  };
}

/** The whole model, every adapted matrix replaced by W + scale * B A, under the names of `RobertaForSequenceClassification`. */
export function mergedTensors(adapter: TrainedAdapter, { shape, config, weights }: BaseModel): readonly MergedTensor[] {
  const tokenTypes = tokenTypesOf({ config, weights });
  const c = shape.hiddenSize;
  const slots = new Map(
    [...adapter.layout.layers, adapter.layout.head].flatMap((b) => b.slots).map((s) => [s.name, s]),
  );
  const trained = ({ offset, length }: ParameterSlot) => adapter.values.subarray(offset, offset + length);
  const frozen = (name: string, dims: readonly number[]): MergedTensor => ({
    name,
    shape: dims,
    inBase: true,
    values: () => weights.read(name, dims),
  });
  const embeddings = [
    frozen(EMBEDDING_NAMES.word, [shape.vocabSize, c]),
    frozen(EMBEDDING_NAMES.position, [shape.maxPositions, c]),
    frozen(EMBEDDING_NAMES.tokenType, [tokenTypes, c]),
    frozen(EMBEDDING_NAMES.normWeight, [c]),
    frozen(EMBEDDING_NAMES.normBias, [c]),
  ];
  const layers = Array.from({ length: shape.layers }, (_, layer) =>
    layerTensorSpecs(shape).map(({ key, path, shape: dims }): MergedTensor => {
      const plain = frozen(layerTensorName(layer, path), dims);
      const target = key.replace(/\.weight$/, '') as LoraTarget;
      const a = slots.get(`lora.layer.${layer}.${target}.A`);
      const b = slots.get(`lora.layer.${layer}.${target}.B`);
      if (!a || !b) return plain;
      const [rank, scale] = [rankOf(adapter.lora, layer), scaleOf(adapter.lora, layer)];
      return { ...plain, values: async () => mergedWeight(await plain.values(), trained(a), trained(b), rank, scale) };
    }),
  ).flat();
  const head = adapter.layout.head.slots.map(
    (slot): MergedTensor => ({
      name: slot.name,
      shape: slot.shape,
      inBase: false,
      values: async () => trained(slot),
    }),
  );
  return [...embeddings, ...layers, ...head];
}

/** W + scale * B A: (out,in) + (out,R) (R,in). */
function mergedWeight(w: Float32Array, a: Float32Array, b: Float32Array, rank: number, scale: number): Float32Array {
  const merged = w.slice();
  const inner = a.length / rank;
  const row = new Float64Array(inner);
  for (let out = 0; out < b.length / rank; out++) {
    row.fill(0);
    for (let r = 0; r < rank; r++) {
      const factor = scale * b[out * rank + r]!;
      for (let i = 0; i < inner; i++) row[i] = row[i]! + factor * a[r * inner + i]!;
    }
    for (let i = 0; i < inner; i++) merged[out * inner + i] = merged[out * inner + i]! + row[i]!;
  }
  return merged;
}

/** A tensor's values as a file has them. */
export async function bytesOf({ values }: Pick<MergedTensor, 'values'>): Promise<Uint8Array> {
  const read = await values();
  return new Uint8Array(read.buffer, read.byteOffset, read.byteLength);
}
