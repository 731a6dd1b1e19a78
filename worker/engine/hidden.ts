import type { Hidden } from './engine.ts';

/** Hidden states (B,T,C) that come from elsewhere, as an engine's input. */
export function hiddenFromValues(samples: number, tokens: number, values: Float32Array): Hidden {
  return { samples, tokens, read: async () => values, dispose: () => {} };
}
