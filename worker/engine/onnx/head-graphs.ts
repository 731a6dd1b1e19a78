import type { ModelShape } from '../../../signaling/protocol/settings.ts';
import type { Loss } from '../loss.ts';
import { GraphBuilder, type OnnxDialect, type Value } from './graph-builder.ts';
import type { GraphDescription } from './model-proto.ts';
import { dropout, tanh, trainedLinear } from './operations.ts';
import { Tape } from './tape.ts';

/** What the head's graphs are called with, besides the trained tensors by their Hugging Face names. */
export const HEAD_INPUTS = {
  /** (M,C) */
  hidden: 'hidden',
  /** int64 (3): B, T, C. */
  hiddenShape: 'hiddenShape',
  /** (1,T,1): 1 for the first token, 0 for the others. */
  firstToken: 'firstToken',
  /** (B,labels), `lossTargets` of the batch's labels. */
  target: 'target',
} as const;

/** (B,C) each; present only in graphs made with dropout. */
export const HEAD_MASKS = { input: 'mask.headInput', activated: 'mask.headActivated' } as const;

export const HEAD_TENSORS = [
  'classifier.dense.weight',
  'classifier.dense.bias',
  'classifier.out_proj.weight',
  'classifier.out_proj.bias',
] as const;
export type HeadTensor = (typeof HEAD_TENSORS)[number];

export interface HeadGraphs {
  /** hidden to logits and the sum of the sample losses. */
  readonly loss: GraphDescription;
  /** The same, the gradients of the head's tensors and dHidden. */
  readonly lossAndGradients: GraphDescription;
  readonly logits: string;
  /** Name of the (1) sum. */
  readonly lossSum: string;
  readonly dHidden: string;
  readonly dTensors: ReadonlyMap<HeadTensor, string>;
}

/** RobertaClassificationHead (dropout, dense, tanh, dropout, out_proj on the first token) and its loss; forward and backward are one graph, nothing is saved. */
export function headGraphs(
  shape: ModelShape,
  labelCount: number,
  loss: Loss['kind'],
  withDropout: boolean,
  dialect: OnnxDialect,
): HeadGraphs {
  const g = new GraphBuilder('h', dialect);
  const t = new Tape(g, g);
  const hidden = g.reshape(g.input(HEAD_INPUTS.hidden), g.input(HEAD_INPUTS.hiddenShape, 'int64'));
  const slice = g.node('Slice', [hidden, g.constant('int64', [0]), g.constant('int64', [1]), g.constant('int64', [1])]);
  const first = t.differentiate(g.reshape(slice, [-1, shape.hiddenSize]));
  const trained = (name: HeadTensor) => t.differentiate(g.input(name));
  const mask = (name: string) => (withDropout ? g.input(name) : null);
  const kept = dropout(t, first, mask(HEAD_MASKS.input));
  const dense = trainedLinear(t, kept, trained('classifier.dense.weight'), trained('classifier.dense.bias'));
  const logits = trainedLinear(
    t,
    dropout(t, tanh(t, dense), mask(HEAD_MASKS.activated)),
    trained('classifier.out_proj.weight'),
    trained('classifier.out_proj.bias'),
  );

  const { lossSum, dLogits } = LOSSES[loss](g, logits, labelCount);
  t.backward(logits, dLogits);

  const gradient = (value: Value): Value => t.gradient(value)!;
  const dFirst = g.reshape(gradient(first), [-1, 1, shape.hiddenSize]);
  const dHidden = g.reshape(g.mul(dFirst, g.input(HEAD_INPUTS.firstToken)), [-1, shape.hiddenSize]);
  const dTensors = new Map(HEAD_TENSORS.map((name) => [name, gradient(name)]));
  return {
    loss: g.finish('head-loss', [logits, lossSum]),
    lossAndGradients: g.finish('head-loss-gradients', [logits, lossSum, dHidden, ...dTensors.values()]),
    logits,
    lossSum,
    dHidden,
    dTensors,
  };
}

type LossGraph = (g: GraphBuilder, logits: Value, labelCount: number) => { lossSum: Value; dLogits: Value };

/** `lossAndGradientOf` as nodes, summed over the samples. */
const LOSSES: Readonly<Record<Loss['kind'], LossGraph>> = {
  'squared-error': (g, logits) => {
    const error = g.sub(logits, g.input(HEAD_INPUTS.target));
    return { lossSum: total(g, g.mul(error, error)), dLogits: g.mul(error, g.scalar(2)) };
  },
  'cross-entropy': (g, logits) => {
    const target = g.input(HEAD_INPUTS.target);
    const logProbabilities = g.node('LogSoftmax', [logits], { axis: -1 });
    const lossSum = g.node('Neg', [total(g, g.mul(target, logProbabilities))]);
    const whole = g.node('ReduceSum', [target, g.constant('int64', [1])], { keepdims: 1 });
    return { lossSum, dLogits: g.sub(g.mul(g.node('Softmax', [logits], { axis: -1 }), whole), target) };
  },
  'binary-cross-entropy': (g, logits, labelCount) => {
    const target = g.input(HEAD_INPUTS.target);
    const share = g.scalar(1 / labelCount);
    // max(x, 0) - x t + log(1 + exp(-|x|)): no exponential overflows.
    const small = g.node('Exp', [g.node('Neg', [g.node('Abs', [logits])])]);
    const rest = g.node('Log', [g.add(small, g.scalar(1))]);
    const losses = g.add(g.sub(g.node('Relu', [logits]), g.mul(logits, target)), rest);
    const error = g.sub(g.node('Sigmoid', [logits]), target);
    return { lossSum: g.mul(total(g, losses), share), dLogits: g.mul(error, share) };
  },
};

function total(g: GraphBuilder, x: Value): Value {
  return g.node('ReduceSum', [x, g.constant('int64', [0, 1])], { keepdims: 0 });
}
