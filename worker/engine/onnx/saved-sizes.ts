import { hiddenFromValues } from '../hidden.ts';
import type { EngineParts } from './parts.ts';
import { OnnxPass } from './pass.ts';

/** f32 values that a layer keeps for its backward pass, of each of a batch's B*T rows: perRow + perRowAndToken * T. */
export interface SavedSizes {
  readonly perRow: number;
  readonly perRowAndToken: number;
}

/** Counted, not predicted: one layer runs on one token and on two. */
export async function measureSavedSizes(parts: EngineParts): Promise<SavedSizes> {
  const count = async (tokens: number): Promise<number> => {
    const batch = {
      ids: new Int32Array(tokens),
      lengths: Int32Array.of(tokens),
      labels: Float32Array.of(0),
      positions: Int32Array.of(0),
      tokens,
    };
    const dropout = { probability: parts.request.withDropout ? 0.5 : 0, seed: 0, round: 1 };
    const pass = new OnnxPass(parts, batch, { saveFrom: 0, dropout });
    const input = hiddenFromValues(1, tokens, new Float32Array(tokens * parts.request.shape.hiddenSize));
    try {
      const hidden = await pass.forward({ from: 0, to: 1 }, input);
      hidden.dispose();
      return pass.savedValues();
    } finally {
      pass.dispose();
    }
  };
  const one = await count(1);
  const perRowAndToken = (await count(2)) / 2 - one;
  return { perRow: one - perRowAndToken, perRowAndToken };
}
