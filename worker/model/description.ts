import {
  LORA_TARGETS,
  type LoraTarget,
  type ModelShape,
  type WeightStorage,
} from '../../signaling/protocol/settings.ts';
import { type ModelPart, wholePart } from '../../signaling/protocol/split.ts';
import { bytesText } from '../../signaling/protocol/words/quantities.ts';
import { layersOf, targetShape } from './layout.ts';
import { emptyMatrix, matrixBytes, type StoredMatrix, storeRows } from './stored-matrix.ts';
import { EMBEDDING_NAMES, layerTensorName, MODULE_PATHS } from './tensor-names.ts';
import type { TensorSpec, WantedTensor, Weights } from './weights.ts';

/** The frozen tensors of a RoBERTa encoder: Hugging Face's names and shapes, and how an engine on the processor keeps them. */

type Part = 'weight' | 'bias';
export type LayerMatrix = `${LoraTarget}.weight`;
export type LayerVector = `${LoraTarget}.bias` | `${'attention.output' | 'output'}.LayerNorm.${Part}`;
export type LayerTensor = LayerMatrix | LayerVector;

/** One layer's frozen tensors: matrices in the session's storage, vectors in f32. */
export interface FrozenLayer {
  readonly matrices: Readonly<Record<LayerMatrix, StoredMatrix>>;
  readonly vectors: Readonly<Record<LayerVector, Float32Array>>;
}

export interface FrozenEmbeddings {
  /** (V,C) */
  readonly word: StoredMatrix;
  /** (P,C) */
  readonly position: StoredMatrix;
  /** (1,C): RoBERTa has one token type; of models with more, the first is what a single segment gets. */
  readonly tokenType: StoredMatrix;
  readonly normWeight: Float32Array;
  readonly normBias: Float32Array;
}

/** A model, or a part of one: null and absent is what it lacks. The head's tensors are trained, so they are never among these. */
export interface FrozenModel {
  readonly embeddings: FrozenEmbeddings | null;
  /** By the layer's index in the whole model. */
  readonly layers: ReadonlyMap<number, FrozenLayer>;
}

/** How the frozen matrices of each kind of unit are kept: the tables of the embeddings may be in fewer bits than the layers. */
export interface UnitStorage {
  readonly layers: WeightStorage;
  readonly embeddings: WeightStorage;
}

const unitStorage = (storage: WeightStorage | UnitStorage): UnitStorage =>
  typeof storage === 'string' ? { layers: storage, embeddings: storage } : storage;

export interface LayerTensorSpec {
  readonly key: LayerTensor;
  /** Below `roberta.encoder.layer.<L>.`. */
  readonly path: string;
  readonly shape: readonly number[];
}

/** A layer's frozen tensors, in the order in which checkpoints usually hold them. */
export function layerTensorSpecs(shape: ModelShape): readonly LayerTensorSpec[] {
  const linear = (target: LoraTarget): LayerTensorSpec[] => {
    const [out, inner] = targetShape(shape, target);
    return [
      { key: `${target}.weight`, path: `${MODULE_PATHS[target]}.weight`, shape: [out, inner] },
      { key: `${target}.bias`, path: `${MODULE_PATHS[target]}.bias`, shape: [out] },
    ];
  };
  const norm = (at: 'attention.output' | 'output'): LayerTensorSpec[] =>
    (['weight', 'bias'] as const).map((part) => ({
      key: `${at}.LayerNorm.${part}`,
      path: `${at}.LayerNorm.${part}`,
      shape: [shape.hiddenSize],
    }));
  return LORA_TARGETS.flatMap((target) => [
    ...linear(target),
    ...(target === 'attention.output.dense' ? norm('attention.output') : []),
    ...(target === 'output.dense' ? norm('output') : []),
  ]);
}

export function embeddingSpecs(shape: ModelShape): Readonly<Record<keyof FrozenEmbeddings, TensorSpec>> {
  const c = shape.hiddenSize;
  return {
    word: { name: EMBEDDING_NAMES.word, shape: [shape.vocabSize, c] },
    position: { name: EMBEDDING_NAMES.position, shape: [shape.maxPositions, c] },
    tokenType: { name: EMBEDDING_NAMES.tokenType, shape: [1, c], firstRowOnly: true },
    normWeight: { name: EMBEDDING_NAMES.normWeight, shape: [c] },
    normBias: { name: EMBEDDING_NAMES.normBias, shape: [c] },
  };
}

/** Everything that an engine of this part reads of a model's files. */
export function frozenTensors(shape: ModelShape, part: ModelPart = wholePart(shape.layers)): readonly TensorSpec[] {
  const specs = layerTensorSpecs(shape);
  return [
    ...(part.embeddings ? Object.values(embeddingSpecs(shape)) : []),
    ...layersOf(part).flatMap((layer) =>
      specs.map(({ path, shape: dims }) => ({ name: layerTensorName(layer, path), shape: dims })),
    ),
  ];
}

/**
 * Reads the frozen tensors of a part in one pass over the files, each row straight into the place where it stays. All memory is taken
 * beforehand: a device that has too little fails before it downloads.
 */
export async function loadFrozen(
  weights: Weights,
  shape: ModelShape,
  storage: WeightStorage | UnitStorage,
  part: ModelPart = wholePart(shape.layers),
  onTensor?: (done: number, total: number) => void,
): Promise<FrozenModel> {
  const wanted: WantedTensor[] = [];
  const kept = unitStorage(storage);
  const matrix = (spec: TensorSpec, as: WeightStorage = kept.layers): StoredMatrix => {
    const [rows, columns] = spec.shape;
    const stored = emptyMatrix(as, rows!, columns!);
    wanted.push({ ...spec, take: (values, offset) => storeRows(stored, offset / columns!, values) });
    return stored;
  };
  const vector = (spec: TensorSpec): Float32Array => {
    const values = new Float32Array(spec.shape[0]!);
    wanted.push({ ...spec, take: (piece, offset) => values.set(piece, offset) });
    return values;
  };
  let model: FrozenModel;
  try {
    const { word, position, tokenType, normWeight, normBias } = embeddingSpecs(shape);
    const emptyEmbeddings = (): FrozenEmbeddings => ({
      word: matrix(word, kept.embeddings),
      position: matrix(position, kept.embeddings),
      tokenType: matrix(tokenType, kept.embeddings),
      normWeight: vector(normWeight),
      normBias: vector(normBias),
    });
    model = {
      embeddings: part.embeddings ? emptyEmbeddings() : null,
      layers: new Map(layersOf(part).map((layer) => [layer, emptyLayer(shape, layer, matrix, vector)])),
    };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new Error(
      `This device has no room for the model's ${bytesText(frozenBytes(shape, storage, part))} in memory; a session with 8-bit weights takes ${bytesText(frozenBytes(shape, 'int8', part))}.`,
    );
  }
  if (wanted.length > 0) await weights.stream(counted(wanted, onTensor));
  return model;
}

/** The same tensors; `onTensor` hears of each that has arrived. */
export function counted(
  wanted: readonly WantedTensor[],
  onTensor?: (done: number, total: number) => void,
): readonly WantedTensor[] {
  let read = 0;
  return wanted.map((tensor): WantedTensor => {
    const size = tensor.shape.reduce((a, b) => a * b, 1);
    return {
      ...tensor,
      take: async (values, offset) => {
        await tensor.take(values, offset);
        if (offset + values.length === size) onTensor?.(++read, wanted.length);
      },
    };
  });
}

function emptyLayer(
  shape: ModelShape,
  layer: number,
  matrix: (spec: TensorSpec) => StoredMatrix,
  vector: (spec: TensorSpec) => Float32Array,
): FrozenLayer {
  const matrices: Partial<Record<LayerMatrix, StoredMatrix>> = {};
  const vectors: Partial<Record<LayerVector, Float32Array>> = {};
  for (const { key, path, shape: dims } of layerTensorSpecs(shape)) {
    const spec = { name: layerTensorName(layer, path), shape: dims };
    if (isMatrix(key)) matrices[key] = matrix(spec);
    else vectors[key] = vector(spec);
  }
  // Every key of either kind is among the specs.
  return { matrices: matrices as FrozenLayer['matrices'], vectors: vectors as FrozenLayer['vectors'] };
}

export function isMatrix(key: LayerTensor): key is LayerMatrix {
  return LORA_TARGETS.some((target) => key === `${target}.weight`);
}

/** Values of one layer and of the embeddings, for counting bytes. */
export function parameterCounts(shape: ModelShape): { readonly layer: number; readonly embeddings: number } {
  const sizes = layerTensorSpecs(shape).map(({ shape: dims }) => dims.reduce((a, b) => a * b, 1));
  return {
    layer: sizes.reduce((a, b) => a + b, 0),
    embeddings: (shape.vocabSize + shape.maxPositions + 3) * shape.hiddenSize,
  };
}

/** Bytes of one layer as `loadFrozen` keeps it. */
export function layerBytes(shape: ModelShape, storage: WeightStorage): number {
  return layerTensorSpecs(shape)
    .map(({ key, shape: dims }) => (isMatrix(key) ? matrixBytes(storage, dims[0]!, dims[1]!) : 4 * dims[0]!))
    .reduce((a, b) => a + b, 0);
}

/** Bytes of the embeddings as `loadFrozen` keeps them. */
export function embeddingBytes(shape: ModelShape, storage: WeightStorage): number {
  const c = shape.hiddenSize;
  const tables = [shape.vocabSize, shape.maxPositions, 1].map((rows) => matrixBytes(storage, rows, c));
  return tables.reduce((a, b) => a + b, 8 * c);
}

/** Bytes of what `loadFrozen` keeps of a part. */
export function frozenBytes(
  shape: ModelShape,
  storage: WeightStorage | UnitStorage,
  part: ModelPart = wholePart(shape.layers),
): number {
  const { layers, embeddings } = unitStorage(storage);
  return (part.embeddings ? embeddingBytes(shape, embeddings) : 0) + layersOf(part).length * layerBytes(shape, layers);
}
