import type { Block } from '../../signaling/protocol/round.ts';
import type { LoraSettings, ModelShape, WeightStorage } from '../../signaling/protocol/settings.ts';
import type { ModelPart } from '../../signaling/protocol/split.ts';
import type { TokenBatch } from '../api/batch.ts';
import type { ParameterLayout } from '../model/layout.ts';
import type { Weights } from '../model/weights.ts';
import type { Loss } from './loss.ts';

/** What every engine is made from. */
export interface EngineRequest {
  readonly shape: ModelShape;
  readonly lora: LoraSettings;
  /** Outputs of the head. */
  readonly labelCount: number;
  /** `plainLoss(labelCount)` unless given. */
  readonly loss?: Loss;
  readonly weights: Weights;
  /** What of the model is read and held; the whole of it unless given. */
  readonly part?: ModelPart;
  readonly weightStorage: WeightStorage;
  /** Of the embeddings' tables; as all other matrices unless given. */
  readonly embeddingStorage?: WeightStorage;
  /** Whether training passes will drop activations: what they then keep counts in `bytes`. */
  readonly withDropout: boolean;
  /** Called as frozen tensors arrive and as kernels or graphs are compiled. */
  readonly onProgress?: (progress: {
    readonly stage: 'weights' | 'compile';
    readonly done: number;
    readonly total: number;
  }) => void;
}

/** Layers `from` up to, not including, `to`, counted from the embeddings. */
export interface LayerRange {
  readonly from: number;
  readonly to: number;
}

/** Hidden states or their gradient, (B,T,C) row-major f32 when read, wherever the engine keeps them. */
export interface Hidden {
  readonly samples: number;
  readonly tokens: number;
  read(): Promise<Float32Array>;
  /** The rows of real tokens alone, sample after sample: (sum of lengths, C). */
  readPacked(): Promise<Float32Array>;
  /** The rows of the samples' first tokens, which are all that the head reads: (B,C). */
  readFirst(): Promise<Float32Array>;
  dispose(): void;
}

export interface PassOptions {
  /** Layers from this index on keep what their backward pass needs; `shape.layers` keeps nothing (evaluation). */
  readonly saveFrom: number;
  /** Dropout of this pass; probability 0 turns it off. Masks are keyed by (seed, round, sample position, layer, site, element). */
  readonly dropout: { readonly probability: number; readonly seed: number; readonly round: number };
  /** Saved layers keep their input alone, and go forward again when the backward pass comes to them; for engines that offer it. */
  readonly recompute?: boolean;
}

/** The trained values of one block, laid out as its slice of ParameterLayout. */
export interface BlockValues {
  readonly block: Block;
  readonly values: Float32Array;
}

export interface BlockGradient {
  readonly block: Block;
  /** Sum over the pass's samples, laid out as the block's slice of ParameterLayout. */
  readonly gradient: Float32Array;
}

/**
 * One micro-batch on its way through the model. DEFT runs the full range forward and a truncated range backward; the ranges are free
 * so that a model can also be split over devices: `hidden` and `dHidden` may then come from elsewhere. What is asked of a unit that the
 * engine's part lacks is refused with a RangeError, one sentence.
 */
export interface Pass {
  /** Embeddings and their LayerNorm: (B,T) ids to (B,T,C). */
  embed(): Promise<Hidden>;
  /** Consumes `hidden`. Padding rows carry values that nothing downstream of a real token depends on. */
  forward(range: LayerRange, hidden: Hidden): Promise<Hidden>;
  /** Head and loss. Consumes `hidden`; needs no `forward` before it. `dHidden` and the head's gradient belong to the sum of the sample losses; null when not asked for. */
  loss(
    hidden: Hidden,
    want: { readonly dHidden: boolean; readonly headGradient: boolean },
  ): Promise<{ logits: Float32Array; lossSum: number; dHidden: Hidden | null; head: BlockGradient | null }>;
  /**
   * From the last layer of `range` down to its first, which must have been saved. Needs no `loss` before it. Yields each layer's gradient as soon as it exists, and
   * nothing for a layer without adapters;
   * returns the gradient at the input of `range.from`, or null when `wantInput` is false. Consumes `dHidden`.
   */
  backward(range: LayerRange, dHidden: Hidden, wantInput: boolean): AsyncGenerator<BlockGradient, Hidden | null, void>;
  dispose(): void;
}

/** Exact bytes of a pass, what the cost model's memory formula is fitted to. */
export interface EngineBytes {
  readonly weightsBytes: number;
  /** Needed while any layer runs, whatever the depth, for all samples together. */
  readonly transientBytes: number;
  /** Kept for the backward pass, for all saved layers and samples together. */
  readonly savedBytes: number;
  readonly gradientBytes: number;
}

/** What passes will keep at a time. */
export interface PassNeeds {
  /** Layers of the engine's part that go backward. */
  readonly savedLayers: number;
  /** Passes that are between their forward and their backward pass at a time; 1 unless given. */
  readonly openPasses?: number;
  readonly recompute?: boolean;
}

/** What weights and activations are held in: 32 bits, or 16. */
export type EnginePrecision = 'single' | 'half';

/** A model, or a part of one, with frozen base weights and one flat vector of trainable values, on some backend. */
export interface Engine {
  readonly name: 'onnx' | 'webgpu' | 'reference';
  /** For people: "WASM, 4 threads". */
  readonly backend: string;
  readonly shape: ModelShape;
  /** Of the whole model, whatever the part. */
  readonly layout: ParameterLayout;
  readonly part: ModelPart;
  /** Passes that may be open at a time: 1, or Infinity, where memory is the only bound. What they are asked must not overlap. */
  readonly openPasses: number;
  /** All trained values of the whole model; what is not the part's is left aside. */
  setParameters(values: Float32Array): Promise<void>;
  /** Those of some of the part's blocks; the others stay as they are. */
  setBlocks(blocks: readonly BlockValues[]): Promise<void>;
  /**
   * `ids` may be empty where the pass embeds nothing, and `labels` where of its loss only the logits count. Where the part is the head alone, a pass sees
   * nothing but first tokens.
   */
  begin(batch: TokenBatch, options: PassOptions): Promise<Pass>;
  /** Hidden states or their gradient, (sum of lengths, C), that come from another engine, for a pass over `batch`. */
  wrapHidden(batch: TokenBatch, packed: Float32Array): Promise<Hidden>;
  /** The same from the rows of the first tokens alone, (B,C), zeros elsewhere. */
  wrapFirst(batch: TokenBatch, first: Float32Array): Promise<Hidden>;
  bytes(samples: number, tokens: number, needs: PassNeeds): EngineBytes;
  /** What it takes besides, whatever it holds: a library's own memory, and buffers that are not collected yet. None unless given. */
  readonly besideBytes?: number;
  /** Whether padding costs what real tokens do; engines that pack rows leave it out. */
  readonly computesPadding: boolean;
  /** Whether passes may be told to recompute. */
  readonly recomputes: boolean;
  /** Whether such passes can have their memory here, by taking it where that can be tried; it is given back at once. */
  fits(samples: number, tokens: number, needs: PassNeeds): Promise<boolean>;
  /** Bytes that a plain copy reads and writes in a second where the engine's tensors lie. */
  copyBytesPerSecond(): Promise<number>;
  dispose(): Promise<void>;
}
