import {
  type Bytes,
  bytes,
  concatenate,
  float32,
  integer,
  message,
  opening,
  packedIntegers,
  text,
} from './protobuf.ts';

/** ONNX's messages (onnx/onnx.proto, IR version 8), as far as the generated graphs use them. */

/** TensorProto.DataType */
export const DATA_TYPES = { float: 1, int8: 3, int64: 7, float16: 10 } as const;
export type DataType = keyof typeof DATA_TYPES;

export type Attribute = number | { readonly float: number } | readonly number[];

export interface GraphNode {
  readonly operator: string;
  /** Empty for ONNX's own operators. */
  readonly domain: '' | 'com.microsoft';
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** An input or output. Sizes are left open, so that one graph serves every batch, or named where other programs read the graph. */
export interface GraphValue {
  readonly name: string;
  readonly type: DataType;
  readonly sizes?: readonly (number | string)[];
}

export interface GraphConstant {
  readonly name: string;
  readonly type: 'float' | 'int64';
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

export interface GraphDescription {
  readonly name: string;
  readonly inputs: readonly GraphValue[];
  readonly outputs: readonly GraphValue[];
  readonly constants: readonly GraphConstant[];
  readonly nodes: readonly GraphNode[];
}

const IR_VERSION = 8;
const OPSETS = { '': 17, 'com.microsoft': 1 } as const;

/** A serialized ModelProto. */
export function encodeModel(graph: GraphDescription): Uint8Array<ArrayBuffer> {
  return concatenate([...modelHead(graph), ...message(7, ...graphParts(graph))]);
}

/** A large f32 constant, by the name that nodes use. */
export interface GraphTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

/**
 * A serialized ModelProto with `tensors` in it, in pieces: `before` has what comes before each tensor's values, in their order, and the
 * last one's values end it. It is `byteLength` bytes long.
 */
export function modelFile(
  graph: GraphDescription,
  tensors: readonly GraphTensor[],
): { readonly byteLength: number; readonly before: readonly Uint8Array[] } {
  const head = concatenate(modelHead(graph));
  const small = concatenate(graphParts(graph).flat());
  const byteLengths = tensors.map(({ shape }) => shape.reduce((a, b) => a * b, 4));
  // A TensorProto up to its values, and the tag and length that it has as one of the graph's initializers.
  const openings = tensors.map(({ name, shape }, i) => {
    const before = concatenate([
      ...packedIntegers(1, shape),
      ...integer(2, DATA_TYPES.float),
      ...text(8, name),
      ...opening(9, byteLengths[i]!),
    ]);
    return concatenate([...opening(5, before.length + byteLengths[i]!), before]);
  });
  const graphLength = openings.reduce((sum, { length }, i) => sum + length + byteLengths[i]!, small.length);
  const start = concatenate([head, concatenate(opening(7, graphLength)), small]);
  const byteLength = head.length + concatenate(opening(7, graphLength)).length + graphLength;
  return { byteLength, before: openings.map((one, i) => (i === 0 ? concatenate([start, one]) : one)) };
}

/** Everything of a model but its graph; domains that no node uses are left out, for readers that do not know them. */
function modelHead(graph: GraphDescription): Bytes {
  const opsets = Object.entries(OPSETS)
    .filter(([domain]) => domain === '' || graph.nodes.some((node) => node.domain === domain))
    .map(([domain, version]) => message(8, text(1, domain), integer(2, version)));
  return [...integer(1, IR_VERSION), ...text(2, 'tabloom'), ...opsets.flat()];
}

function graphParts(graph: GraphDescription): Bytes[] {
  return [
    ...graph.nodes.map((node, index) => message(1, ...nodeParts(node, index))),
    text(2, graph.name),
    ...graph.constants.map((constant) => message(5, ...tensorParts(constant))),
    ...graph.inputs.map((value) => message(11, ...valueParts(value))),
    ...graph.outputs.map((value) => message(12, ...valueParts(value))),
  ];
}

function nodeParts(node: GraphNode, index: number): Bytes[] {
  return [
    ...node.inputs.map((name) => text(1, name)),
    ...node.outputs.map((name) => text(2, name)),
    text(3, `${node.operator}_${index}`),
    text(4, node.operator),
    ...Object.entries(node.attributes).map(([name, value]) => message(5, text(1, name), ...attributeParts(value))),
    text(7, node.domain),
  ];
}

/** The last field is AttributeProto.AttributeType. */
function attributeParts(value: Attribute): Bytes[] {
  if (typeof value === 'number') return [integer(3, value), integer(20, 2)];
  if ('float' in value) return [float32(2, value.float), integer(20, 1)];
  return [packedIntegers(8, value), integer(20, 7)];
}

function tensorParts({ name, type, shape, values }: GraphConstant): Bytes[] {
  const raw =
    type === 'float' ? Float32Array.from(values).buffer : BigInt64Array.from(values, (value) => BigInt(value)).buffer;
  return [packedIntegers(1, shape), integer(2, DATA_TYPES[type]), text(8, name), bytes(9, new Uint8Array(raw))];
}

function valueParts({ name, type, sizes }: GraphValue): Bytes[] {
  const dimensions = (sizes ?? []).map((size) =>
    message(1, typeof size === 'number' ? integer(1, size) : text(2, size)),
  );
  return [
    text(1, name),
    message(2, message(1, integer(1, DATA_TYPES[type]), ...(sizes === undefined ? [] : [message(2, ...dimensions)]))),
  ];
}
