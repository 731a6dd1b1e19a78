import type { ModelShape } from '../../../signaling/protocol/settings.ts';
import { layerTensorSpecs } from '../../model/description.ts';
import { EMBEDDING_NAMES, layerTensorName } from '../../model/tensor-names.ts';
import { GraphBuilder, type Value } from './graph-builder.ts';
import { describeLayer, LAYER_INPUTS, PADDING_SCORE } from './layer-graphs.ts';
import { DATA_TYPES, type GraphDescription } from './model-proto.ts';
import { layerNorm, tanh, trainedLinear } from './operations.ts';
import { Tape } from './tape.ts';

/**
 * A whole classifier as one graph for other programs, in ONNX's own operators alone: `input_ids` and `attention_mask`, int64
 * (batch, sequence), to `logits` (batch, labels). Its tensors go by Hugging Face's names. What RobertaForSequenceClassification computes,
 * positions from the ids that are not padding included.
 */
export function classifierGraph(shape: ModelShape, labelCount: number): GraphDescription {
  const g = new GraphBuilder('', { fusedMatMul: false });
  // Nothing is differentiated, so the tape writes the forward nodes and no more.
  const t = new Tape(g, g);
  const ids = g.input('input_ids', 'int64', ['batch', 'sequence']);
  const mask = g.input('attention_mask', 'int64', ['batch', 'sequence']);
  const int64 = (...values: number[]) => g.constant('int64', values);
  const sizes = g.node('Shape', [ids]);

  // fairseq's make_positions: padding keeps the padding's position, the others count on from it.
  const real = g.node('Cast', [g.node('Not', [g.node('Equal', [ids, g.constant('int64', [shape.padTokenId], [])])])], {
    to: DATA_TYPES.int64,
  });
  const counted = g.mul(g.node('CumSum', [real, g.constant('int64', [1], [])]), real);
  const positions = g.add(counted, g.constant('int64', [shape.padTokenId], []));
  const rows = (tensor: string, indices: Value) => g.node('Gather', [tensor, indices]);
  const sum = g.add(
    g.add(rows(EMBEDDING_NAMES.word, ids), rows(EMBEDDING_NAMES.tokenType, g.constant('int64', [0], []))),
    rows(EMBEDDING_NAMES.position, positions),
  );
  const normed = layerNorm(t, sum, EMBEDDING_NAMES.normWeight, EMBEDDING_NAMES.normBias, shape.layerNormEps);

  const headShape = g.node('Concat', [sizes, int64(shape.heads, shape.hiddenSize / shape.heads)], { axis: 0 });
  const seen = g.node('Unsqueeze', [g.node('Cast', [mask], { to: DATA_TYPES.float }), int64(1, 2)]);
  const padding = g.mul(g.sub(g.scalar(1), seen), g.scalar(PADDING_SCORE));
  const paths = new Map<string, string>(layerTensorSpecs(shape).map(({ key, path }) => [key, path]));
  let hidden = g.reshape(normed, [-1, shape.hiddenSize]);
  for (let layer = 0; layer < shape.layers; layer++) {
    const given: Record<string, Value> = {
      [LAYER_INPUTS.hidden]: hidden,
      [LAYER_INPUTS.headShape]: headShape,
      [LAYER_INPUTS.padding]: padding,
    };
    const value = (name: string) => given[name] ?? layerTensorName(layer, `${paths.get(name)}`);
    hidden = describeLayer(t, { shape, targets: [], scale: 0, withDropout: false }, value, (_, name) => value(name));
  }

  const all = g.reshape(hidden, g.node('Concat', [sizes, int64(shape.hiddenSize)], { axis: 0 }));
  const first = g.node('Gather', [all, g.constant('int64', [0], [])], { axis: 1 });
  const linear = (x: Value, name: string) =>
    trainedLinear(t, x, `classifier.${name}.weight`, `classifier.${name}.bias`);
  const logits = g.alias('logits', linear(tanh(t, linear(first, 'dense')), 'out_proj'));
  return g.finish('roberta-classifier', [logits], ['batch', labelCount]);
}
