import { rankOf } from '../../../signaling/protocol/adapters.ts';
import { layersOf } from '../../model/layout.ts';
import { hiddenFromValues } from '../hidden.ts';
import type { EngineParts } from './parts.ts';
import { OnnxPass } from './pass.ts';

/** f32 values that a layer keeps for its backward pass, of each of a batch's B*T rows: perRow + perRowAndToken * T. */
export interface SavedSizes {
  readonly perRow: number;
  readonly perRowAndToken: number;
}

/** Counted, not predicted: the layer with most to keep, which is the one of the largest rank, runs on one token and on two. */
export async function measureSavedSizes(parts: EngineParts): Promise<SavedSizes> {
  const { shape, lora } = parts.request;
  const [first, ...others] = layersOf(parts.part);
  if (first === undefined) return { perRow: 0, perRowAndToken: 0 };
  const layer = others.reduce((a, b) => (rankOf(lora, b) > rankOf(lora, a) ? b : a), first);
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
    const input = hiddenFromValues(batch, new Float32Array(tokens * shape.hiddenSize));
    try {
      const hidden = await pass.forward({ from: layer, to: layer + 1 }, input);
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
