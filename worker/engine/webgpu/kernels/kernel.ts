/**
 * A kernel is data: WGSL text and what it binds. Nothing here needs a device, so that a kernel's text and its launch sizes can be
 * looked at and tested anywhere.
 */

/** `write` is read-write storage; a kernel that only writes uses it, too. */
export type Access = 'uniform' | 'read' | 'write';

export interface Binding {
  readonly access: Access;
  /** WGSL type of the whole binding, such as `array<vec4f>`. */
  readonly type: string;
}

export interface Kernel<Name extends string = string> {
  readonly label: string;
  /** In order of their binding numbers, all in group 0. */
  readonly bindings: Readonly<Record<Name, Binding>>;
  readonly code: string;
}

/** Workgroups in x, y and z. */
export type Grid = readonly [number, number, number];

/** How activations are stored. Arithmetic, adapters, head and every gradient are f32. */
export type Precision = 'f32' | 'f16';

export const BYTES: Readonly<Record<Precision, number>> = { f32: 4, f16: 2 };

/**
 * How frozen matrices are stored. `packed` holds the same numbers as `f16`, two to a word, for devices without that type; `int8` codes
 * have one scale for each row, which is kept elsewhere.
 */
export type WeightPrecision = Precision | 'packed' | 'int8';

export const WEIGHT_BYTES: Readonly<Record<WeightPrecision, number>> = { ...BYTES, packed: 2, int8: 1 };

/** WebGPU allows 65,535 workgroups in each dimension. */
const MAX_GROUPS = 65_535;

export const uniform = (type: string): Binding => ({ access: 'uniform', type });
export const read = (type: string): Binding => ({ access: 'read', type });
export const write = (type: string): Binding => ({ access: 'write', type });

/** Storage of vec4 elements in the given precision. */
export const vectors = (precision: Precision): string => `array<vec4<${precision}>>`;

/** Storage of a matrix four of whose values are one element. */
export const weightVectors = (precision: WeightPrecision): string =>
  ({ f32: 'array<vec4f>', f16: 'array<vec4<f16>>', packed: 'array<vec2u>', int8: 'array<u32>' })[precision];

/** WGSL of `vec4f` from element `at` of such a matrix; of `int8` the codes, which wait for their scale. */
export function weightAt(precision: WeightPrecision, matrix: string, at: string): string {
  const element = `${matrix}[${at}]`;
  switch (precision) {
    case 'f32':
      return element;
    case 'f16':
      return `vec4f(${element})`;
    case 'packed':
      return `vec4f(unpack2x16float(${element}.x), unpack2x16float(${element}.y))`;
    case 'int8':
      return `127.0 * unpack4x8snorm(${element})`;
  }
}

/**
 * What every kernel of a pass may read: sizes of the packed batch and the dropout of this pass. Rows are the real tokens of all
 * samples, one after the other, without padding.
 */
export const PASS_STRUCT = /* wgsl */ `
struct Pass {
  rows: u32,
  samples: u32,
  /** Rows that one split of a gradient sum covers. */
  splitRows: u32,
  /** Dropout: words below are dropped; 0 turns it off. */
  threshold: u32,
  scale: f32,
  seed: u32,
  round: u32,
  unused: u32,
}
`;
export const PASS_BYTES = 32;

/** Which layer a launch belongs to: all that differs, besides buffers, between the layers' launches of a kernel. */
export const LAYER_STRUCT = /* wgsl */ `
struct Layer {
  index: u32,
  unused0: u32,
  unused1: u32,
  unused2: u32,
}
`;
export const LAYER_BYTES = 16;

const ACCESS_WGSL: Readonly<Record<Access, string>> = {
  uniform: 'var<uniform>',
  read: 'var<storage, read>',
  write: 'var<storage, read_write>',
};

/** Puts the declarations of the bindings before `source`. */
export function kernel<const Name extends string>(spec: {
  readonly label: string;
  readonly bindings: Readonly<Record<Name, Binding>>;
  readonly source: string;
}): Kernel<Name> {
  const entries = Object.entries<Binding>(spec.bindings);
  const usesF16 = entries.some(([, { type }]) => type.includes('f16')) || spec.source.includes('f16');
  const declarations = entries.map(
    ([name, { access, type }], index) => `@group(0) @binding(${index}) ${ACCESS_WGSL[access]} ${name}: ${type};`,
  );
  const usesSubgroups = /\b(subgroup|quad)[A-Z]/.test(spec.source);
  const uses = (struct: string) => entries.some(([, { type }]) => type === struct);
  const parts = [
    usesF16 ? 'enable f16;' : '',
    usesSubgroups ? 'enable subgroups;' : '',
    uses('Pass') ? PASS_STRUCT : '',
    uses('Layer') ? LAYER_STRUCT : '',
    ...declarations,
    spec.source,
  ];
  return { label: spec.label, bindings: spec.bindings, code: parts.join('\n') };
}

/**
 * A grid of `count` workgroups that may be more than one dimension can hold. The kernel finds its number with GROUP_INDEX and must
 * leave when that is not below the count.
 */
export function flatGrid(count: number): Grid {
  const y = Math.max(1, Math.ceil(count / MAX_GROUPS));
  return [Math.max(1, Math.ceil(count / y)), y, 1];
}

/** WGSL expression for a flat grid's index; needs the builtins `group` (workgroup_id) and `groups` (num_workgroups). */
export const GROUP_INDEX = 'group.x + group.y * groups.x';

/** `count` pieces of text, joined by new lines: unrolled code whose register indices are literals. */
export function unroll(count: number, piece: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => piece(i)).join('\n');
}

/** Asks that sizes fit what the kernels assume. */
export function requireMultipleOf4(what: string, size: number): void {
  if (!Number.isInteger(size) || size <= 0 || size % 4 !== 0)
    throw new RangeError(`The WebGPU engine needs a ${what} that is a multiple of 4, not ${size}.`);
}

/**
 * The words of a kernel's uniform `sizes`: u32 as they are, f32 marked. Sizes are uniforms, not text, so that one pipeline serves every
 * layer, model and batch; on software drivers a pipeline takes a second to compile.
 */
export function words(...values: readonly (number | { readonly f32: number })[]): Uint32Array {
  const out = new Uint32Array(Math.ceil(values.length / 4) * 4);
  const floats = new Float32Array(out.buffer);
  values.forEach((value, i) => {
    if (typeof value === 'number') out[i] = value;
    else floats[i] = value.f32;
  });
  return out;
}

/** Adapters that read one input: at most query, key and value. */
export const MAX_TARGETS = 3;

/** The targets' four words each, padded to MAX_TARGETS. */
export function targetWords(targets: readonly (readonly [number, number, number, number])[]): number[] {
  if (targets.length > MAX_TARGETS)
    throw new RangeError(`${targets.length} adapters read one input; at most three can.`);
  return [...targets.flat(), ...new Array<number>(4 * (MAX_TARGETS - targets.length)).fill(0)];
}
