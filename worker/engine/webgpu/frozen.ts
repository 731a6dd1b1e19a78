import type { LoraTarget, WeightStorage } from '../../../signaling/protocol/settings.ts';
import { counted, embeddingSpecs, isMatrix, layerTensorSpecs } from '../../model/description.ts';
import { layersOf } from '../../model/layout.ts';
import { emptyMatrix, storeRows } from '../../model/stored-matrix.ts';
import { layerTensorName } from '../../model/tensor-names.ts';
import type { TensorSpec, WantedTensor, Weights } from '../../model/weights.ts';
import { type CountedBuffer, type Gpu, type Slice, whole } from './device/gpu.ts';
import { WEIGHT_BYTES, type WeightPrecision } from './kernels/kernel.ts';
import { type Product, productShape } from './steps/adapters.ts';
import { wordParts } from './steps/embed-steps.ts';
import type { ModelPlan } from './steps/steps.ts';

/** Frozen tensors on the device, by the names that steps give them after their `e.` or `w.`. */
export interface FrozenTensors {
  /** Empty in a part without them. */
  readonly embeddings: ReadonlyMap<string, Slice>;
  /** By the layer's index in the whole model. */
  readonly layers: ReadonlyMap<number, ReadonlyMap<string, Slice>>;
}

const MATRIX_OF: Readonly<Record<LoraTarget, { readonly product: Product; readonly part: number }>> = {
  query: { product: 'qkv', part: 0 },
  key: { product: 'qkv', part: 1 },
  value: { product: 'qkv', part: 2 },
  'attention.output.dense': { product: 'o', part: 0 },
  'intermediate.dense': { product: 'i', part: 0 },
  'output.dense': { product: 'd', part: 0 },
};

const STORAGE: Readonly<Record<WeightPrecision, WeightStorage>> = {
  f32: 'f32',
  f16: 'f16',
  packed: 'f16',
  int8: 'int8',
};

/** Bytes of each of a layer's buffers. The scales of an 8-bit matrix's rows lie behind its bias. */
function layerBuffers(plan: ModelPlan): Readonly<Record<string, number>> {
  const sizes: Record<string, number> = { norm1: 8 * plan.shape.hiddenSize, norm2: 8 * plan.shape.hiddenSize };
  for (const product of ['qkv', 'o', 'i', 'd'] as const) {
    const [outer, inner] = productShape(plan, product);
    sizes[product] = outer * inner * WEIGHT_BYTES[plan.weights];
    sizes[`${product}.bias`] = (plan.weights === 'int8' ? 2 : 1) * outer * 4;
  }
  return sizes;
}

/** Bytes of each of the embeddings' buffers, none where the part lacks them. */
function embeddingBuffers(plan: ModelPlan): Readonly<Record<string, number>> {
  if (!plan.part.embeddings) return {};
  const { hiddenSize: c, maxPositions } = plan.shape;
  const tables = [
    ...wordParts(plan).map(({ wordCount }, index) => [`words.${index}`, wordCount] as const),
    ['tables', maxPositions + 1] as const,
  ];
  return {
    norm: 2 * c * 4,
    ...Object.fromEntries(tables.map(([name, rows]) => [name, rows * c * WEIGHT_BYTES[plan.embeddings]])),
    ...(plan.embeddings === 'int8'
      ? Object.fromEntries(tables.map(([name, rows]) => [`${name}.scales`, rows * 4]))
      : {}),
  };
}

/** Bytes of each buffer that `loadFrozenBuffers` makes. */
export function frozenBufferBytes(plan: ModelPlan): readonly number[] {
  const layer = Object.values(layerBuffers(plan));
  return [...Object.values(embeddingBuffers(plan)), ...layersOf(plan.part).flatMap(() => layer)];
}

/** Writes wait in the driver's memory until the device has taken them: so many bytes at most. */
const MAX_BYTES_UNDER_WAY = 64 * 2 ** 20;

/** Where rows of a matrix go: elements of the buffer before its first row, and f32 of another before that row's scale. */
interface MatrixPlace {
  readonly buffer: CountedBuffer;
  readonly weights: WeightPrecision;
  readonly firstRow: number;
  readonly scales: CountedBuffer | undefined;
  readonly firstScale: number;
}

/**
 * Streams the frozen tensors into their buffers in one pass over the files, a piece at a time; no other copy of them is ever whole. All
 * buffers are made first: a device that has too little memory fails before it downloads.
 */
export async function loadFrozenBuffers(
  gpu: Gpu,
  plan: ModelPlan,
  weights: Weights,
  progress: (done: number, total: number) => void,
): Promise<FrozenTensors> {
  const { shape } = plan;
  const make = (sizes: Readonly<Record<string, number>>) =>
    new Map(Object.entries(sizes).map(([name, bytes]) => [name, gpu.allocate(name, bytes)]));
  const { embeddings, layers } = await gpu.allocated(() => ({
    embeddings: make(embeddingBuffers(plan)),
    layers: layersOf(plan.part).map((layer) => [layer, make(layerBuffers(plan))] as const),
  }));

  let underWay = 0;
  const write = async (buffer: CountedBuffer, offset: number, data: Float32Array | Uint16Array | Int8Array) => {
    gpu.write({ buffer, offset, bytes: data.byteLength }, data);
    underWay += data.byteLength;
    if (underWay > MAX_BYTES_UNDER_WAY) {
      await gpu.idle();
      underWay = 0;
    }
  };
  const vector = (spec: TensorSpec, buffer: CountedBuffer, offset: number): WantedTensor => ({
    ...spec,
    take: (values, at) => write(buffer, 4 * (offset + at), values),
  });
  const writeRows = async (place: MatrixPlace, first: number, columns: number, values: Float32Array) => {
    const rows = emptyMatrix(STORAGE[place.weights], values.length / columns, columns);
    storeRows(rows, 0, values);
    await write(place.buffer, (place.firstRow + first) * columns * WEIGHT_BYTES[place.weights], rows.values);
    if (rows.storage === 'int8') await write(place.scales!, 4 * (place.firstScale + first), rows.scales);
  };
  const matrix = (spec: TensorSpec, place: MatrixPlace): WantedTensor => {
    const columns = spec.shape[1]!;
    return { ...spec, take: (values, at) => writeRows(place, at / columns, columns, values) };
  };

  const specs = embeddingSpecs(shape);
  const table = (name: string, firstRow: number): MatrixPlace => ({
    buffer: embeddings.get(name)!,
    weights: plan.embeddings,
    firstRow,
    scales: embeddings.get(`${name}.scales`),
    firstScale: firstRow,
  });
  const words: WantedTensor = {
    ...specs.word,
    take: async (values, at) => {
      const c = shape.hiddenSize;
      for (const [index, { firstWord, wordCount }] of wordParts(plan).entries()) {
        const from = Math.max(at, firstWord * c);
        const to = Math.min(at + values.length, (firstWord + wordCount) * c);
        if (from < to)
          await writeRows(table(`words.${index}`, 0), from / c - firstWord, c, values.subarray(from - at, to - at));
      }
    },
  };
  const wantedOfEmbeddings = (norm: CountedBuffer): readonly WantedTensor[] => [
    words,
    matrix(specs.position, table('tables', 0)),
    matrix(specs.tokenType, table('tables', shape.maxPositions)),
    vector(specs.normWeight, norm, 0),
    vector(specs.normBias, norm, shape.hiddenSize),
  ];
  const norm = embeddings.get('norm');
  const wanted = [
    ...(norm === undefined ? [] : wantedOfEmbeddings(norm)),
    ...layers.flatMap(([layer, buffers]) => wantedOfLayer(plan, layer, buffers, { vector, matrix })),
  ];
  if (wanted.length > 0) await weights.stream(counted(wanted, progress));
  const slices = (buffers: ReadonlyMap<string, CountedBuffer>) =>
    new Map([...buffers].map(([name, buffer]) => [name, whole(buffer)]));
  return {
    embeddings: slices(embeddings),
    layers: new Map(layers.map(([layer, buffers]) => [layer, slices(buffers)])),
  };
}

function wantedOfLayer(
  { shape, weights }: ModelPlan,
  layer: number,
  buffers: ReadonlyMap<string, CountedBuffer>,
  into: {
    readonly vector: (spec: TensorSpec, buffer: CountedBuffer, offset: number) => WantedTensor;
    readonly matrix: (spec: TensorSpec, place: MatrixPlace) => WantedTensor;
  },
): readonly WantedTensor[] {
  return layerTensorSpecs(shape).map(({ key, path, shape: dims }) => {
    const spec = { name: layerTensorName(layer, path), shape: dims };
    const norm = /^(attention\.output|output)\.LayerNorm\.(weight|bias)$/.exec(key);
    if (norm !== null) {
      const buffer = buffers.get(norm[1] === 'output' ? 'norm2' : 'norm1')!;
      return into.vector(spec, buffer, norm[2] === 'bias' ? shape.hiddenSize : 0);
    }
    const { product, part } = MATRIX_OF[key.replace(/\.(weight|bias)$/, '') as LoraTarget];
    const bias = buffers.get(`${product}.bias`)!;
    const rows = dims[0]!;
    if (!isMatrix(key)) return into.vector(spec, bias, part * rows);
    const outer = rows * (product === 'qkv' ? 3 : 1);
    const firstRow = part * rows;
    return into.matrix(spec, {
      buffer: buffers.get(product)!,
      weights,
      firstRow,
      scales: bias,
      firstScale: outer + firstRow,
    });
  });
}
