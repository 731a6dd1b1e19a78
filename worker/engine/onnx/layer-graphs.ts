import type { LoraSettings, LoraTarget, ModelShape, WeightStorage } from '../../../signaling/protocol/settings.ts';
import type { LayerMatrix } from '../../model/description.ts';
import { GraphBuilder, type OnnxDialect, type Value } from './graph-builder.ts';
import type { GraphDescription } from './model-proto.ts';
import { add, attention, dropout, frozenLinear, layerNorm, scaledGelu } from './operations.ts';
import { Tape } from './tape.ts';

/** What the graphs of a layer are called with, besides its frozen tensors (by LayerTensor) and its adapters (`<target>.A`, `.B`). */
export const LAYER_INPUTS = {
  /** (M,C), M = B*T. */
  hidden: 'hidden',
  /** (M,C) */
  dHidden: 'dHidden',
  /** int64 (4): B, T, H, D. */
  headShape: 'headShape',
  /** (B,1,1,T) */
  padding: 'padding',
} as const;

/** Added to the scores of padded keys: exp of it is 0, beside any score of a real token. */
export const PADDING_SCORE = -1e9;

/** Inputs that carry dropout masks; present only in graphs made with dropout. */
export const LAYER_MASKS = {
  attentionProbabilities: 'mask.attentionProbabilities',
  attentionOutput: 'mask.attentionOutput',
  ffnOutput: 'mask.ffnOutput',
} as const;

export function loraMaskInput(target: LoraTarget): string {
  return `mask.lora.${target}`;
}

/** The kinds of step through any layer of one scale; they know nothing of a layer's index or rank, the batch or the padded length. */
export interface LayerGraphs {
  /** hidden to the next hidden. */
  readonly forward: GraphDescription;
  /** The same, and what `backward` needs. */
  readonly forwardSaving: GraphDescription;
  /** dHidden to the gradients of the adapters and of the layer's input. */
  readonly backward: GraphDescription;
  /** The same without the gradient of the input: the deepest layer that is trained. */
  readonly backwardDeepest: GraphDescription;
  /** Name of the next hidden state among the forward graphs' outputs. */
  readonly output: string;
  /** Name of the input's gradient among `backward`'s outputs. */
  readonly dInput: string;
  /** Names of the adapters' gradients, in both backward graphs. */
  readonly dAdapters: ReadonlyMap<
    `${LoraTarget}.${'A' | 'B'}`,
    { readonly backward: string; readonly deepest: string }
  >;
}

export interface LayerGraphOptions {
  readonly shape: ModelShape;
  /** None of a layer without adapters. */
  readonly targets: LoraSettings['targets'];
  /** What B A is multiplied by. The rank is no part of a graph. */
  readonly scale: number;
  readonly withDropout: boolean;
  readonly weightStorage: WeightStorage;
  readonly dialect: OnnxDialect;
}

/**
 * The one description of a RoBERTa layer (post-LayerNorm, as in BERT), from which all its graphs are made. `input` gives the value for
 * each of LAYER_INPUTS (but dHidden), frozen vector, adapter and mask; `matrix` a frozen matrix in f32, in whichever graph uses it.
 */
export function describeLayer(
  t: Tape,
  options: Omit<LayerGraphOptions, 'dialect' | 'weightStorage'>,
  input: (name: string) => Value,
  matrix: (graph: GraphBuilder, name: LayerMatrix) => Value,
): Value {
  const { shape, targets, scale, withDropout } = options;
  const mask = (name: string) => (withDropout ? input(name) : null);
  const linear = (x: Value, target: LoraTarget, scales?: { input: number; output: number }) =>
    frozenLinear(
      t,
      x,
      (graph) => matrix(graph, `${target}.weight`),
      input(`${target}.bias`),
      targets.includes(target)
        ? {
            a: t.differentiate(input(`${target}.A`)),
            b: t.differentiate(input(`${target}.B`)),
            scale,
            mask: mask(loraMaskInput(target)),
          }
        : null,
      scales,
    );
  const norm = (x: Value, at: 'attention.output' | 'output') =>
    layerNorm(t, x, input(`${at}.LayerNorm.weight`), input(`${at}.LayerNorm.bias`), shape.layerNormEps);

  const x = input(LAYER_INPUTS.hidden);
  const q = linear(x, 'query', { input: 1, output: 1 / Math.sqrt(shape.hiddenSize / shape.heads) });
  const k = linear(x, 'key');
  const v = linear(x, 'value');
  const context = attention(t, q, k, v, {
    headShape: input(LAYER_INPUTS.headShape),
    hiddenSize: shape.hiddenSize,
    padding: input(LAYER_INPUTS.padding),
    mask: mask(LAYER_MASKS.attentionProbabilities),
  });
  const attended = dropout(t, linear(context, 'attention.output.dense'), mask(LAYER_MASKS.attentionOutput));
  const middle = norm(add(t, x, attended), 'attention.output');
  // gelu(z) from z / sqrt(2), times sqrt(2): see scaledGelu.
  const intermediate = linear(middle, 'intermediate.dense', { input: 1, output: Math.SQRT1_2 });
  const fed = linear(scaledGelu(t, intermediate), 'output.dense', { input: Math.SQRT1_2, output: 1 });
  return norm(add(t, middle, dropout(t, fed, mask(LAYER_MASKS.ffnOutput))), 'output');
}

export function layerGraphs(options: LayerGraphOptions): LayerGraphs {
  const make = (wantInput: boolean) => {
    const tape = new Tape(new GraphBuilder('f', options.dialect), new GraphBuilder('b', options.dialect));
    if (wantInput) tape.differentiate(LAYER_INPUTS.hidden);
    const output = describeLayer(
      tape,
      options,
      (name) => tape.forward.input(name, name === LAYER_INPUTS.headShape ? 'int64' : 'float'),
      (graph, name) => graph.frozenMatrix(name, options.weightStorage),
    );
    tape.backward(output, tape.back.input(LAYER_INPUTS.dHidden));
    return { tape, output };
  };
  const full = make(true);
  const deepest = make(false);
  const adapters = options.targets.flatMap((target) => [`${target}.A`, `${target}.B`] as const);
  const gradientName = (tape: Tape, value: Value): string => {
    const name = tape.gradient(value);
    if (name === undefined) throw new Error(`The layer's output does not depend on ${value}.`);
    return name;
  };
  const dAdapters = new Map(
    adapters.map((name) => [
      name,
      { backward: gradientName(full.tape, name), deepest: gradientName(deepest.tape, name) },
    ]),
  );
  const dInput = gradientName(full.tape, LAYER_INPUTS.hidden);
  const names = [...dAdapters.values()];
  return {
    forward: full.tape.forward.finish('layer-forward', [full.output]),
    // Both descriptions name their values alike as far as they go, and what the deepest layer needs, every layer needs.
    forwardSaving: full.tape.forward.finish('layer-forward-saving', [full.output, ...full.tape.saved]),
    backward: full.tape.back.finish('layer-backward', [dInput, ...names.map((name) => name.backward)]),
    backwardDeepest: deepest.tape.back.finish(
      'layer-backward-deepest',
      names.map((name) => name.deepest),
    ),
    output: full.output,
    dInput,
    dAdapters,
  };
}
