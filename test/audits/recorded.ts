import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { WEIGHT_STORAGES, type WeightStorage } from '../../signaling/protocol/settings.ts';

const ranks = v.array(v.number());
const PairsSchema = v.array(
  v.strictObject({
    weights: v.picklist(WEIGHT_STORAGES),
    models: v.picklist(['roberta-mini', 'odd', 'twelve layers']),
    pair: v.string(),
    orders: v.number(),
    blocks: v.number(),
    /** Differences at evenly spaced ranks, ascending: the least, …, the greatest. */
    distance: ranks,
    stretch: ranks,
    loss: ranks,
    /** Of what the two halves of a model send up and down. */
    cuts: v.optional(v.strictObject({ orders: v.number(), distance: ranks, stretch: ranks })),
  }),
);
export type RecordedPair = v.InferOutput<typeof PairsSchema>[number];

/** Every pair of engines as `test/bench/audits/engine-pairs.ts` measured it. */
export const RECORDED: readonly RecordedPair[] = v.parse(
  PairsSchema,
  JSON.parse(readFileSync(new URL('../fixtures/engine-pairs.json', import.meta.url), 'utf8')),
);

export const pairsOf = (weights: WeightStorage): readonly RecordedPair[] =>
  RECORDED.filter((pair) => pair.weights === weights);

/** The value at this rank, 0 to 1. */
export function atRank(values: readonly number[], rank: number): number {
  const at = rank * (values.length - 1);
  const [low, high] = [values[Math.floor(at)], values[Math.ceil(at)]];
  return low + (high - low) * (at - Math.floor(at));
}
