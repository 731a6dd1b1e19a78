import type { LoraTarget } from '../../signaling/protocol/settings.ts';

/** How Hugging Face names the modules and tensors of RoBERTa. */

/** RobertaModel's own checkpoints lack the prefix that the task models give to the encoder. */
export const ENCODER_PREFIX = 'roberta.';

const EMBEDDINGS = `${ENCODER_PREFIX}embeddings`;

export const EMBEDDING_NAMES = {
  word: `${EMBEDDINGS}.word_embeddings.weight`,
  position: `${EMBEDDINGS}.position_embeddings.weight`,
  tokenType: `${EMBEDDINGS}.token_type_embeddings.weight`,
  normWeight: `${EMBEDDINGS}.LayerNorm.weight`,
  normBias: `${EMBEDDINGS}.LayerNorm.bias`,
} as const;

/** `path` is below the layer. */
export const layerTensorName = (layer: number | string, path: string): string =>
  `${ENCODER_PREFIX}encoder.layer.${layer}.${path}`;

/** The module below a layer that each projection is. */
export const MODULE_PATHS: Readonly<Record<LoraTarget, string>> = {
  query: 'attention.self.query',
  key: 'attention.self.key',
  value: 'attention.self.value',
  'attention.output.dense': 'attention.output.dense',
  'intermediate.dense': 'intermediate.dense',
  'output.dense': 'output.dense',
};
