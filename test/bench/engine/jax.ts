import type { Contender, OpenContender } from './contender.ts';
import { frozenShape, type PeerModel, peerModel, slotIndex } from './peer-model.ts';

/**
 * The part of jax-js that the step uses; the package is installed for the run and has no types here. Arrays are counted: a function uses
 * up what it is given, and `ref` gives one more to use.
 */
interface JaxArray {
  readonly ref: JaxArray;
  data(): Promise<Float32Array>;
  dispose(): void;
  add(other: JaxArray | number): JaxArray;
  mul(other: JaxArray | number): JaxArray;
  reshape(shape: readonly number[]): JaxArray;
  transpose(order?: readonly number[]): JaxArray;
  slice(...index: readonly (number | readonly [])[]): JaxArray;
}
interface Jax {
  init(): Promise<readonly string[]>;
  defaultDevice(name: string): void;
  jit<R>(f: (trained: JaxArray[], frozen: JaxArray[]) => R): (trained: JaxArray[], frozen: JaxArray[]) => R;
  valueAndGrad(
    f: (trained: JaxArray[], frozen: JaxArray[]) => JaxArray,
  ): (trained: JaxArray[], frozen: JaxArray[]) => [JaxArray, JaxArray[]];
  readonly numpy: {
    array(values: Float32Array, options: { shape: readonly number[] }): JaxArray;
    matmul(a: JaxArray, b: JaxArray): JaxArray;
    concatenate(xs: readonly JaxArray[]): JaxArray;
    tanh(x: JaxArray): JaxArray;
    sum(x: JaxArray): JaxArray;
  };
  readonly nn: {
    gelu(x: JaxArray, options: { approximate: boolean }): JaxArray;
    softmax(x: JaxArray, axis: number): JaxArray;
    logSoftmax(x: JaxArray, axis: number): JaxArray;
    standardize(x: JaxArray, axis: number, options: { epsilon: number }): JaxArray;
  };
}

/** jax-js, the step differentiated and compiled as a whole, on `webgpu` or `wasm`. */
export function jax(device: 'webgpu' | 'wasm', load: () => Promise<unknown>): Contender {
  return {
    id: `jax-${device}`,
    async open(benchCase): Promise<OpenContender> {
      // Its interface is the package's documented one; what it computes is checked.
      const js = (await onOneThread(load)) as Jax;
      if (!(await onOneThread(() => js.init())).includes(device))
        throw new Error(`jax-js has no device ${device} here`);
      js.defaultDevice(device);
      const model = await peerModel(benchCase);
      const array = (values: Float32Array, shape: readonly number[]) => js.numpy.array(values, { shape });
      const trained = model.values.map((values, i) => array(values, model.slots[i]!.shape));
      const frozen = frozenArrays(model, array);
      const loss = lossFunction(js, model, [...frozen.keys()]);
      const compiled = js.jit((params: JaxArray[], constants: JaxArray[]) => {
        const [value, gradients] = js.valueAndGrad(loss)(params, constants);
        return [value, js.numpy.concatenate(gradients.map((g) => g.reshape([-1])))];
      });
      const step = async () => {
        js.defaultDevice(device);
        const [value, flat] = compiled(
          trained.map((x) => x.ref),
          [...frozen.values()].map((x) => x.ref),
        );
        const [lossSum, gradient] = await Promise.all([value!.data(), flat!.data()]);
        return { lossSum: lossSum[0]!, gradient };
      };
      return { step: () => onOneThread(step), close: async () => undefined };
    },
  };
}

/**
 * Its WASM spreads over workers where it finds them, and looks for them whenever it makes a kernel. It gets one thread here, as the others
 * do; onnxruntime-web puts a `Worker` of Node's into the global scope, which does not take what jax-js gives it anyway.
 */
async function onOneThread<T>(work: () => Promise<T>): Promise<T> {
  const worker = Object.getOwnPropertyDescriptor(globalThis, 'Worker');
  Reflect.deleteProperty(globalThis, 'Worker');
  try {
    return await work();
  } finally {
    if (worker !== undefined) Object.defineProperty(globalThis, 'Worker', worker);
  }
}

function frozenArrays(
  model: PeerModel,
  array: (values: Float32Array, shape: readonly number[]) => JaxArray,
): Map<string, JaxArray> {
  const { samples: b, tokens: t, width: c } = model;
  const arrays = new Map([
    ['embedded', array(model.embedded, [b * t, c])],
    ['norm.weight', array(model.embeddingNorm.weight, [c])],
    ['norm.bias', array(model.embeddingNorm.bias, [c])],
    ['labels', array(model.oneHot, [b, model.labelCount])],
  ]);
  model.layers.forEach((layer, index) => {
    for (const [name, values] of Object.entries(layer))
      arrays.set(`${index}.${name}`, array(values, frozenShape(name, values, c)));
  });
  return arrays;
}

function lossFunction(js: Jax, model: PeerModel, frozenNames: readonly string[]) {
  const { samples: b, tokens: t, width: c, heads: h } = model;
  const d = c / h;
  const { numpy: np, nn } = js;
  return (trained: JaxArray[], frozen: JaxArray[]): JaxArray => {
    // Every array is used by name as often as needed; the caller's own counts are given up at the end.
    const named = (name: string) => trained[slotIndex(model, name)]?.ref;
    const tensor = (name: string) => frozen[frozenNames.indexOf(name)]!.ref;
    const norm = (x: JaxArray, name: string) =>
      nn
        .standardize(x, 1, { epsilon: model.eps })
        .mul(tensor(`${name}.weight`))
        .add(tensor(`${name}.bias`));
    let x = norm(tensor('embedded'), 'norm');
    for (let layer = 0; layer < model.layers.length; layer++) {
      const project = (input: JaxArray, name: string) => {
        const weight = tensor(`${layer}.${name}.weight`).transpose();
        const y = np.matmul(input.ref, weight).add(tensor(`${layer}.${name}.bias`));
        const [A, B] = [named(`lora.layer.${layer}.${name}.A`), named(`lora.layer.${layer}.${name}.B`)];
        if (A === undefined || B === undefined) {
          input.dispose();
          return y;
        }
        return y.add(np.matmul(np.matmul(input, A.transpose()), B.transpose()).mul(model.loraScale));
      };
      const heads = (y: JaxArray) => y.reshape([b, t, h, d]).transpose([0, 2, 1, 3]);
      const q = heads(project(x.ref, 'query'));
      const k = heads(project(x.ref, 'key'));
      const v = heads(project(x.ref, 'value'));
      const p = nn.softmax(np.matmul(q, k.transpose([0, 1, 3, 2])).mul(1 / Math.sqrt(d)), -1);
      const context = np
        .matmul(p, v)
        .transpose([0, 2, 1, 3])
        .reshape([b * t, c]);
      x = norm(x.add(project(context, 'attention.output.dense')), `${layer}.attention.output.LayerNorm`);
      const wide = nn.gelu(project(x.ref, 'intermediate.dense'), { approximate: false });
      x = norm(x.add(project(wide, 'output.dense')), `${layer}.output.LayerNorm`);
    }
    const first = x.reshape([b, t, c]).slice([], 0);
    const linear = (input: JaxArray, name: string) =>
      np.matmul(input, named(`${name}.weight`)!.transpose()).add(named(`${name}.bias`)!);
    const logits = linear(np.tanh(linear(first, 'classifier.dense')), 'classifier.out_proj');
    const loss = np.sum(nn.logSoftmax(logits, -1).mul(tensor('labels'))).mul(-1);
    for (const array of [...trained, ...frozen]) array.dispose();
    return loss;
  };
}
