import { MAX_LORA_ALPHA, MAX_LORA_RANK } from '../../protocol/limits.ts';
import type { LoraRequest, LoraSettings } from '../../protocol/settings.ts';
import { readAdapters } from '../../protocol/words/adapters.ts';
import { CommandError, number, wholeNumber } from '../command-line.ts';

/** What `demo` may be told of the adapters; whatever is not said is the recipe's. */
export const ADAPTER_OPTIONS = {
  rank: { type: 'string' },
  alpha: { type: 'string' },
  layers: { type: 'string' },
  'rank-pattern': { type: 'string' },
  'alpha-pattern': { type: 'string' },
  rslora: { type: 'boolean' },
} as const;

export const ADAPTER_HELP = `  --rank N           rank of the adapters (8)
  --alpha X          they are scaled by alpha / rank (the task's recipe)
  --layers LIST      layers with adapters, from 0 next to the embeddings: 1,3 or 4-7, or top:2 for the last two (all)
  --rank-pattern P   ranks of single layers, such as 3:4,5:16
  --alpha-pattern P  alphas of single layers
  --rslora           rank-stabilised: scaled by alpha / sqrt(rank)
`;

type Values = Readonly<{
  [Name in keyof typeof ADAPTER_OPTIONS]?: (Name extends 'rslora' ? boolean : string) | undefined;
}>;

/** @throws CommandError */
export function readLora(values: Values, recipe: LoraSettings): LoraRequest {
  const read = readAdapters({
    layers: values.layers ?? '',
    rankPattern: values['rank-pattern'] ?? '',
    alphaPattern: values['alpha-pattern'] ?? '',
    rslora: values.rslora ?? false,
  });
  if (!read.ok) {
    const { layers, rankPattern, alphaPattern } = read.problems;
    throw new CommandError(
      layers !== undefined
        ? `--layers: ${layers}`
        : rankPattern !== undefined
          ? `--rank-pattern: ${rankPattern}`
          : `--alpha-pattern: ${alphaPattern}`,
    );
  }
  return {
    ...recipe,
    rank: values.rank === undefined ? recipe.rank : wholeNumber('rank', values.rank, 1, MAX_LORA_RANK),
    alpha: values.alpha === undefined ? recipe.alpha : number('alpha', values.alpha, 1e-6, MAX_LORA_ALPHA),
    ...read.adapters,
  };
}
