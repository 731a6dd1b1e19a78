import type { InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import type { Block } from '../../../signaling/protocol/round.ts';
import type { LoraTarget } from '../../../signaling/protocol/settings.ts';
import type { ModelPart } from '../../../signaling/protocol/split.ts';
import type { FrozenEmbeddings } from '../../model/description.ts';
import type { ParameterLayout } from '../../model/layout.ts';
import type { EngineRequest } from '../engine.ts';
import type { Loss } from '../loss.ts';
import type { HeadGraphs } from './head-graphs.ts';
import { HEAD_TENSORS } from './head-graphs.ts';
import type { LayerGraphs } from './layer-graphs.ts';
import type { Runtime } from './runtime.ts';

export type LayerStep = 'forward' | 'forwardSaving' | 'backward' | 'backwardDeepest';
export type HeadStep = 'loss' | 'lossAndGradients';
export type Tensors = Readonly<Record<string, Tensor>>;

/** What passes need of their engine. */
export interface EngineParts {
  readonly request: EngineRequest;
  readonly loss: Loss;
  readonly runtime: Runtime;
  readonly layout: ParameterLayout;
  readonly part: ModelPart;
  readonly embeddings: FrozenEmbeddings | null;
  /** Frozen tensors of each of the part's layers as they are stored, by LayerTensor; scales by `scalesOf`. */
  readonly frozen: ReadonlyMap<number, Tensors>;
  /** Trained tensors of each of the part's blocks: adapters by `<target>.A` and `.B`, the head's by name. */
  readonly trained: ReadonlyMap<Block, Tensors>;
  readonly headGraphs: (withDropout: boolean) => HeadGraphs;
  readonly layerGraphs: (layer: number, withDropout: boolean) => LayerGraphs;
  layerSession(step: LayerStep, layer: number, withDropout: boolean): Promise<InferenceSession>;
  headSession(step: HeadStep, withDropout: boolean): Promise<InferenceSession>;
}

/** `lora.layer.3.query.A` to `query.A`, as the graphs call it. */
export function adapterInput(slotName: string): `${LoraTarget}.${'A' | 'B'}` {
  return slotName.replace(/^lora\.layer\.\d+\./, '') as `${LoraTarget}.${'A' | 'B'}`;
}

export function isHeadTensor(name: string): name is (typeof HEAD_TENSORS)[number] {
  return HEAD_TENSORS.some((tensor) => tensor === name);
}
