import { rankOf, scaleOf } from '../../../signaling/protocol/adapters.ts';
import type { Block } from '../../../signaling/protocol/round.ts';
import { LORA_TARGETS, type LoraTarget, type ModelShape } from '../../../signaling/protocol/settings.ts';
import { type ModelPart, wholePart } from '../../../signaling/protocol/split.ts';
import type { TokenBatch } from '../../api/batch.ts';
import { frozenBytes, loadFrozen, parameterCounts } from '../../model/description.ts';
import { layersOf, type ParameterBlock, parameterLayout, placeOfBlock, targetShape } from '../../model/layout.ts';
import { matrixValues } from '../../model/stored-matrix.ts';
import { checkedBatch } from '../checked-batch.ts';
import {
  DROPOUT_SITES,
  type DropoutKey,
  headMasks,
  hiddenMask,
  loraSite,
  attentionMask as probabilityMask,
} from '../dropout.ts';
import { gatherEmbeddings } from '../embeddings.ts';
import type {
  BlockGradient,
  BlockValues,
  Engine,
  EngineBytes,
  EngineRequest,
  Hidden,
  LayerRange,
  Pass,
  PassNeeds,
  PassOptions,
} from '../engine.ts';
import { hiddenFromValues } from '../hidden.ts';
import { batchTargets, plainLoss } from '../loss.ts';
import {
  blocksFrom,
  checkedBlocks,
  hiddenWrappers,
  isHeadAlone,
  requireEmbeddings,
  requireHead,
  requireLayers,
  storageOf,
  type TrainedSizes,
  trainedSizes,
} from '../part.ts';
import { processorCopyRate } from '../processor-copy-rate.ts';
import type { AttentionDims } from './attention.ts';
import { layerNorm } from './functions.ts';
import { type Head, headAndLoss } from './head.ts';
import {
  type AdapterGradients,
  type Layer,
  type LayerMasks,
  type LayerSaved,
  layerBackward,
  layerForward,
} from './layer.ts';
import { type Matrix, masked, matrix } from './matrix.ts';
import type { Projection } from './projection.ts';

/** What becomes of values that are kept from one step to a later one. */
export type Store = (x: Matrix) => Matrix;

/**
 * The oracle of the other engines: plain loops in float64, for small models. `store` may round activations wherever an engine of lower
 * precision keeps them between its steps; sums, adapters and gradients stay float64.
 */
export async function createReferenceEngine(request: EngineRequest, store: Store = (x) => x): Promise<Engine> {
  const {
    shape,
    lora,
    labelCount,
    loss = plainLoss(labelCount),
    weights,
    part = wholePart(request.shape.layers),
  } = request;
  const layout = parameterLayout(shape, lora, labelCount);
  const progress = (done: number, total: number) => request.onProgress?.({ stage: 'weights', done, total });
  const { embeddings, layers: frozen } = await loadFrozen(weights, shape, storageOf(request), part, progress);
  const parameters = new Map<Block, Float32Array>();
  const put = (blocks: readonly BlockValues[]) => {
    for (const { block, values } of blocks) parameters.set(block, values);
  };
  put(blocksFrom(layout, part, new Float32Array(layout.length)));

  const slotMatrix = (block: Block, end: string): Matrix => {
    const place = placeOfBlock(layout, block);
    const { shape: dims, offset, length } = place.slots.find(({ name }) => name.endsWith(end))!;
    const from = offset - place.offset;
    return matrix(dims.length === 1 ? 1 : dims[0]!, dims.at(-1)!, parameters.get(block)!.subarray(from, from + length));
  };
  const projection = (index: number, target: LoraTarget): Projection => {
    const { matrices, vectors } = frozen.get(index)!;
    const [out, inner] = targetShape(shape, target);
    return {
      weight: matrix(out, inner, matrixValues(matrices[`${target}.weight`])),
      bias: matrix(1, out, vectors[`${target}.bias`]),
      lora:
        rankOf(lora, index) > 0 && lora.targets.includes(target)
          ? {
              a: slotMatrix(index, `.${index}.${target}.A`),
              b: slotMatrix(index, `.${index}.${target}.B`),
              scale: scaleOf(lora, index),
            }
          : null,
    };
  };
  const layerAt = (index: number): Layer => {
    const tensors = frozen.get(index)!.vectors;
    return {
      projections: byTarget((target) => projection(index, target)),
      attentionNorm: {
        weight: tensors['attention.output.LayerNorm.weight'],
        bias: tensors['attention.output.LayerNorm.bias'],
      },
      outputNorm: { weight: tensors['output.LayerNorm.weight'], bias: tensors['output.LayerNorm.bias'] },
      epsilon: shape.layerNormEps,
      store,
    };
  };
  const head = (): Head => ({
    dense: {
      weight: slotMatrix('head', 'dense.weight'),
      bias: slotMatrix('head', 'dense.bias').data,
    },
    outProj: {
      weight: slotMatrix('head', 'out_proj.weight'),
      bias: slotMatrix('head', 'out_proj.bias').data,
    },
  });

  const begin = (batch: TokenBatch, { saveFrom, dropout }: PassOptions): Pass => {
    const samples = batch.lengths.length;
    const rows = samples * batch.tokens;
    const dims: AttentionDims = { samples, tokens: batch.tokens, heads: shape.heads, lengths: batch.lengths };
    const saved = new Map<number, LayerSaved>();
    // What stays inside the engine stays in float64.
    const inside = new WeakMap<Hidden, Matrix>();
    const input = async (hidden: Hidden) => inside.get(hidden) ?? matrix(rows, shape.hiddenSize, await hidden.read());
    const output = (values: Matrix): Hidden => {
      const hidden = hiddenFromValues(batch, Float32Array.from(values.data));
      inside.set(hidden, values);
      return hidden;
    };
    const dropped = (layer: number, site: number, width: number) =>
      dropout.probability === 0 ? null : hiddenMask(dropout, layer, site, batch.positions, batch.tokens, width);

    return {
      embed: async () => {
        requireEmbeddings(part, batch);
        if (embeddings === null) throw new Error('A part with embeddings was loaded without them.');
        const sum = matrix(rows, shape.hiddenSize, gatherEmbeddings(embeddings, shape, batch));
        const { y } = layerNorm(sum, embeddings.normWeight, embeddings.normBias, shape.layerNormEps);
        return output(store(masked(y, dropped(0, DROPOUT_SITES.embeddings, shape.hiddenSize))));
      },
      forward: async (range, hidden) => {
        requireLayers(range, part, shape);
        let x = await input(hidden);
        for (let index = range.from; index < range.to; index++) {
          const masks = layerMasks(shape, dropout, batch, index, dropped);
          const result = layerForward(layerAt(index), x, dims, masks);
          if (index >= saveFrom) saved.set(index, result.saved);
          x = result.y;
        }
        return output(x);
      },
      loss: async (hidden, want) => {
        requireHead(part, batch, want);
        const masks = headMasks(dropout, batch.positions, shape.hiddenSize);
        const result = headAndLoss(head(), await input(hidden), loss, batchTargets(loss, batch, labelCount), masks);
        const gradient = new Float32Array(layout.head.length);
        let at = 0;
        for (const part of result.gradients) {
          gradient.set(part, at);
          at += part.length;
        }
        return {
          logits: Float32Array.from(result.logits.data),
          lossSum: result.lossSum,
          dHidden: want.dHidden ? output(result.dHidden) : null,
          head: want.headGradient ? { block: 'head', gradient } : null,
        };
      },
      backward: async function* (range: LayerRange, dHidden: Hidden, wantInput: boolean) {
        requireLayers(range, part, shape);
        let dy = await input(dHidden);
        for (let index = range.to - 1; index >= range.from; index--) {
          const kept = saved.get(index);
          if (kept === undefined) throw new Error(`Layer ${index} was not saved by this pass.`);
          const { dx, gradients } = layerBackward(layerAt(index), kept, dy, dims);
          saved.delete(index);
          const block = layout.layers[index]!;
          if (block.length > 0) yield blockGradient(block, index, gradients);
          dy = dx;
        }
        return wantInput ? output(dy) : null;
      },
      dispose: () => saved.clear(),
    };
  };

  return {
    name: 'reference',
    backend: 'plain TypeScript, float64',
    shape,
    layout,
    part,
    openPasses: Number.POSITIVE_INFINITY,
    computesPadding: true,
    recomputes: false,
    setParameters: async (values) => put(blocksFrom(layout, part, values)),
    setBlocks: async (blocks) =>
      put(checkedBlocks(layout, part, blocks).map(({ block, values }) => ({ block, values: values.slice() }))),
    begin: async (batch, options) => begin(checkedBatch(batch, shape, labelCount, loss, part), options),
    ...hiddenWrappers(part, shape.hiddenSize),
    bytes: (samples, tokens, needs) =>
      referenceBytes({ ...request, part }, trainedSizes(layout, part), samples, isHeadAlone(part) ? 1 : tokens, needs),
    fits: async () => true,
    copyBytesPerSecond: async () => processorCopyRate(),
    dispose: async () => {},
  };
}

function byTarget<T>(make: (target: LoraTarget) => T): Record<LoraTarget, T> {
  return Object.fromEntries(LORA_TARGETS.map((target) => [target, make(target)])) as Record<LoraTarget, T>;
}

function layerMasks(
  shape: ModelShape,
  dropout: DropoutKey,
  batch: TokenBatch,
  layer: number,
  dropped: (layer: number, site: number, width: number) => Float32Array | null,
): LayerMasks {
  return {
    attentionProbabilities:
      dropout.probability === 0 ? null : probabilityMask(dropout, layer, batch.positions, shape.heads, batch.tokens),
    attentionOutput: dropped(layer, DROPOUT_SITES.attentionOutput, shape.hiddenSize),
    ffnOutput: dropped(layer, DROPOUT_SITES.ffnOutput, shape.hiddenSize),
    lora: byTarget((target) => dropped(layer, loraSite(target), targetShape(shape, target)[1])),
  };
}

function blockGradient(block: ParameterBlock, layer: number, gradients: AdapterGradients): BlockGradient {
  const gradient = new Float32Array(block.length);
  for (const [key, values] of Object.entries(gradients)) {
    const slot = block.slots.find(({ name }) => name.endsWith(`.${layer}.${key}`))!;
    gradient.set(values.data, slot.offset - block.offset);
  }
  return { block: layer, gradient };
}

/** Of the float64 arrays that a pass keeps, without dropout's masks; garbage in between is the collector's business. */
function referenceBytes(
  request: EngineRequest & { readonly part: ModelPart },
  { parameters, headLength, longest }: TrainedSizes,
  samples: number,
  tokens: number,
  { savedLayers, openPasses = 1 }: PassNeeds,
): EngineBytes {
  const { shape, lora, part } = request;
  const { hiddenSize: c, ffnSize: f, heads } = shape;
  const layers = layersOf(part);
  const rank = Math.max(0, ...layers.map((layer) => rankOf(lora, layer)));
  const adapted = lora.targets.reduce((sum, target) => sum + targetShape(shape, target)[1] + rank, 0);
  const perLayer = tokens * (5 * c + f + heads * tokens + 2 + adapted);
  return {
    weightsBytes:
      frozenBytes(shape, storageOf(request), part) +
      4 * parameters +
      (layers.length > 0 ? 8 * parameterCounts(shape).layer : 0),
    transientBytes: 8 * samples * tokens * (layers.length > 0 ? 6 * c + 2 * f + heads * tokens : 3 * c),
    savedBytes: 8 * samples * savedLayers * openPasses * perLayer,
    gradientBytes: 4 * (headLength + savedLayers * longest),
  };
}
