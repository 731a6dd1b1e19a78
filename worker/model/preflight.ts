import {
  type ModelShape,
  type ModelSource,
  WEIGHT_STORAGES,
  type WeightStorage,
} from '../../signaling/protocol/settings.ts';
import type { Preflight } from '../rpc.ts';
import { parameterCounts } from './description.ts';
import { MODEL_FILES, modelFileUrl, type OpenFile, readModelShape } from './model-files.ts';

/** Bytes of a value, and of a row's scale. */
const BYTES: Readonly<Record<WeightStorage, number>> = { f32: 4, f16: 2, int8: 1 };

/** Frozen tensors in memory, in a storage. */
export function storedBytes(shape: ModelShape, storage: WeightStorage): number {
  const { layer, embeddings } = parameterCounts(shape);
  return BYTES[storage] * (embeddings + shape.layers * layer);
}

/** @throws SourceError, ConfigError or SafetensorsError when the model is not there or cannot be trained. */
export async function preflight(
  open: OpenFile,
  source: ModelSource,
  origin: string,
  memoryLimitBytes: number,
): Promise<Preflight> {
  const shape = await readModelShape(open, source, origin);
  const sizes = await Promise.all(
    MODEL_FILES.map(async (name) => (await open(modelFileUrl(source, origin, name))).size),
  );
  const totalBytes = sizes.reduce((a, b) => a + b, 0);
  const memoryBytes = {
    f32: storedBytes(shape, 'f32'),
    f16: storedBytes(shape, 'f16'),
    int8: storedBytes(shape, 'int8'),
  };
  const fits = WEIGHT_STORAGES.find((storage) => memoryBytes[storage] <= memoryLimitBytes) ?? null;
  return {
    name: source.id,
    shape,
    totalBytes,
    cachedBytes: 0,
    downloadBytes: totalBytes,
    memoryBytes,
    memoryLimitBytes,
    fits,
    sentence:
      fits === null
        ? `This device cannot hold ${source.id}: even with 8-bit weights it takes ${megabytes(memoryBytes.int8)}, and training may use ${megabytes(memoryLimitBytes)} here.`
        : `This device can hold ${source.id} with ${fits} weights: ${megabytes(memoryBytes[fits])} of ${megabytes(memoryLimitBytes)}.`,
  };
}

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6).toLocaleString('en-US')} MB`;
