import { DROPOUT_SITES } from '../../dropout.ts';
import { embedGrid, embedKernel, embedSizes } from '../kernels/embed.ts';
import { WEIGHT_BYTES } from '../kernels/kernel.ts';
import { type KernelStep, kernelStep, type ModelPlan } from './steps.ts';

/** No binding of the word table is larger: WebGPU's default limit, which every device has. */
export const MAX_EMBEDDING_PART_BYTES = 128 * 2 ** 20;

export interface WordPart {
  readonly firstWord: number;
  readonly wordCount: number;
}

/** The vocabulary in as few parts as the limit allows, of equal size but for the last. */
export function wordParts({ shape, embeddings }: Pick<ModelPlan, 'shape' | 'embeddings'>): readonly WordPart[] {
  const most = Math.floor(MAX_EMBEDDING_PART_BYTES / (shape.hiddenSize * WEIGHT_BYTES[embeddings]));
  const count = Math.ceil(shape.vocabSize / most);
  const size = Math.ceil(shape.vocabSize / count);
  return Array.from({ length: count }, (_, index) => ({
    firstWord: index * size,
    wordCount: Math.min(size, shape.vocabSize - index * size),
  }));
}

/** Embeddings of the pass's rows in `t.x`. */
export function embedSteps(plan: ModelPlan): readonly KernelStep[] {
  const { shape, precision, embeddings } = plan;
  return wordParts(plan).map((part, index) =>
    kernelStep(
      embedKernel(precision, embeddings),
      {
        wordTable: `e.words.${index}`,
        wordScales: `e.words.${index}.scales`,
        tables: 'e.tables',
        tableScales: 'e.tables.scales',
        norm: 'e.norm',
        out: 't.x',
      },
      embedSizes({
        width: shape.hiddenSize,
        eps: shape.layerNormEps,
        positions: shape.maxPositions,
        dropoutSite: DROPOUT_SITES.embeddings,
        ...part,
      }),
      ({ rows }) => embedGrid(rows),
    ),
  );
}
