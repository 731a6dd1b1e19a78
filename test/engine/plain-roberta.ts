import type { LoraTarget } from '../../signaling/protocol/settings.ts';
import type { RandomModel } from '../../worker/check/random-model.ts';
import type { ParameterLayout } from '../../worker/model/layout.ts';

/**
 * The model once more, as plainly as it can be said: float64, one sample at a time, its real tokens alone, arrays of arrays, with its own
 * generator of dropout masks. It shares nothing with the engines but the names of tensors; its gradients are central differences.
 */

type Rows = readonly (readonly number[])[];
type Keep = (element: number) => number;

/** pcg4d on 64-bit integers, as the paper writes it (Jarzynski and Olano, JCGT 2020, listing 2). */
export function pcg4dPlain(input: readonly number[]): number[] {
  const u32 = (value: bigint) => value & 0xffffffffn;
  const state = input.map((value) => u32(BigInt(value) * 1664525n + 1013904223n));
  let [x = 0n, y = 0n, z = 0n, w = 0n] = state;
  const mix = () => {
    x = u32(x + y * w);
    y = u32(y + z * x);
    z = u32(z + x * y);
    w = u32(w + y * z);
  };
  mix();
  x ^= x >> 16n;
  y ^= y >> 16n;
  z ^= z >> 16n;
  w ^= w >> 16n;
  mix();
  return [x, y, z, w].map(Number);
}

export interface PlainDropout {
  readonly probability: number;
  readonly seed: number;
  readonly round: number;
}

/** What an element at a site of a layer of a sample is multiplied by: 0, or 1 / (1 - probability). */
export function plainKeep(
  { probability, seed, round }: PlainDropout,
  layer: number,
  site: number,
  position: number,
): Keep {
  if (probability === 0) return () => 1;
  const [k0 = 0, k1 = 0, k2 = 0, k3 = 0] = pcg4dPlain([seed, round, 16 * layer + site, position]);
  return (element) => {
    const words = pcg4dPlain([(k0 + Math.floor(element / 4)) % 2 ** 32, k1, k2, k3]);
    return words[element % 4]! < Math.floor(probability * 2 ** 32) ? 0 : Math.fround(1 / (1 - probability));
  };
}

/** Sites by what they are for; they are part of what two devices must agree on, so they stand here as numbers. */
export const PLAIN_SITES = {
  embeddings: 0,
  attentionProbabilities: 1,
  attentionOutput: 2,
  ffnOutput: 3,
  lora: { query: 4, key: 5, value: 6, 'attention.output.dense': 7, 'intermediate.dense': 8, 'output.dense': 9 },
  headInput: 10,
  headActivated: 11,
} as const;

/** erf by the series whose terms are all positive: 2/sqrt(pi) exp(-x²) Σ 2^n x^(2n+1) / (1·3·5…(2n+1)). */
function erf(x: number): number {
  let [term, sum] = [x, x];
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

const gelu = (x: number): number => (x / 2) * (1 + erf(x / Math.SQRT2));
const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const plus = (a: Rows, b: Rows): number[][] => a.map((row, t) => row.map((value, i) => value + b[t]![i]!));
const kept = (x: Rows, keep: Keep): number[][] => {
  const width = x[0]!.length;
  return x.map((row, t) => row.map((value, i) => value * keep(t * width + i)));
};

export interface PlainModel {
  /** Mean of nothing: the sum of the samples' losses at these parameters. */
  lossSum(parameters: Float64Array): number;
}

type Matrices = ReadonlyMap<string, number[][]>;

const PATHS: Readonly<Record<LoraTarget, string>> = {
  query: 'attention.self.query',
  key: 'attention.self.key',
  value: 'attention.self.value',
  'attention.output.dense': 'attention.output.dense',
  'intermediate.dense': 'intermediate.dense',
  'output.dense': 'output.dense',
};

const matrix = (values: ArrayLike<number>, columns: number): number[][] =>
  Array.from({ length: values.length / columns }, (_, row) =>
    Array.from({ length: columns }, (_, column) => values[row * columns + column]!),
  );

async function frozen({ shape, weights }: RandomModel): Promise<Matrices> {
  const { hiddenSize: c, ffnSize: f } = shape;
  const found = new Map<string, number[][]>();
  const read = async (name: string, dims: number[]) => {
    found.set(name, matrix(await weights.read(`roberta.${name}`, dims), dims.at(-1)!));
  };
  await read('embeddings.word_embeddings.weight', [shape.vocabSize, c]);
  await read('embeddings.position_embeddings.weight', [shape.maxPositions, c]);
  await read('embeddings.token_type_embeddings.weight', [1, c]);
  const norms = ['embeddings.LayerNorm'];
  for (let l = 0; l < shape.layers; l++) {
    for (const path of Object.values(PATHS)) {
      const [out, into] = path === 'intermediate.dense' ? [f, c] : path === 'output.dense' ? [c, f] : [c, c];
      await read(`encoder.layer.${l}.${path}.weight`, [out, into]);
      await read(`encoder.layer.${l}.${path}.bias`, [out]);
    }
    norms.push(`encoder.layer.${l}.attention.output.LayerNorm`, `encoder.layer.${l}.output.LayerNorm`);
  }
  for (const norm of norms) for (const part of ['weight', 'bias']) await read(`${norm}.${part}`, [c]);
  return found;
}

/** The trained matrices in a flat vector; a bias is a matrix of one row. */
function trained(layout: ParameterLayout, parameters: Float64Array): Matrices {
  const slots = [...layout.layers, layout.head].flatMap((block) => block.slots);
  return new Map(
    slots.map(({ name, offset, length, shape }) => [
      name,
      matrix(parameters.subarray(offset, offset + length), shape.at(-1)!),
    ]),
  );
}

export async function plainRoberta(
  model: RandomModel,
  layout: ParameterLayout,
  dropout: PlainDropout,
): Promise<PlainModel> {
  const { shape, lora, batch, labelCount } = model;
  const { hiddenSize: c, heads, layerNormEps } = shape;
  const base = await frozen(model);
  const keeps = new Map<string, Map<number, number>>();
  /** Masks do not depend on parameters: each element is drawn once. */
  const keep = (layer: number, site: number, position: number): Keep => {
    const drawn = plainKeep(dropout, layer, site, position);
    const key = `${layer} ${site} ${position}`;
    const known = keeps.get(key) ?? new Map<number, number>();
    keeps.set(key, known);
    return (element) => {
      const value = known.get(element) ?? drawn(element);
      known.set(element, value);
      return value;
    };
  };
  const layerNorm = (x: Rows, name: string): number[][] =>
    x.map((row) => {
      const mean = row.reduce((a, b) => a + b, 0) / c;
      const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / c;
      const [weight, bias] = [base.get(`${name}.weight`)![0]!, base.get(`${name}.bias`)![0]!];
      return row.map((value, i) => ((value - mean) / Math.sqrt(variance + layerNormEps)) * weight[i]! + bias[i]!);
    });

  const sampleLoss = (sample: number, adapters: Matrices): number => {
    const [length, position] = [batch.lengths[sample]!, batch.positions[sample]!];
    const ids = Array.from({ length }, (_, t) => batch.ids[sample * batch.tokens + t]!);
    const embedded = ids.map((id, t) =>
      Array.from(
        { length: c },
        (_, i) =>
          base.get('embeddings.word_embeddings.weight')![id]![i]! +
          base.get('embeddings.position_embeddings.weight')![t + 2]![i]! +
          base.get('embeddings.token_type_embeddings.weight')![0]![i]!,
      ),
    );
    let x = kept(layerNorm(embedded, 'embeddings.LayerNorm'), keep(0, PLAIN_SITES.embeddings, position));
    for (let l = 0; l < shape.layers; l++) {
      const project = (input: Rows, target: LoraTarget): number[][] => {
        const path = `encoder.layer.${l}.${PATHS[target]}`;
        const [weight, bias] = [base.get(`${path}.weight`)!, base.get(`${path}.bias`)![0]!];
        const plain = input.map((row) => weight.map((w, o) => dot(w, row) + bias[o]!));
        const [a, b] = ['A', 'B'].map((part) => adapters.get(`lora.layer.${l}.${target}.${part}`));
        if (a === undefined || b === undefined) return plain;
        const narrow = kept(input, keep(l, PLAIN_SITES.lora[target], position)).map((row) => a.map((w) => dot(w, row)));
        return plus(
          plain,
          narrow.map((row) => b.map((w) => (lora.alpha / lora.rank) * dot(w, row))),
        );
      };
      const [q, k, v] = [project(x, 'query'), project(x, 'key'), project(x, 'value')];
      const probability = keep(l, PLAIN_SITES.attentionProbabilities, position);
      const size = c / heads;
      const context = q.map((query, t) =>
        Array.from({ length: heads }, (_, h) => {
          const part = (row: readonly number[]) => row.slice(h * size, (h + 1) * size);
          const scores = k.map((row) => Math.exp(dot(part(query), part(row)) / Math.sqrt(size)));
          const total = scores.reduce((a, b) => a + b, 0);
          const weights = scores.map((score, s) => (score / total) * probability((h * 512 + t) * 512 + s));
          return part(query).map((_, i) => v.reduce((sum, row, s) => sum + weights[s]! * part(row)[i]!, 0));
        }).flat(),
      );
      const attended = kept(project(context, 'attention.output.dense'), keep(l, PLAIN_SITES.attentionOutput, position));
      const middle = layerNorm(plus(x, attended), `encoder.layer.${l}.attention.output.LayerNorm`);
      const inner = project(middle, 'intermediate.dense').map((row) => row.map(gelu));
      const out = kept(project(inner, 'output.dense'), keep(l, PLAIN_SITES.ffnOutput, position));
      x = layerNorm(plus(middle, out), `encoder.layer.${l}.output.LayerNorm`);
    }
    const linear = (row: readonly number[], name: string): number[] =>
      adapters.get(`${name}.weight`)!.map((w, o) => dot(w, row) + adapters.get(`${name}.bias`)![0]![o]!);
    const first = kept([x[0]!], keep(0, PLAIN_SITES.headInput, position))[0]!;
    const activated = linear(first, 'classifier.dense').map(Math.tanh);
    const logits = linear(kept([activated], keep(0, PLAIN_SITES.headActivated, position))[0]!, 'classifier.out_proj');
    const label = batch.labels[sample]!;
    if (labelCount === 1) return (logits[0]! - label) ** 2;
    return Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0)) - logits[label]!;
  };

  return {
    lossSum: (parameters) => {
      const adapters = trained(layout, parameters);
      return Array.from(batch.lengths, (_, sample) => sampleLoss(sample, adapters)).reduce((a, b) => a + b, 0);
    },
  };
}
