import type { Contender, OpenContender } from './contender.ts';
import { frozenShape, type PeerModel, peerModel, slotIndex } from './peer-model.ts';

/** The part of TensorFlow.js that the step uses; the package is installed for the run and has no types here. */
interface Tensor {
  data(): Promise<Float32Array>;
  dispose(): void;
}
interface TensorFlow {
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  tensor(values: Float32Array, shape: readonly number[]): Tensor;
  tidy<T>(work: () => T): T;
  valueAndGrads(f: (...xs: Tensor[]) => Tensor): (xs: readonly Tensor[]) => { value: Tensor; grads: Tensor[] };
  matMul(a: Tensor, b: Tensor, transposeA?: boolean, transposeB?: boolean): Tensor;
  add(a: Tensor, b: Tensor): Tensor;
  sub(a: Tensor, b: Tensor): Tensor;
  mul(a: Tensor, b: Tensor | number): Tensor;
  mean(x: Tensor, axis: number, keepDims: boolean): Tensor;
  square(x: Tensor): Tensor;
  rsqrt(x: Tensor): Tensor;
  erf(x: Tensor): Tensor;
  tanh(x: Tensor): Tensor;
  softmax(x: Tensor): Tensor;
  logSoftmax(x: Tensor): Tensor;
  reshape(x: Tensor, shape: readonly number[]): Tensor;
  transpose(x: Tensor, order: readonly number[]): Tensor;
  slice(x: Tensor, from: readonly number[], size: readonly number[]): Tensor;
  sum(x: Tensor): Tensor;
  concat(xs: readonly Tensor[]): Tensor;
  scalar(value: number): Tensor;
}

/** TensorFlow.js with its own autodiff, on the backend `webgpu` or `wasm`. `load` gives the package with that backend registered. */
export function tfjs(backend: 'webgpu' | 'wasm', load: () => Promise<unknown>): Contender {
  return {
    id: `tfjs-${backend}`,
    async open(benchCase): Promise<OpenContender> {
      // Its interface is the package's documented one; what it computes is checked.
      const tf = (await load()) as TensorFlow;
      const select = async () => {
        if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js has no backend ${backend} here`);
        await tf.ready();
      };
      await select();
      const model = await peerModel(benchCase);
      const parameters = model.values.map((values, i) => tf.tensor(values, model.slots[i]!.shape));
      const loss = lossFunction(tf, model);
      const step = async () => {
        await select();
        const [value, flat] = tf.tidy(() => {
          const result = tf.valueAndGrads(loss)(parameters);
          return [result.value, tf.concat(result.grads.map((g) => tf.reshape(g, [-1])))] as const;
        });
        const [lossSum, gradient] = await Promise.all([value.data(), flat.data()]);
        value.dispose();
        flat.dispose();
        return { lossSum: lossSum[0]!, gradient };
      };
      return { step, close: async () => undefined };
    },
  };
}

function lossFunction(tf: TensorFlow, model: PeerModel): (...trained: Tensor[]) => Tensor {
  const { samples: b, tokens: t, width: c, heads: h } = model;
  const d = c / h;
  const layers = model.layers.map((tensors) =>
    Object.fromEntries(
      Object.entries(tensors).map(([name, values]) => [name, tf.tensor(values, frozenShape(name, values, c))]),
    ),
  );
  const embedded = tf.tensor(model.embedded, [b * t, c]);
  const firstNorm = [tf.tensor(model.embeddingNorm.weight, [c]), tf.tensor(model.embeddingNorm.bias, [c])] as const;
  const labels = tf.tensor(model.oneHot, [b, model.labelCount]);
  const epsilon = tf.scalar(model.eps);
  const one = tf.scalar(1);

  const norm = (x: Tensor, weight: Tensor, bias: Tensor) => {
    const centred = tf.sub(x, tf.mean(x, 1, true));
    const scale = tf.rsqrt(tf.add(tf.mean(tf.square(centred), 1, true), epsilon));
    return tf.add(tf.mul(tf.mul(centred, scale), weight), bias);
  };
  const gelu = (x: Tensor) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), one));

  return (...trained) => {
    const named = (name: string) => trained[slotIndex(model, name)];
    let x = norm(embedded, ...firstNorm);
    layers.forEach((tensors, layer) => {
      const project = (input: Tensor, name: string) => {
        const y = tf.add(tf.matMul(input, tensors[`${name}.weight`]!, false, true), tensors[`${name}.bias`]!);
        const [A, B] = [named(`lora.layer.${layer}.${name}.A`), named(`lora.layer.${layer}.${name}.B`)];
        if (A === undefined || B === undefined) return y;
        return tf.add(y, tf.mul(tf.matMul(tf.matMul(input, A, false, true), B, false, true), model.loraScale));
      };
      const heads = (y: Tensor) => tf.transpose(tf.reshape(y, [b, t, h, d]), [0, 2, 1, 3]);
      const residual = (y: Tensor, name: string) =>
        norm(tf.add(x, y), tensors[`${name}.weight`]!, tensors[`${name}.bias`]!);
      const [q, k, v] = [heads(project(x, 'query')), heads(project(x, 'key')), heads(project(x, 'value'))];
      const p = tf.softmax(tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(d)));
      const context = tf.reshape(tf.transpose(tf.matMul(p, v), [0, 2, 1, 3]), [b * t, c]);
      x = residual(project(context, 'attention.output.dense'), 'attention.output.LayerNorm');
      x = residual(project(gelu(project(x, 'intermediate.dense')), 'output.dense'), 'output.LayerNorm');
    });
    const first = tf.reshape(tf.slice(tf.reshape(x, [b, t, c]), [0, 0, 0], [b, 1, c]), [b, c]);
    const linear = (input: Tensor, name: string) =>
      tf.add(tf.matMul(input, named(`${name}.weight`)!, false, true), named(`${name}.bias`)!);
    const logits = linear(tf.tanh(linear(first, 'classifier.dense')), 'classifier.out_proj');
    return tf.mul(tf.sum(tf.mul(tf.logSoftmax(logits), labels)), -1);
  };
}
