import { DROPOUT_SITES } from '../../dropout.ts';
import { attentionGrid } from '../kernels/attention.ts';
import { attentionKeyGradientKernel, attentionQueryGradientKernel } from '../kernels/attention-backward.ts';
import type { Precision } from '../kernels/kernel.ts';
import { layerNormBackwardKernel, layerNormBackwardSizes, layerNormGrid } from '../kernels/layer-norm.ts';
import {
  gradientSumGrid,
  gradientSumKernel,
  gradientSumSizes,
  type LoraGradientSpec,
  loraGradientGrid,
  loraGradientKernel,
  loraGradientSizes,
} from '../kernels/lora-gradient.ts';
import { loraInputGrid, loraInputKernel, loraInputSizes } from '../kernels/lora-input.ts';
import { loraProjectGrid, loraProjectKernel, loraProjectSizes } from '../kernels/lora-project.ts';
import { matmulGrid, matmulKernel, matmulSizes } from '../kernels/matmul/matmul.ts';
import type { MatmulVariant } from '../kernels/matmul/matmul-variant.ts';
import {
  adaptersOf,
  deepestProduct,
  PRODUCTS_DOWNWARDS,
  type Product,
  type ProductAdapters,
  productShape,
} from './adapters.ts';
import { type KernelStep, kernelStep, type LayerPlan, type TensorName } from './steps.ts';

/** Where the backward pass finds the layer's input, which the gradients of query, key and value's A need. */
export type LayerInput =
  /** In `s.input`: copied when it came from the embeddings, from elsewhere, or from a layer that saved nothing. */
  | 'copied'
  /** To be made from what the layer below saved of its last LayerNorm. */
  | 'below';

/**
 * A layer backward: `t.g`, the gradient of its output (N,C), becomes that of its input when `wantInput`, and the adapters' gradients go
 * to `t.gradient`. Without `wantInput` the work ends at the deepest adapter; frozen matrices never get a gradient, and a layer without
 * adapters has none.
 */
export function layerBackwardSteps(plan: LayerPlan, input: LayerInput, wantInput: boolean): readonly KernelStep[] {
  const { shape, precision, block, withDropout } = plan;
  const deepest = deepestProduct(plan);
  if (deepest === undefined && !wantInput) return [];
  const c = shape.hiddenSize;
  const dropped: TensorName = withDropout ? 't.dropped' : 't.g';
  const needs = (product: Product) =>
    wantInput || PRODUCTS_DOWNWARDS.indexOf(product) <= PRODUCTS_DOWNWARDS.indexOf(deepest ?? 'd');
  const norm = (which: '1' | '2', dropoutSite: number) =>
    kernelStep(
      layerNormBackwardKernel({ normedPrecision: precision, dropout: withDropout }),
      {
        normed: `s.normed${which}`,
        rstd: `s.rstd${which}`,
        norm: `w.norm${which}`,
        gradient: 't.g',
        dropped: 't.dropped',
      },
      layerNormBackwardSizes(c, dropoutSite),
      ({ rows }) => layerNormGrid(rows),
    );
  const steps: KernelStep[] = [];

  steps.push(norm('2', DROPOUT_SITES.ffnOutput));
  const below = needs('i');
  steps.push(
    ...adapterGradients(plan, 'd', dropped, { form: 'gelu', tensor: 's.preactivation' }, below ? 't.dWide' : null),
  );
  if (below) {
    steps.push(productBackward(plan, 'd', dropped, 't.dWide', 'slope'));
    const attention = needs('o');
    steps.push(
      ...adapterGradients(
        plan,
        'i',
        't.dWide',
        { form: 'normed', tensor: 's.normed1', norm: 'w.norm1' },
        attention ? 't.g' : null,
      ),
    );
    if (attention) {
      steps.push(productBackward(plan, 'i', 't.dWide', 't.g'), norm('1', DROPOUT_SITES.attentionOutput));
      const inside = needs('qkv');
      steps.push(
        ...adapterGradients(plan, 'o', dropped, { form: 'plain', tensor: 's.context' }, inside ? 't.dContext' : null),
      );
      if (inside) {
        steps.push(productBackward(plan, 'o', dropped, 't.dContext'), ...attentionBackward(plan, wantInput));
        const from = {
          copied: { form: 'plain', tensor: 's.input' },
          below: { form: 'normed', tensor: 'b.normed2', norm: 'b.norm2' },
        } as const;
        steps.push(...adapterGradients(plan, 'qkv', 't.dqkv', from[input], wantInput ? 't.g' : null));
        if (wantInput) steps.push(productBackward(plan, 'qkv', 't.dqkv', 't.g'));
      }
    }
  }
  const { length } = block;
  if (length > 0)
    steps.push(
      kernelStep(gradientSumKernel(), { parts: 't.parts', gradient: 't.gradient' }, gradientSumSizes(length), () =>
        gradientSumGrid(length),
      ),
    );
  return steps;
}

/** Whether this tensor holds something to add to when the product comes to it. */
function adds(plan: LayerPlan, product: Product, into: TensorName): boolean {
  return into === 't.g' || adaptersOf(plan, product) !== null;
}

/** The gradient of a frozen product's input, (N,O) to (N,K), after what its adapters have put there. */
function productBackward(
  plan: LayerPlan,
  product: Product,
  from: TensorName,
  into: TensorName,
  gelu?: 'slope',
): KernelStep {
  const { precision, weights, tile } = plan;
  // Backward, the matrix (O,K) is read by columns: its rows are the inner dimension.
  const [inner, outer] = productShape(plan, product);
  const variant: MatmulVariant = {
    weight: 'columns',
    xPrecision: 'f32',
    weightPrecision: weights,
    outPrecision: 'f32',
    activationPrecision: precision,
    bias: false,
    lora: false,
    dropout: false,
    ...(adds(plan, product, into) ? { add: 'out' } : {}),
    ...(gelu === undefined ? {} : { gelu }),
  };
  const sizes = { inner, outer };
  return kernelStep(
    matmulKernel(variant, tile),
    { x: from, weight: `w.${product}`, bias: `w.${product}.bias`, preactivation: 's.preactivation', out: into },
    matmulSizes(sizes),
    ({ rows }) => matmulGrid(sizes, tile, rows),
  );
}

function attentionBackward(plan: LayerPlan, wantInput: boolean): KernelStep[] {
  const { shape, lora, precision } = plan;
  const attention = { headSize: shape.hiddenSize / shape.heads, precision, threads: plan.attentionThreads };
  const grid: KernelStep['grid'] = ({ samples, longest }) => attentionGrid(attention, shape.heads, samples, longest);
  const tensors = {
    qkv: 's.qkv',
    dContext: 't.dContext',
    logSum: 's.logSum',
    delta: 't.delta',
    dqkv: 't.dqkv',
  } as const;
  const steps = [kernelStep(attentionQueryGradientKernel(attention), tensors, null, grid)];
  if (wantInput || lora.targets.includes('key') || lora.targets.includes('value'))
    steps.push(kernelStep(attentionKeyGradientKernel(attention), tensors, null, grid));
  return steps;
}

interface ProductInput {
  readonly form: LoraGradientSpec['xForm'];
  readonly tensor: TensorName;
  /** Gain and shift of the LayerNorm whose output it is. */
  readonly norm?: TensorName;
}

/** dz, dA and dB of a product's adapters from the gradient `dy` of its output; with `into`, what they send back to their input. */
function adapterGradients(
  plan: LayerPlan,
  product: Product,
  dy: TensorName,
  x: ProductInput,
  into: TensorName | null,
): KernelStep[] {
  const lora = adaptersOf(plan, product);
  if (lora === null) return [];
  const [outer, inner] = productShape(plan, product);
  const width = lora.adapters[0]!.to - lora.adapters[0]!.from;
  const dz: TensorName = `t.dz.${product}`;
  const { rank, scale, zWidth } = lora;
  const projection = {
    matrix: 'B',
    inner: width,
    xWidth: outer,
    xPrecision: 'f32',
    rank,
    scale,
    zWidth,
    targets: lora.adapters.map(({ from, zOffset, bOffset, dropoutSite }) => ({
      xOffset: from,
      zOffset,
      matrixOffset: bOffset,
      dropoutSite,
    })),
  } as const;
  const steps = [
    kernelStep(
      loraProjectKernel(projection),
      { x: dy, lora: 'p.block', z: dz },
      loraProjectSizes(projection),
      ({ rows }) => loraProjectGrid(projection, rows),
    ),
    gradientStep(plan, lora, {
      matrix: 'A',
      width: inner,
      xWidth: inner,
      precision: plan.precision,
      x,
      z: dz,
      scale: 1,
    }),
    gradientStep(plan, lora, {
      matrix: 'B',
      width,
      xWidth: outer,
      precision: 'f32',
      x: { form: 'plain', tensor: dy },
      z: `s.z.${product}`,
      scale,
    }),
  ];
  if (into !== null) {
    const spec = { width: inner, rank, zWidth, add: into === 't.g', targets: lora.adapters };
    steps.push(
      kernelStep(loraInputKernel(spec.add), { dz, lora: 'p.block', dx: into }, loraInputSizes(spec), ({ rows }) =>
        loraInputGrid(spec, rows),
      ),
    );
  }
  return steps;
}

function gradientStep(
  plan: LayerPlan,
  { rank, zWidth, adapters }: ProductAdapters,
  of: {
    readonly matrix: 'A' | 'B';
    readonly width: number;
    readonly xWidth: number;
    readonly precision: Precision;
    readonly x: ProductInput;
    readonly z: TensorName;
    readonly scale: number;
  },
): KernelStep {
  const spec: LoraGradientSpec = {
    matrix: of.matrix,
    width: of.width,
    xWidth: of.xWidth,
    xPrecision: of.precision,
    xForm: of.x.form,
    rank,
    scale: of.scale,
    zWidth,
    blockLength: plan.block.length,
    targets: adapters.map(({ from, zOffset, aOffset, bOffset, dropoutSite }) => ({
      xOffset: of.matrix === 'A' ? 0 : from,
      zOffset,
      matrixOffset: of.matrix === 'A' ? aOffset : bOffset,
      dropoutSite,
    })),
  };
  return kernelStep(
    loraGradientKernel(spec),
    { x: of.x.tensor, z: of.z, parts: 't.parts', ...(of.x.norm === undefined ? {} : { norm: of.x.norm }) },
    loraGradientSizes(spec),
    ({ splits }) => loraGradientGrid(spec, splits),
  );
}
