import type { ModelChunksApi } from '../../worker/api/chunks-api.ts';

/** Of a worker that keeps no model: it gives nothing to others, and takes nothing from them. */
export const NO_CHUNKS: ModelChunksApi = {
  open: async () => null,
  announce: async () => null,
  useFolder: async () => undefined,
  wanted: async () => [],
  fetch: async () => undefined,
  keep: async () => false,
  read: async () => null,
  hashed: async () => [],
};
