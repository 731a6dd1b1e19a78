import type { Block } from '../../signaling/protocol/round.ts';
import type { ModelShape } from '../../signaling/protocol/settings.ts';
import type { ModelPart } from '../../signaling/protocol/split.ts';
import type { TokenBatch } from '../api/batch.ts';
import type { UnitStorage } from '../model/description.ts';
import { layersOf, longestBlock, type ParameterBlock, type ParameterLayout, placeOfBlock } from '../model/layout.ts';
import type { BlockValues, Engine, EngineRequest, LayerRange, Pass } from './engine.ts';
import { firstOfPacked, hiddenFromFirst, hiddenFromPacked } from './hidden.ts';

/** What all engines of a part of a model have in common. */

/** "the embeddings, layers 0 to 5 and the head", layers by their index. */
export function partText({ embeddings, layers: { from, to }, head }: ModelPart): string {
  const layers = to <= from ? [] : to === from + 1 ? [`layer ${from}`] : [`layers ${from} to ${to - 1}`];
  const words = [...(embeddings ? ['the embeddings'] : []), ...layers, ...(head ? ['the head'] : [])];
  if (words.length === 0) return 'nothing of the model';
  return words.length === 1 ? words[0]! : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

function absent(what: string, part: ModelPart): RangeError {
  return new RangeError(`${what} not held here: this device has ${partText(part)}.`);
}

export function requireEmbeddings(part: ModelPart, { ids }: Pick<TokenBatch, 'ids'>): void {
  if (!part.embeddings) throw absent('The embeddings are', part);
  if (ids.length === 0) throw new RangeError('There are no token ids to embed.');
}

export function requireHead(
  part: ModelPart,
  { labels }: Pick<TokenBatch, 'labels'>,
  want: Parameters<Pass['loss']>[1],
): void {
  if (!part.head) throw absent('The head is', part);
  if (labels.length === 0 && (want.dHidden || want.headGradient))
    throw new RangeError('There are no labels for a gradient.');
}

export function requireLayers({ from, to }: LayerRange, part: ModelPart, { layers }: Pick<ModelShape, 'layers'>): void {
  if (!(Number.isInteger(from) && Number.isInteger(to) && 0 <= from && from <= to && to <= layers))
    throw new RangeError(`Layers ${from} to ${to} are not a range of the model's ${layers}.`);
  if (from < to && (from < part.layers.from || to > part.layers.to))
    throw absent(to === from + 1 ? `Layer ${from} is` : `Layers ${from} to ${to - 1} are`, part);
}

/** The head alone reads one token of each sample, and nothing of the others exists for it. */
export const isHeadAlone = (part: ModelPart): boolean =>
  part.head && !part.embeddings && part.layers.to <= part.layers.from;

/** How an engine keeps the matrices of each kind of unit. */
export const storageOf = ({
  weightStorage,
  embeddingStorage = weightStorage,
}: Pick<EngineRequest, 'weightStorage' | 'embeddingStorage'>): UnitStorage => ({
  layers: weightStorage,
  embeddings: embeddingStorage,
});

/** The trained blocks of a part that are not empty, and where each lies in the flat vector of the whole model. */
export function blocksOf(layout: ParameterLayout, part: ModelPart): ReadonlyMap<Block, ParameterBlock> {
  const blocks: Block[] = [...layersOf(part), ...(part.head ? (['head'] as const) : [])];
  return new Map(
    blocks.map((block) => [block, placeOfBlock(layout, block)] as const).filter(([, { length }]) => length > 0),
  );
}

/** f32 values of a part's trained blocks: of all, of the head, and of the layer that has most. */
export interface TrainedSizes {
  readonly parameters: number;
  readonly headLength: number;
  readonly longest: number;
}

export const trainedSizes = (layout: ParameterLayout, part: ModelPart): TrainedSizes => ({
  parameters: [...blocksOf(layout, part).values()].reduce((sum, { length }) => sum + length, 0),
  headLength: part.head ? layout.head.length : 0,
  longest: longestBlock(layout, part),
});

/** Copies of the part's blocks out of the flat vector of the whole model. @throws RangeError where its length is not the model's. */
export function blocksFrom(layout: ParameterLayout, part: ModelPart, values: Float32Array): readonly BlockValues[] {
  if (values.length !== layout.length)
    throw new RangeError(`The model has ${layout.length} trainable values; ${values.length} were given.`);
  return [...blocksOf(layout, part)].map(([block, { offset, length }]) => ({
    block,
    values: values.slice(offset, offset + length),
  }));
}

/** The same blocks, checked. @throws RangeError where one is not the part's, or has another length. */
export function checkedBlocks(
  layout: ParameterLayout,
  part: ModelPart,
  blocks: readonly BlockValues[],
): readonly BlockValues[] {
  const held = blocksOf(layout, part);
  for (const { block, values } of blocks) {
    const name = block === 'head' ? 'The head' : `Layer ${block}`;
    const place = held.get(block);
    if (place === undefined) throw absent(`${name}'s trained values are`, part);
    if (values.length !== place.length)
      throw new RangeError(`${name} has ${place.length} trained values; ${values.length} were given.`);
  }
  return blocks;
}

/** `wrapHidden` and `wrapFirst` of an engine whose input comes from this processor's memory. */
export function hiddenWrappers(part: ModelPart, width: number): Pick<Engine, 'wrapHidden' | 'wrapFirst'> {
  const wrapFirst = async ({ lengths, tokens }: TokenBatch, first: Float32Array) =>
    isHeadAlone(part)
      ? hiddenFromFirst({ lengths: new Int32Array(lengths.length).fill(1), tokens: 1 }, first, width)
      : hiddenFromFirst({ lengths, tokens }, first, width);
  return {
    wrapFirst,
    wrapHidden: async (batch, packed) => {
      const hidden = hiddenFromPacked(batch, packed, width);
      return isHeadAlone(part) ? wrapFirst(batch, firstOfPacked(batch, packed)) : hidden;
    },
  };
}
