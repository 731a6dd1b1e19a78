import type { ModelShape, ModelSource } from '../../signaling/protocol/settings.ts';
import { type OpenFile, readJson } from '../files/open-file.ts';
import { parseModelConfig } from './config.ts';

/** Where a model's file lies. `origin` is the address that serves the page, or the `file:` URL of the folder that holds `models/`. */
export function modelFileUrl(source: ModelSource, origin: string, name: string): string {
  const folder =
    source.kind === 'embedded'
      ? `${withSlash(origin)}models/${source.id}`
      : `${withSlash(source.endpoint)}${source.id}/resolve/${encodeURIComponent(source.revision)}`;
  return `${folder}/${name}`;
}

function withSlash(url: string): string {
  return url.endsWith('/') ? url : `${url}/`;
}

/** @throws SourceError, or ConfigError when the model is not a RoBERTa encoder. */
export async function readModelShape(open: OpenFile, source: ModelSource, origin: string): Promise<ModelShape> {
  return parseModelConfig(await readJson(open, modelFileUrl(source, origin, 'config.json')));
}
