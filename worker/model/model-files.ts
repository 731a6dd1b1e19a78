import type { ModelShape, ModelSource } from '../../signaling/protocol/settings.ts';
import { type ByteSource, SourceError } from './byte-source.ts';
import { parseModelConfig } from './config.ts';
import { httpSource } from './http-source.ts';

/** Opens an address; browsers know http(s) alone, a headless device adds `file:` (file-source.ts). */
export type OpenFile = (url: string) => Promise<ByteSource>;

/** Where a model's file lies. `origin` is the address that serves the page, or the `file:` URL of the folder that holds `models/`. */
export function modelFileUrl(source: ModelSource, origin: string, name: string): string {
  const folder =
    source.kind === 'embedded'
      ? `${withSlash(origin)}models/${source.id}`
      : `${withSlash(source.endpoint)}${source.id}/resolve/${source.revision}`;
  return `${folder}/${name}`;
}

function withSlash(url: string): string {
  return url.endsWith('/') ? url : `${url}/`;
}

export const openHttp: OpenFile = (url) => httpSource(url);

/** @throws SourceError when the file is not there or not JSON. */
export async function readJson(open: OpenFile, url: string): Promise<unknown> {
  const file = await open(url);
  try {
    return JSON.parse(new TextDecoder().decode(await file.read(0, file.size)));
  } catch (error) {
    if (error instanceof SyntaxError) throw new SourceError(`${url} is not JSON.`);
    throw error;
  }
}

/** @throws SourceError, or ConfigError when the model is not a RoBERTa encoder. */
export async function readModelShape(open: OpenFile, source: ModelSource, origin: string): Promise<ModelShape> {
  return parseModelConfig(await readJson(open, modelFileUrl(source, origin, 'config.json')));
}
