import type { WeightStorage } from '../../../signaling/protocol/settings.ts';
import type { Attribute, DataType, GraphConstant, GraphDescription, GraphNode, GraphValue } from './model-proto.ts';

/** TensorProto.DataType.FLOAT, as Cast names it. */
const FLOAT = 1;

/** The graph input with the scales of an 8-bit matrix's rows. */
export const scalesOf = (matrix: string): string => `${matrix}.scales`;

/** What makes f32 of a frozen matrix. */
const UNPACKING: readonly string[] = ['Cast', 'DequantizeLinear'];

/** A value in a graph, by its name. */
export type Value = string;

/** What a back end of onnxruntime has beyond ONNX's own operators. */
export interface OnnxDialect {
  /** FusedMatMul of com.microsoft: transposes without moving data. */
  readonly fusedMatMul: boolean;
}

/** Nodes of a graph in the order in which they are written down; `finish` keeps those that its outputs need. */
export class GraphBuilder {
  readonly #dialect: OnnxDialect;
  readonly #prefix: string;
  readonly #inputs = new Map<string, GraphValue>();
  readonly #constants = new Map<string, GraphConstant>();
  readonly #nodes: GraphNode[] = [];
  #count = 0;

  /** `prefix` keeps the names of two graphs apart where values of one become inputs of the other. */
  constructor(prefix: string, dialect: OnnxDialect) {
    this.#prefix = prefix;
    this.#dialect = dialect;
  }

  input(name: string, type: DataType = 'float', sizes?: GraphValue['sizes']): Value {
    this.#inputs.set(name, { name, type, ...(sizes === undefined ? {} : { sizes }) });
    return name;
  }

  inputType(name: Value): DataType | undefined {
    return this.#inputs.get(name)?.type;
  }

  /** Another name for a value, for those who read it from outside. */
  alias(name: string, value: Value): Value {
    this.#nodes.push({ operator: 'Identity', domain: '', inputs: [value], outputs: [name], attributes: {} });
    return name;
  }

  constant(type: GraphConstant['type'], values: readonly number[], shape: readonly number[] = [values.length]): Value {
    const name = `${type}[${shape.join()}]=${values.join()}`;
    this.#constants.set(name, { name, type, shape, values });
    return name;
  }

  scalar(value: number): Value {
    return this.constant('float', [value], []);
  }

  nodes(
    operator: string,
    inputs: readonly Value[],
    outputCount: number,
    attributes: Readonly<Record<string, Attribute>> = {},
    domain: GraphNode['domain'] = '',
  ): readonly Value[] {
    const outputs = Array.from({ length: outputCount }, () => `${this.#prefix}${this.#count++}.${operator}`);
    this.#nodes.push({ operator, domain, inputs, outputs, attributes });
    return outputs;
  }

  node(operator: string, inputs: readonly Value[], attributes: Readonly<Record<string, Attribute>> = {}): Value {
    return this.nodes(operator, inputs, 1, attributes)[0]!;
  }

  /** A frozen matrix (out,in) in f32, from a graph input that holds it as it is stored; int8 comes with its rows' scales. */
  frozenMatrix(name: string, storage: WeightStorage): Value {
    switch (storage) {
      case 'f32':
        return this.input(name);
      case 'f16':
        return this.node('Cast', [this.input(name, 'float16')], { to: FLOAT });
      case 'int8':
        return this.node('DequantizeLinear', [this.input(name, 'int8'), this.input(scalesOf(name))], { axis: 0 });
    }
  }

  add(a: Value, b: Value): Value {
    return this.node('Add', [a, b]);
  }

  sub(a: Value, b: Value): Value {
    return this.node('Sub', [a, b]);
  }

  mul(a: Value, b: Value): Value {
    return this.node('Mul', [a, b]);
  }

  /** alpha * op(a) op(b) + beta * c, op a transpose where asked for; c may be a row, broadcast. */
  gemm(
    a: Value,
    b: Value,
    options: { transA?: boolean; transB?: boolean; alpha?: number; c?: Value; beta?: number } = {},
  ): Value {
    const { transA = false, transB = false, alpha = 1, c, beta = 1 } = options;
    return this.node('Gemm', c === undefined ? [a, b] : [a, b, c], {
      ...(transA ? { transA: 1 } : {}),
      ...(transB ? { transB: 1 } : {}),
      ...(alpha === 1 ? {} : { alpha: { float: alpha } }),
      ...(beta === 1 ? {} : { beta: { float: beta } }),
    });
  }

  /** Batched product of (…,m,k) and (…,k,n), the last two sizes of either swapped where asked for. */
  matmul(a: Value, b: Value, options: { transA?: boolean; transB?: boolean } = {}): Value {
    const { transA = false, transB = false } = options;
    if (!transA && !transB) return this.node('MatMul', [a, b]);
    if (this.#dialect.fusedMatMul)
      return this.nodes(
        'FusedMatMul',
        [a, b],
        1,
        { ...(transA ? { transA: 1 } : {}), ...(transB ? { transB: 1 } : {}) },
        'com.microsoft',
      )[0]!;
    const swapped = (x: Value) => this.transpose(x, [0, 1, 3, 2]);
    return this.node('MatMul', [transA ? swapped(a) : a, transB ? swapped(b) : b]);
  }

  transpose(x: Value, permutation: readonly number[]): Value {
    return this.node('Transpose', [x], { perm: permutation });
  }

  reshape(x: Value, shape: Value | readonly number[]): Value {
    return this.node('Reshape', [x, typeof shape === 'string' ? shape : this.constant('int64', shape)]);
  }

  /** Over the last dimension, which stays with size 1. */
  sumLast(x: Value): Value {
    return this.node('ReduceSum', [x, this.constant('int64', [-1])]);
  }

  /** Over the last dimension, which stays with size 1. */
  meanLast(x: Value): Value {
    return this.node('ReduceMean', [x], { axes: [-1] });
  }

  /** The graph of those nodes, inputs and constants that `outputs` depend on; their sizes are written down where `sizes` gives them. */
  finish(name: string, outputs: readonly Value[], sizes?: GraphValue['sizes']): GraphDescription {
    const needed = new Set<Value>(outputs);
    const nodes: GraphNode[] = [];
    for (const node of this.#nodes.toReversed())
      if (node.outputs.some((output) => needed.has(output))) {
        nodes.unshift(node);
        for (const input of node.inputs) needed.add(input);
      }
    // Of what a node waits for, the library runs first what was written down last: a matrix whose unpacking stands before everything else is
    // f32 just before its product, and not from the beginning on, as all would be.
    const unpacks = ({ operator, inputs }: GraphNode) =>
      UNPACKING.includes(operator) && inputs.every((input) => this.#inputs.has(input));
    return {
      name,
      inputs: [...this.#inputs.values()].filter((input) => needed.has(input.name)),
      outputs: outputs.map((output) => ({ name: output, type: 'float', ...(sizes === undefined ? {} : { sizes }) })),
      constants: [...this.#constants.values()].filter((constant) => needed.has(constant.name)),
      nodes: [...nodes.filter(unpacks), ...nodes.filter((node) => !unpacks(node))],
    };
  }
}
