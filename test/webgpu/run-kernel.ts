import { type Gpu, type Slice, whole } from '../../worker/engine/webgpu/device/gpu.ts';
import { type Grid, type Kernel, PASS_BYTES } from '../../worker/engine/webgpu/kernels/kernel.ts';

type Numbers = Float32Array | Uint32Array | Uint16Array | Int8Array;

/** Runs one kernel on the given inputs and reads all of `outputs` that it binds back: so many floats, or what they hold before. */
export async function runKernel<Name extends string, Out extends Name>(
  gpu: Gpu,
  kernel: Kernel<Name>,
  inputs: Readonly<Partial<Record<Name, Numbers>>>,
  outputs: Readonly<Record<Out, number | Numbers>>,
  grid: Grid,
): Promise<Record<Out, Float32Array>> {
  await gpu.prepare([kernel]);
  const slices: Partial<Record<Name, Slice>> = {};
  for (const [name, { access }] of Object.entries(kernel.bindings) as [Name, { access: string }][]) {
    const output = (outputs as Partial<Record<Name, number | Numbers>>)[name];
    const data = typeof output === 'object' ? output : inputs[name];
    const bytes = data?.byteLength ?? (typeof output === 'number' ? output * 4 : undefined);
    if (bytes === undefined) throw new Error(`The test gives nothing for ${name}.`);
    const slice = whole(gpu.allocate(name, bytes, access === 'uniform' ? 'uniform' : 'storage'));
    if (data !== undefined) gpu.write(slice, data);
    slices[name] = slice;
  }
  gpu.launch(kernel, slices as Record<Name, Slice>, grid);
  const results: Partial<Record<Out, Float32Array>> = {};
  for (const name of Object.keys(outputs) as Out[]) {
    const size = outputs[name];
    const slice = slices[name];
    if (slice === undefined) continue;
    const floats = typeof size === 'number' ? size : Math.ceil(size.byteLength / 4);
    results[name] = new Float32Array(await gpu.readBack(slice, floats * 4));
  }
  for (const slice of Object.values<Slice | undefined>(slices)) if (slice !== undefined) gpu.release(slice.buffer);
  return results as Record<Out, Float32Array>;
}

/** The uniform `current` of a pass. */
export function passUniform(pass: {
  readonly rows: number;
  readonly samples?: number;
  readonly splitRows?: number;
  readonly dropout?: { readonly probability: number; readonly seed: number; readonly round: number };
}): Uint32Array {
  const words = new Uint32Array(PASS_BYTES / 4);
  const { probability, seed, round } = pass.dropout ?? { probability: 0, seed: 0, round: 0 };
  words.set([pass.rows, pass.samples ?? 1, pass.splitRows ?? pass.rows, Math.floor(probability * 2 ** 32)]);
  new Float32Array(words.buffer, 16, 1)[0] = 1 / (1 - probability);
  words.set([seed, round], 5);
  return words;
}

export const layerUniform = (index: number): Uint32Array => Uint32Array.of(index, 0, 0, 0);

/** Rows of samples of the given lengths, packed: (N,4) position id, token, position in the round, token id; and (B,4) samples. */
export function packedRows(
  lengths: readonly number[],
  positions: readonly number[] = lengths.map((_, i) => i),
): { rows: Uint32Array; samples: Uint32Array; count: number } {
  const rows: number[] = [];
  const samples: number[] = [];
  lengths.forEach((length, b) => {
    samples.push(rows.length / 4, length, positions[b]!, 0);
    for (let token = 0; token < length; token++) rows.push(2 + token, token, positions[b]!, 4 + ((7 * token + b) % 20));
  });
  return { rows: Uint32Array.from(rows), samples: Uint32Array.from(samples), count: rows.length / 4 };
}

/** The part of a padded (B,T,width) array that the packed rows hold: (N,width). */
export function packed(padded: Float32Array, lengths: readonly number[], tokens: number, width: number): Float32Array {
  const parts = lengths.map((length, b) => padded.subarray(b * tokens * width, (b * tokens + length) * width));
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
