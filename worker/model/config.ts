import * as v from 'valibot';
import { type ModelShape, ModelShapeSchema } from '../../signaling/protocol/settings.ts';
import { SentenceError } from '../../signaling/protocol/text/sentence-error.ts';
import { brief } from '../../signaling/protocol/text/visible.ts';

export class ConfigError extends SentenceError {
  override readonly name = 'ConfigError';
}

/** Models of the same architecture and tensor names as RoBERTa; roberta-base's own file states no type at all. */
const MODEL_TYPES = ['roberta', 'xlm-roberta', 'camembert'] as const;

/** What is left out has transformers' defaults, which are those of its RobertaConfig, XLMRobertaConfig and CamembertConfig. */
const VOCAB_SIZES: Readonly<Record<string, number>> = { roberta: 50_265, 'xlm-roberta': 30_522, camembert: 30_522 };

const ConfigSchema = v.object({
  model_type: v.optional(v.string(), 'roberta'),
  num_hidden_layers: v.optional(v.number(), 12),
  hidden_size: v.optional(v.number(), 768),
  num_attention_heads: v.optional(v.number(), 12),
  intermediate_size: v.optional(v.number(), 3072),
  vocab_size: v.optional(v.number()),
  max_position_embeddings: v.optional(v.number(), 512),
  layer_norm_eps: v.optional(v.number(), 1e-12),
  pad_token_id: v.optional(v.number(), 1),
  hidden_act: v.optional(v.string(), 'gelu'),
  position_embedding_type: v.optional(v.string(), 'absolute'),
  is_decoder: v.optional(v.boolean(), false),
});

/**
 * The shape of an encoder from Hugging Face's `config.json`, already parsed as JSON.
 * @throws ConfigError with one sentence when the model is not a RoBERTa encoder that the engines can run.
 */
export function parseModelConfig(config: unknown): ModelShape {
  if (Array.isArray(config)) throw new ConfigError('config.json is a list, not the configuration of a model.');
  const read = v.safeParse(ConfigSchema, config);
  if (!read.success) {
    const key = v.getDotPath(read.issues[0]) ?? 'a JSON object';
    throw new ConfigError(`config.json: ${key} is missing or not valid (${brief(read.issues[0].message)}).`);
  }
  const c = { ...read.output, vocab_size: read.output.vocab_size ?? VOCAB_SIZES[read.output.model_type] ?? 0 };
  if (!MODEL_TYPES.some((type) => type === c.model_type))
    throw new ConfigError(
      `config.json: model_type is "${brief(c.model_type, 60)}"; only RoBERTa encoders (${MODEL_TYPES.join(', ')}) can be trained.`,
    );
  if (c.hidden_act !== 'gelu')
    throw new ConfigError(
      `config.json: hidden_act is "${brief(c.hidden_act, 60)}"; only the exact "gelu" is supported.`,
    );
  if (c.position_embedding_type !== 'absolute')
    throw new ConfigError(
      `config.json: position_embedding_type is "${brief(c.position_embedding_type, 60)}"; only "absolute" is supported.`,
    );
  if (c.is_decoder) throw new ConfigError('config.json: is_decoder is true; only encoders can be trained.');
  const shape = v.safeParse(
    ModelShapeSchema,
    Object.fromEntries(Object.entries(SHAPE_KEYS).map(([name, key]) => [name, c[key]])),
  );
  if (!shape.success) {
    const [issue] = shape.issues;
    const key = new Map<string, string>(Object.entries(SHAPE_KEYS)).get(v.getDotPath(issue) ?? '') ?? 'it';
    throw new ConfigError(`config.json: ${key} is out of range (${brief(issue.message)}).`);
  }
  if (c.hidden_size % c.num_attention_heads !== 0)
    throw new ConfigError(
      `config.json: hidden_size ${c.hidden_size} is not a multiple of num_attention_heads ${c.num_attention_heads}.`,
    );
  if (c.pad_token_id >= c.vocab_size)
    throw new ConfigError(`config.json: pad_token_id ${c.pad_token_id} is not below vocab_size ${c.vocab_size}.`);
  if (c.max_position_embeddings <= c.pad_token_id + 1)
    throw new ConfigError(
      `config.json: max_position_embeddings ${c.max_position_embeddings} leaves no position after the padding one.`,
    );
  return shape.output;
}

/** Names of a shape's numbers in config.json. */
const SHAPE_KEYS = {
  layers: 'num_hidden_layers',
  hiddenSize: 'hidden_size',
  heads: 'num_attention_heads',
  ffnSize: 'intermediate_size',
  vocabSize: 'vocab_size',
  maxPositions: 'max_position_embeddings',
  layerNormEps: 'layer_norm_eps',
  padTokenId: 'pad_token_id',
} as const satisfies Readonly<Record<keyof ModelShape, string>>;

/** Longest sequence that the position table can hold: RoBERTa's first real token is at position pad id + 1. */
export function maxTokens(shape: ModelShape): number {
  return shape.maxPositions - shape.padTokenId - 1;
}
