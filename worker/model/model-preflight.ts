import {
  type ModelShape,
  type ModelSource,
  WEIGHT_STORAGES,
  type WeightStorage,
} from '../../signaling/protocol/settings.ts';
import { bytesText } from '../../signaling/protocol/words/quantities.ts';
import type { Preflight } from '../api/host-api.ts';
import type { ChunkStore } from '../files/chunk-store.ts';
import type { OpenFile } from '../files/open-file.ts';
import { createTokenizer } from '../tokenizer/tokenizer.ts';
import { TokenizerError } from '../tokenizer/tokenizer-error.ts';
import { maxTokens } from './config.ts';
import { frozenBytes, frozenTensors, layerBytes } from './description.ts';
import { type ModelFiles, modelFiles } from './open-model.ts';

const WORDS: Readonly<Record<WeightStorage, string>> = { f32: '32-bit', f16: '16-bit', int8: '8-bit' };
/** A sentence or two; rounds may bring more samples and tokens, and the planner counts those exactly. */
const SAMPLE_TOKENS = 128;

/**
 * What a model takes, before anything large is fetched: its configuration is read, and the headers of its weights.
 * @throws SourceError, ConfigError or SafetensorsError when it is not there or cannot be trained.
 */
export async function preflight(
  open: OpenFile,
  store: ChunkStore | null,
  source: ModelSource,
  origin: string,
  memoryLimitBytes: number,
): Promise<Preflight> {
  const files = modelFiles(open, store, source, origin, { peek: true });
  const shape = await files.shape();
  const small = await Promise.all((['config.json', 'tokenizer.json'] as const).map(files.open));
  const weights = (await files.weights()).fileBytes(frozenTensors(shape));
  const totalBytes = small.reduce((sum, { size }) => sum + size, weights.total);
  const cachedBytes = small.reduce((sum, file) => sum + (file.keptBytes?.(0, file.size) ?? 0), weights.kept);
  const memoryBytes = {
    f32: trainingBytes(shape, 'f32'),
    f16: trainingBytes(shape, 'f16'),
    int8: trainingBytes(shape, 'int8'),
  };
  const fits = WEIGHT_STORAGES.find((storage) => memoryBytes[storage] <= memoryLimitBytes) ?? null;
  const name = source.id;
  const tokenizer = await tokenizerOf(files, small[1]!.size, shape);
  return {
    tokenizer,
    name,
    shape,
    totalBytes,
    cachedBytes,
    downloadBytes: totalBytes - cachedBytes,
    memoryBytes,
    activations: activationBytes(shape),
    memoryLimitBytes,
    fits,
    sentence: verdict(name, memoryBytes, memoryLimitBytes, fits),
  };
}

/** XLM-R's has 17 MB, which nobody wants to wait for before anything is chosen. */
const MAX_TOKENIZER_BYTES = 8 * 2 ** 20;

async function tokenizerOf(files: ModelFiles, bytes: number, shape: ModelShape): Promise<Preflight['tokenizer']> {
  if (bytes > MAX_TOKENIZER_BYTES)
    return { sentence: `Its tokenizer (${bytesText(bytes)}) is looked at when the session opens.`, usable: true };
  try {
    return { sentence: createTokenizer(await files.json('tokenizer.json'), shape.vocabSize).about, usable: true };
  } catch (error) {
    if (!(error instanceof TokenizerError)) throw error;
    return { sentence: error.message, usable: false };
  }
}

/**
 * Bytes that a device on WASM takes to train all layers with one sample, adapters on query and value: frozen tensors, the library's copy
 * of the layer that runs, one matrix in f32 where it is stored otherwise, and what a sample's layers keep for the way back.
 */
export function trainingBytes(shape: ModelShape, storage: WeightStorage): number {
  const { hiddenSize: c, ffnSize: f } = shape;
  const { tokens, perToken, perTokenSquared } = activationBytes(shape);
  const unpacked = storage === 'f32' ? 0 : 4 * c * f;
  const activations = tokens * perToken + tokens * tokens * perTokenSquared;
  return frozenBytes(shape, storage) + layerBytes(shape, storage) + activations + unpacked;
}

/** What a sample's layers keep for the way back, one layer's worth once more while it runs, and what it takes in passing. */
function activationBytes(shape: ModelShape): Preflight['activations'] {
  const { hiddenSize: c, ffnSize: f, heads, layers } = shape;
  return {
    tokens: Math.min(SAMPLE_TOKENS, maxTokens(shape)),
    perToken: 4 * ((layers + 1) * (SAVED.hidden * c + SAVED.ffn * f) + 6 * c + 3 * f),
    perTokenSquared: 4 * ((layers + 1) * SAVED.headAndToken * heads + 3 * heads),
  };
}

/** Values that a layer keeps for each token, as multiples of the hidden size, of the feed-forward size and of heads times tokens. */
const SAVED = { hidden: 7, ffn: 1, headAndToken: 1 } as const;

function verdict(
  name: string,
  memoryBytes: Readonly<Record<WeightStorage, number>>,
  limit: number,
  fits: WeightStorage | null,
): string {
  const least = bytesText(memoryBytes.int8);
  if (fits === null)
    return `This device cannot hold ${name}: even with 8-bit weights it takes ${least}, and training may use ${bytesText(limit)} here.`;
  const holds = `This device can hold ${name} with ${WORDS[fits]} weights: ${bytesText(memoryBytes[fits])} of the ${bytesText(limit)} that training may use here`;
  return fits === 'f32' ? `${holds}.` : `${holds}; 32-bit ones would take ${bytesText(memoryBytes.f32)}.`;
}
