import type { LoraTarget } from '../../../signaling/protocol/settings.ts';
import { type AttentionDims, type AttentionSaved, attention, attentionBackward } from './attention.ts';
import { gelu, geluBackward, type LayerNormSaved, layerNorm, layerNormBackward } from './functions.ts';
import { add, type Matrix, masked } from './matrix.ts';
import { type Projection, type ProjectionSaved, project, projectBackward } from './projection.ts';

/** One transformer layer of RoBERTa (post-LayerNorm, as in BERT), with adapters. */
export interface Layer {
  readonly projections: Readonly<Record<LoraTarget, Projection>>;
  readonly attentionNorm: { readonly weight: Float32Array; readonly bias: Float32Array };
  readonly outputNorm: { readonly weight: Float32Array; readonly bias: Float32Array };
  readonly epsilon: number;
  /** What becomes of values that are kept from one step to a later one: an engine of half precision stores them so. */
  readonly store: (x: Matrix) => Matrix;
}

/** Dropout masks of one pass through a layer; null where nothing is dropped. */
export interface LayerMasks {
  readonly attentionProbabilities: Float32Array | null;
  readonly attentionOutput: Float32Array | null;
  readonly ffnOutput: Float32Array | null;
  readonly lora: Readonly<Record<LoraTarget, Float32Array | null>>;
}

export interface LayerSaved {
  readonly masks: LayerMasks;
  readonly projections: Readonly<Record<LoraTarget, ProjectionSaved>>;
  readonly attention: AttentionSaved;
  readonly attentionNorm: LayerNormSaved;
  /** (M,F) before the GELU. */
  readonly intermediate: Matrix;
  readonly outputNorm: LayerNormSaved;
}

/** x (M,C) to (M,C), M = B*T. */
export function layerForward(
  layer: Layer,
  x: Matrix,
  dims: AttentionDims,
  masks: LayerMasks,
): { readonly y: Matrix; readonly saved: LayerSaved } {
  const apply = (target: LoraTarget, input: Matrix) => project(input, layer.projections[target], masks.lora[target]);
  const { store } = layer;
  const query = apply('query', x);
  const key = apply('key', x);
  const value = apply('value', x);
  const attended = attention(store(query.y), store(key.y), store(value.y), dims, masks.attentionProbabilities);
  const attentionOut = apply('attention.output.dense', store(attended.context));
  const { weight, bias } = layer.attentionNorm;
  const middle = layerNorm(add(x, masked(attentionOut.y, masks.attentionOutput)), weight, bias, layer.epsilon);
  const afterAttention = store(middle.y);
  const intermediate = apply('intermediate.dense', afterAttention);
  const output = apply('output.dense', store(gelu(intermediate.y)));
  const residual = add(afterAttention, masked(output.y, masks.ffnOutput));
  const out = layerNorm(residual, layer.outputNorm.weight, layer.outputNorm.bias, layer.epsilon);
  return {
    y: store(out.y),
    saved: {
      masks,
      projections: {
        query: query.saved,
        key: key.saved,
        value: value.saved,
        'attention.output.dense': attentionOut.saved,
        'intermediate.dense': intermediate.saved,
        'output.dense': output.saved,
      },
      attention: attended.saved,
      attentionNorm: { ...middle.saved, normalized: store(middle.saved.normalized) },
      intermediate: store(intermediate.y),
      outputNorm: { ...out.saved, normalized: store(out.saved.normalized) },
    },
  };
}

export type AdapterGradients = Partial<Record<`${LoraTarget}.${'A' | 'B'}`, Matrix>>;

/** dy (M,C) to dx (M,C) and the adapters' gradients; each line undoes one of layerForward, from the last. */
export function layerBackward(
  layer: Layer,
  saved: LayerSaved,
  dy: Matrix,
  dims: AttentionDims,
): { readonly dx: Matrix; readonly gradients: AdapterGradients } {
  const gradients: AdapterGradients = {};
  const undo = (target: LoraTarget, dOut: Matrix): Matrix => {
    const { dx, dA, dB } = projectBackward(dOut, layer.projections[target], saved.projections[target]);
    if (dA !== null && dB !== null) {
      gradients[`${target}.A`] = dA;
      gradients[`${target}.B`] = dB;
    }
    return dx;
  };
  const dResidual = layerNormBackward(dy, saved.outputNorm);
  const dActivated = undo('output.dense', masked(dResidual, saved.masks.ffnOutput));
  const dIntermediate = geluBackward(dActivated, saved.intermediate);
  const dMiddle = add(dResidual, undo('intermediate.dense', dIntermediate));
  const dSum = layerNormBackward(dMiddle, saved.attentionNorm);
  const dContext = undo('attention.output.dense', masked(dSum, saved.masks.attentionOutput));
  const { dq, dk, dv } = attentionBackward(dContext, saved.attention, dims);
  const dx = add(add(dSum, undo('query', dq)), add(undo('key', dk), undo('value', dv)));
  return { dx, gradients };
}
