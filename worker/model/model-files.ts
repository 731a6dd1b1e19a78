import type { ModelSource } from '../../signaling/protocol/settings.ts';

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
