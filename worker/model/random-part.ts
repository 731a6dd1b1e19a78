import { alphaOf, rankOf, trainedLayers } from '../../signaling/protocol/adapters.ts';
import { LORA_TARGETS, type LoraSettings, type ModelShape } from '../../signaling/protocol/settings.ts';
import type { TensorSpec, WantedTensor, Weights } from './weights.ts';

/**
 * A model that nothing need be fetched for, to measure what one layer of the session's real one costs: its widths, its table of
 * positions, adapters and head, but a single layer and a few words. What a row of numbers holds does not change how long it takes.
 */
export function oneLayerModel(shape: ModelShape, lora: LoraSettings): { shape: ModelShape; lora: LoraSettings } {
  // The layer with most to do: of the largest rank.
  const layer = trainedLayers(lora, shape.layers).reduce((a, b) => (rankOf(lora, b) > rankOf(lora, a) ? b : a));
  return {
    shape: { ...shape, layers: 1, vocabSize: Math.min(shape.vocabSize, Math.max(WORDS, shape.padTokenId + 1)) },
    lora: {
      rank: rankOf(lora, layer),
      alpha: alphaOf(lora, layer),
      targets: LORA_TARGETS.filter((target) => lora.targets.includes(target)),
      ...(lora.rslora === undefined ? {} : { rslora: lora.rslora }),
    },
  };
}

/** Rows of the word table: reading one row does not take longer among more of them. */
const WORDS = 64;
/** Values that are handed on at a time, about. */
const PIECE_VALUES = 2 ** 18;

/** Every tensor that is asked for, in any shape, of seeded random values: normalising weights around 1, all else around 0. */
export function randomWeights(seed: number): Weights {
  let state = seed >>> 0;
  const piece = (values: Float32Array, mean: number, deviation: number): Float32Array => {
    for (let i = 0; i < values.length; i++) {
      // A linear congruential generator (Numerical Recipes): millions of values, none of them for anything but arithmetic.
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      values[i] = mean + deviation * (state / 2 ** 31 - 1);
    }
    return values;
  };
  const stream = async (wanted: readonly WantedTensor[]): Promise<void> => {
    for (const { name, shape, take } of wanted) {
      const [rows, columns] = shape.length === 2 ? [shape[0]!, shape[1]!] : [1, shape[0]!];
      const mean = name.endsWith('LayerNorm.weight') ? 1 : 0;
      const deviation = shape.length === 2 ? 1 / Math.sqrt(columns) : 0.1;
      const rowsAtOnce = Math.max(1, Math.floor(PIECE_VALUES / columns));
      for (let row = 0; row < rows; row += rowsAtOnce) {
        const count = Math.min(rowsAtOnce, rows - row) * columns;
        await take(piece(new Float32Array(count), mean, deviation), row * columns);
      }
    }
  };
  const read = async ({ name, shape }: TensorSpec): Promise<Float32Array> => {
    const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
    await stream([{ name, shape, take: (part, offset) => values.set(part, offset) }]);
    return values;
  };
  return {
    has: () => true,
    shapeOf: () => null,
    fileBytes: () => ({ total: 0, kept: 0 }),
    chunks: () => [],
    stream,
    read: (name, shape) => read({ name, shape }),
    readFirstRow: (name, width) => read({ name, shape: [1, width] }),
  };
}
