import type { LoraTarget } from '../../../signaling/protocol/settings.ts';
import { type LayerTensor, layerTensorSpecs } from '../../model/description.ts';
import { toHalf } from '../../model/half.ts';
import type { Weights } from '../../model/weights.ts';
import { type Product, productShape } from './adapters.ts';
import { wordParts } from './embed-steps.ts';
import { type CountedBuffer, type Gpu, type Slice, whole } from './gpu.ts';
import { BYTES, type Precision } from './kernel.ts';
import type { ModelPlan } from './steps.ts';

/** Frozen tensors on the device, by the names that steps give them after their `e.` or `w.`. */
export interface FrozenTensors {
  readonly embeddings: ReadonlyMap<string, Slice>;
  readonly layers: readonly ReadonlyMap<string, Slice>[];
}

/** A buffer of the device and the part of it that one of the model's tensors fills. */
interface Place {
  readonly buffer: string;
  readonly offset: number;
}

const MATRIX_OF: Readonly<Record<LoraTarget, { readonly product: Product; readonly part: number }>> = {
  query: { product: 'qkv', part: 0 },
  key: { product: 'qkv', part: 1 },
  value: { product: 'qkv', part: 2 },
  'attention.output.dense': { product: 'o', part: 0 },
  'intermediate.dense': { product: 'i', part: 0 },
  'output.dense': { product: 'd', part: 0 },
};

/** Elements and precision of each of a layer's buffers. Matrices in the plan's precision; biases and LayerNorms in f32. */
function layerBuffers(plan: ModelPlan): Readonly<Record<string, { length: number; precision: Precision }>> {
  const sizes: Record<string, { length: number; precision: Precision }> = {
    norm1: { length: 2 * plan.shape.hiddenSize, precision: 'f32' },
    norm2: { length: 2 * plan.shape.hiddenSize, precision: 'f32' },
  };
  for (const product of ['qkv', 'o', 'i', 'd'] as const) {
    const [outer, inner] = productShape(plan, product);
    sizes[product] = { length: outer * inner, precision: plan.precision };
    sizes[`${product}.bias`] = { length: outer, precision: 'f32' };
  }
  return sizes;
}

function placeOf(key: LayerTensor, hiddenSize: number, length: number): Place {
  const norm = /^(attention\.output|output)\.LayerNorm\.(weight|bias)$/.exec(key);
  if (norm !== null)
    return { buffer: norm[1] === 'output' ? 'norm2' : 'norm1', offset: norm[2] === 'bias' ? hiddenSize : 0 };
  const target = key.replace(/\.(weight|bias)$/, '') as LoraTarget;
  const { product, part } = MATRIX_OF[target];
  return { buffer: key.endsWith('.bias') ? `${product}.bias` : product, offset: part * length };
}

/** Elements and precision of the embeddings' buffers. */
function embeddingBuffers(plan: ModelPlan): Readonly<Record<string, { length: number; precision: Precision }>> {
  const { hiddenSize: c, maxPositions } = plan.shape;
  const { precision } = plan;
  return {
    ...Object.fromEntries(
      wordParts(plan).map(({ wordCount }, index) => [`words.${index}`, { length: wordCount * c, precision }]),
    ),
    tables: { length: (maxPositions + 1) * c, precision },
    norm: { length: 2 * c, precision: 'f32' },
  };
}

/** Bytes of each buffer that `loadFrozen` makes. */
export function frozenBytes(plan: ModelPlan): readonly number[] {
  const of = (buffers: Readonly<Record<string, { length: number; precision: Precision }>>) =>
    Object.values(buffers).map(({ length, precision }) => length * BYTES[precision]);
  const layer = of(layerBuffers(plan));
  return [...of(embeddingBuffers(plan)), ...Array.from({ length: plan.shape.layers }, () => layer).flat()];
}

/** Writes wait in the driver's memory until the device has taken them: so many bytes at most. */
const MAX_BYTES_UNDER_WAY = 64 * 2 ** 20;

/** Reads the frozen tensors one after the other, each into its buffer; no other copy of them stays. */
export async function loadFrozen(
  gpu: Gpu,
  plan: ModelPlan,
  weights: Weights,
  progress: (done: number, total: number) => void,
): Promise<FrozenTensors> {
  const { shape } = plan;
  const c = shape.hiddenSize;
  const make = (sizes: Readonly<Record<string, { length: number; precision: Precision }>>) =>
    gpu.allocated(
      () =>
        new Map(
          Object.entries(sizes).map(([name, { length, precision }]) => [
            name,
            gpu.allocate(name, length * BYTES[precision]),
          ]),
        ),
    );
  let underWay = 0;
  const put = async (buffer: CountedBuffer, precision: Precision, offset: number, values: Float32Array) => {
    const data = precision === 'f16' ? toHalf(values) : values;
    gpu.write({ buffer, offset: offset * BYTES[precision], bytes: data.byteLength }, data);
    underWay += data.byteLength;
    if (underWay > MAX_BYTES_UNDER_WAY) {
      await gpu.idle();
      underWay = 0;
    }
  };
  const slices = (buffers: ReadonlyMap<string, CountedBuffer>) =>
    new Map([...buffers].map(([name, buffer]) => [name, whole(buffer)]));

  const embeddingSizes = embeddingBuffers(plan);
  const embeddings = await make(embeddingSizes);
  const at = 'roberta.embeddings';
  const into = (name: string, offset: number, values: Float32Array) =>
    put(embeddings.get(name)!, embeddingSizes[name]!.precision, offset, values);
  const words = await weights.read(`${at}.word_embeddings.weight`, [shape.vocabSize, c]);
  for (const [index, { firstWord, wordCount }] of wordParts(plan).entries())
    await into(`words.${index}`, 0, words.subarray(firstWord * c, (firstWord + wordCount) * c));
  await into('tables', 0, await weights.read(`${at}.position_embeddings.weight`, [shape.maxPositions, c]));
  await into('tables', shape.maxPositions * c, await weights.readFirstRow(`${at}.token_type_embeddings.weight`, c));
  await into('norm', 0, await weights.read(`${at}.LayerNorm.weight`, [c]));
  await into('norm', c, await weights.read(`${at}.LayerNorm.bias`, [c]));
  progress(1, shape.layers + 1);

  const sizes = layerBuffers(plan);
  const layers: ReadonlyMap<string, Slice>[] = [];
  for (let layer = 0; layer < shape.layers; layer++) {
    const buffers = await make(sizes);
    for (const { key, path, shape: dims } of layerTensorSpecs(shape)) {
      const values = await weights.read(`roberta.encoder.layer.${layer}.${path}`, dims);
      const { buffer, offset } = placeOf(key, c, values.length);
      await put(buffers.get(buffer)!, sizes[buffer]!.precision, offset, values);
    }
    layers.push(slices(buffers));
    progress(layer + 2, shape.layers + 1);
  }
  return { embeddings: slices(embeddings), layers };
}
