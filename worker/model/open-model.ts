import * as v from 'valibot';
import type { ModelShape, ModelSource } from '../../signaling/protocol/settings.ts';
import { MissingFileError, readAhead, SourceError } from '../files/byte-source.ts';
import { type CacheOptions, cachedSource } from '../files/cached-source.ts';
import type { ChunkStore } from '../files/chunk-store.ts';
import { type OpenFile, readJson } from '../files/open-file.ts';
import { parseModelConfig } from './config.ts';
import { modelFileUrl } from './model-files.ts';
import { SafetensorsError } from './safetensors.ts';
import { openShards, type Shard, type Weights } from './weights.ts';

const WEIGHTS = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
/** Models' own have some kilobytes. */
const MAX_CONFIG_BYTES = 2 ** 20;
/** What models come as that have no safetensors. */
const PICKLES = ['pytorch_model.bin', 'pytorch_model.bin.index.json'];

const MAX_INDEX_BYTES = 16 * 2 ** 20;
const MAX_SHARDS = 200;
/** One file beside the index; never a path. */
const SHARD_NAME = /^[\w-][\w.-]{0,199}\.safetensors$/;

const IndexSchema = v.object({ weight_map: v.record(v.string(), v.string()) });

/** The files of one model, from wherever its source says, by way of this device's store. */
export interface ModelFiles {
  readonly shape: () => Promise<ModelShape>;
  readonly json: (name: 'config.json' | 'tokenizer.json') => Promise<unknown>;
  readonly open: OpenFile;
  /** The files with the weights. */
  readonly shards: () => Promise<readonly Shard[]>;
  /** Reads the headers of the weights. `onRead` is told the bytes of tensors as they are read. */
  readonly weights: (onRead?: (bytes: number) => void) => Promise<Weights>;
}

/**
 * A hub's models are kept on the device, in a page's own store the embedded one, too; a headless device, which meets servers at many
 * addresses, fetches that anew, and files of this machine are here already.
 */
export function modelFiles(
  open: OpenFile,
  store: ChunkStore | null,
  source: ModelSource,
  origin: string,
  options: CacheOptions = {},
): ModelFiles {
  const openKept: OpenFile = async (url) =>
    store !== null && (source.kind === 'hub' || store.ofOrigin) && /^https?:/.test(url)
      ? cachedSource(url, open, store, options)
      : readAhead(await open(url), options.peek === true ? PEEK_BYTES : undefined);
  const at = (name: string) => modelFileUrl(source, origin, name);
  const json = (name: string) => readJson(openKept, at(name), name === 'config.json' ? MAX_CONFIG_BYTES : undefined);
  const shards = () => findShards((name) => openKept(at(name)), source.id);
  return {
    open: (name) => openKept(at(name)).catch((error: unknown) => explained(error, name, source.id)),
    json: (name) => json(name).catch((error: unknown) => explained(error, name, source.id)),
    shape: async () => parseModelConfig(await json('config.json')),
    shards,
    weights: async (onRead) => openShards(await shards(), onRead),
  };
}

/** Models from before `tokenizer.json` have the files that it is made from. */
function explained(error: unknown, name: string, model: string): never {
  if (!(error instanceof MissingFileError) || name !== 'tokenizer.json') throw error;
  throw new SourceError(
    `${model} has no tokenizer.json, in which its tokens are. Make one where its other files are and put it beside them: python -c "from transformers import AutoTokenizer; AutoTokenizer.from_pretrained('.', use_fast=True).save_pretrained('.')".`,
  );
}

const PEEK_BYTES = 64 * 1024;

async function findShards(open: OpenFile, model: string): Promise<readonly Shard[]> {
  try {
    return [{ name: WEIGHTS, source: await open(WEIGHTS), tensors: null }];
  } catch (error) {
    if (!(error instanceof MissingFileError)) throw error;
  }
  let index: Awaited<ReturnType<OpenFile>>;
  try {
    index = await open(INDEX);
  } catch (error) {
    if (!(error instanceof MissingFileError)) throw error;
    throw await noSafetensors(open, model);
  }
  if (index.size > MAX_INDEX_BYTES)
    throw new SafetensorsError(`${INDEX} has ${index.size} bytes; an index of a model has at most ${MAX_INDEX_BYTES}.`);
  const files = parseIndex(await index.read(0, index.size));
  return Promise.all(
    [...files].map(async ([name, tensors]) => {
      try {
        return { name, source: await open(name), tensors };
      } catch (error) {
        if (!(error instanceof MissingFileError)) throw error;
        throw new SafetensorsError(`${INDEX} names ${name}, which is not beside it; the model is not complete.`);
      }
    }),
  );
}

/**
 * The tensors of each file that an index names (`save_pretrained` of transformers writes it).
 * @throws SafetensorsError when it is no index or names what is not a file beside it.
 */
export function parseIndex(bytes: Uint8Array): ReadonlyMap<string, ReadonlySet<string>> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new SafetensorsError(`${INDEX} is not JSON.`);
  }
  const read = v.safeParse(IndexSchema, json);
  if (!read.success) throw new SafetensorsError(`${INDEX} has no "weight_map" from tensors to files.`);
  const files = new Map<string, Set<string>>();
  for (const [tensor, file] of Object.entries(read.output.weight_map)) {
    if (!SHARD_NAME.test(file))
      throw new SafetensorsError(
        `${INDEX} names ${JSON.stringify(file.slice(0, 100))}, which is not a safetensors file beside it.`,
      );
    files.set(file, (files.get(file) ?? new Set()).add(tensor));
  }
  if (files.size === 0 || files.size > MAX_SHARDS)
    throw new SafetensorsError(`${INDEX} names ${files.size} files; 1 to ${MAX_SHARDS} are read.`);
  return files;
}

async function noSafetensors(open: OpenFile, model: string): Promise<Error> {
  for (const name of PICKLES)
    try {
      await open(name);
      return new SafetensorsError(
        `${model} has its weights as ${name} alone, a pickle, which can run code when it is opened; choose a revision with ${WEIGHTS}, or convert it.`,
      );
    } catch (error) {
      if (!(error instanceof MissingFileError)) return error instanceof Error ? error : new Error(String(error));
    }
  return new SourceError(`${model} has no ${WEIGHTS}; is it a model, and the revision right?`);
}
