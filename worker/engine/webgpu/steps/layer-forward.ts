import { DROPOUT_SITES } from '../../dropout.ts';
import { attentionForwardKernel, attentionGrid } from '../kernels/attention.ts';
import { layerNormGrid, layerNormKernel, layerNormSizes } from '../kernels/layer-norm.ts';
import { loraProjectGrid, loraProjectKernel, loraProjectSizes } from '../kernels/lora-project.ts';
import { matmulGrid, matmulKernel, matmulSizes } from '../kernels/matmul/matmul.ts';
import type { MatmulVariant } from '../kernels/matmul/matmul-variant.ts';
import { adaptersOf, matmulLora, type Product, productShape } from './adapters.ts';
import { type KernelStep, kernelStep, type LayerPlan, type TensorName } from './steps.ts';

/**
 * A layer forward, from hidden states in `t.x` to hidden states in `t.x`. With `keep`, what the backward pass needs goes to `s.`: no
 * input of a frozen matrix that has no adapter, no probabilities, and of the two LayerNorms only their normalised inputs.
 */
export function layerForwardSteps(plan: LayerPlan, keep: boolean): readonly KernelStep[] {
  const { shape, precision } = plan;
  const at = (name: string): TensorName => (keep ? `s.${name}` : `t.${name}`);
  // Backward, the context is needed by its adapter alone.
  const context: TensorName = keep && adaptersOf(plan, 'o') !== null ? 's.context' : 't.context';
  const attention = { headSize: shape.hiddenSize / shape.heads, precision, threads: plan.attentionThreads };
  const norm = (which: '1' | '2') =>
    kernelStep(
      layerNormKernel({ outPrecision: precision, keep }),
      { x: 't.sum', norm: `w.norm${which}`, out: 't.x', normed: `s.normed${which}`, rstd: `s.rstd${which}` },
      layerNormSizes(shape.hiddenSize, shape.layerNormEps),
      ({ rows }) => layerNormGrid(rows),
    );
  return [
    ...product(plan, 'qkv', 't.x', at, { out: at('qkv') }),
    kernelStep(
      attentionForwardKernel(attention),
      { qkv: at('qkv'), context, logSum: at('logSum') },
      null,
      ({ samples, longest }) => attentionGrid(attention, shape.heads, samples, longest),
    ),
    ...product(plan, 'o', context, at, { out: 't.sum', dropoutSite: DROPOUT_SITES.attentionOutput }),
    norm('1'),
    ...product(plan, 'i', 't.x', at, { out: 't.wide', gelu: keep ? 'keep' : 'apply' }),
    ...product(plan, 'd', 't.wide', at, { out: 't.sum', dropoutSite: DROPOUT_SITES.ffnOutput }),
    norm('2'),
  ];
}

/** A frozen projection with its adapters. With a dropout site the residual `t.x` is added and the sum, f32, left to the LayerNorm. */
function product(
  plan: LayerPlan,
  which: Product,
  x: TensorName,
  at: (name: string) => TensorName,
  into: { readonly out: TensorName; readonly dropoutSite?: number; readonly gelu?: 'apply' | 'keep' },
): KernelStep[] {
  const { precision, weights, tile } = plan;
  const [outer, inner] = productShape(plan, which);
  const lora = adaptersOf(plan, which);
  const residual = into.dropoutSite !== undefined;
  const variant: MatmulVariant = {
    weight: 'rows',
    xPrecision: precision,
    weightPrecision: weights,
    outPrecision: residual ? 'f32' : precision,
    activationPrecision: precision,
    bias: true,
    lora: lora !== null,
    dropout: residual && plan.withDropout,
    ...(residual ? { add: 'residual' } : {}),
    ...(into.gelu === undefined ? {} : { gelu: into.gelu }),
  };
  const sizes = {
    inner,
    outer,
    ...(lora === null ? {} : { lora: matmulLora(lora) }),
    ...(into.dropoutSite === undefined ? {} : { dropoutSite: into.dropoutSite }),
  };
  const steps: KernelStep[] = [];
  if (lora !== null) {
    const spec = {
      matrix: 'A',
      inner,
      xWidth: inner,
      xPrecision: precision,
      rank: lora.rank,
      scale: 1,
      zWidth: lora.zWidth,
      targets: lora.adapters.map(({ zOffset, aOffset, dropoutSite }) => ({
        xOffset: 0,
        zOffset,
        matrixOffset: aOffset,
        dropoutSite,
      })),
    } as const;
    steps.push(
      kernelStep(
        loraProjectKernel(spec),
        { x, lora: 'p.block', z: at(`z.${which}`) },
        loraProjectSizes(spec),
        ({ rows }) => loraProjectGrid(spec, rows),
      ),
    );
  }
  steps.push(
    kernelStep(
      matmulKernel(variant, tile),
      {
        x,
        weight: `w.${which}`,
        bias: `w.${which}.bias`,
        z: at(`z.${which}`),
        lora: 'p.block',
        residual: 't.x',
        preactivation: 's.preactivation',
        out: into.out,
      },
      matmulSizes(sizes),
      ({ rows }) => matmulGrid(sizes, tile, rows),
    ),
  );
  return steps;
}
