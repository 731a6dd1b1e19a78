import type { LoraTarget } from '../../../../signaling/protocol/settings.ts';
import { targetShape } from '../../../model/layout.ts';
import { loraSite } from '../../dropout.ts';
import { paddedRank } from '../kernels/lora-project.ts';
import type { MatmulLora } from '../kernels/matmul/matmul.ts';
import type { LayerPlan, ModelPlan } from './steps.ts';

/** A product of the layer with a frozen matrix: query, key and value are one. */
export type Product = 'qkv' | 'o' | 'i' | 'd';

const TARGETS_OF: Readonly<Record<Product, readonly LoraTarget[]>> = {
  qkv: ['query', 'key', 'value'],
  o: ['attention.output.dense'],
  i: ['intermediate.dense'],
  d: ['output.dense'],
};

/** One adapter within its product. */
export interface ProductAdapter {
  readonly target: LoraTarget;
  /** Output columns of the product that it adapts. */
  readonly from: number;
  readonly to: number;
  /** Where its ranks begin in a row of z. */
  readonly zOffset: number;
  /** Where A and B begin in the layer's parameter block, in floats. */
  readonly aOffset: number;
  readonly bOffset: number;
  readonly dropoutSite: number;
}

/** The adapters of a product, and the sizes that its kernels share. */
export interface ProductAdapters {
  readonly rank: number;
  /** What B A is multiplied by. */
  readonly scale: number;
  /** Floats in a row of z. */
  readonly zWidth: number;
  readonly adapters: readonly ProductAdapter[];
}

/** (O,K) of a product. */
export function productShape({ shape }: Pick<ModelPlan, 'shape'>, product: Product): readonly [number, number] {
  const [outer, inner] = targetShape(shape, TARGETS_OF[product][0]!);
  return [outer * TARGETS_OF[product].length, inner];
}

/** Null where the form's layers adapt none of the product's targets. */
export function adaptersOf(plan: LayerPlan, product: Product): ProductAdapters | null {
  const { lora, shape, rank, scale, block } = plan;
  const chosen = TARGETS_OF[product].filter((target) => rank > 0 && lora.targets.includes(target));
  if (chosen.length === 0) return null;
  const offset = (target: LoraTarget, matrix: 'A' | 'B') =>
    block.slots.find(({ name }) => name.replace(/^lora\.layer\.\d+\./, '') === `${target}.${matrix}`)!.offset -
    block.offset;
  const width = paddedRank(rank);
  return {
    rank,
    scale,
    zWidth: width * chosen.length,
    adapters: chosen.map((target, index) => {
      const [outer] = targetShape(shape, target);
      const part = TARGETS_OF[product].indexOf(target);
      return {
        target,
        from: part * outer,
        to: (part + 1) * outer,
        zOffset: index * width,
        aOffset: offset(target, 'A'),
        bOffset: offset(target, 'B'),
        dropoutSite: loraSite(target),
      };
    }),
  };
}

export function matmulLora({ rank, scale, zWidth, adapters }: ProductAdapters): MatmulLora {
  return { rank, scale, zWidth, targets: adapters };
}

/** Products whose adapters are trained, from the loss downwards: the order in which the backward pass meets them. */
export const PRODUCTS_DOWNWARDS: readonly Product[] = ['d', 'i', 'o', 'qkv'];

/** The deepest product that has an adapter, if any has: below it the backward pass of a layer needs nothing but its input's gradient. */
export function deepestProduct(plan: LayerPlan): Product | undefined {
  return PRODUCTS_DOWNWARDS.findLast((product) => adaptersOf(plan, product) !== null);
}
