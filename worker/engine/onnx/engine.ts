import type { InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import { rankOf, scaleOf } from '../../../signaling/protocol/adapters.ts';
import type { Block } from '../../../signaling/protocol/round.ts';
import { type ModelPart, wholePart } from '../../../signaling/protocol/split.ts';
import { type FrozenLayer, frozenBytes, layerBytes, loadFrozen } from '../../model/description.ts';
import { layersOf, type ParameterLayout, parameterLayout, placeOfBlock } from '../../model/layout.ts';
import { checkedBatch } from '../checked-batch.ts';
import type { BlockValues, Engine, EngineBytes, EngineRequest, PassNeeds } from '../engine.ts';
import { plainLoss } from '../loss.ts';
import {
  blocksFrom,
  checkedBlocks,
  hiddenWrappers,
  isHeadAlone,
  storageOf,
  type TrainedSizes,
  trainedSizes,
} from '../part.ts';
import { processorCopyRate } from '../processor-copy-rate.ts';
import { scalesOf } from './graph-builder.ts';
import { headGraphs } from './head-graphs.ts';
import { type LayerGraphs, layerGraphs } from './layer-graphs.ts';
import { adapterInput, type EngineParts, type Tensors } from './parts.ts';
import { OnnxPass } from './pass.ts';
import type { OnnxProvider, Runtime } from './runtime.ts';
import { measureSavedSizes, type SavedSizes } from './saved-sizes.ts';

/**
 * RoBERTa with frozen weights as ONNX graphs: one for each kind of step through a layer, used for all layers of one scale, the layer's
 * tensors being inputs. Graphs are compiled when they are first used.
 */
export async function createOnnxEngine(request: EngineRequest, provider: OnnxProvider): Promise<Engine> {
  const { shape, lora, labelCount, loss = plainLoss(labelCount), weights, weightStorage } = request;
  const { part = wholePart(shape.layers) } = request;
  const runtime = await loadRuntime(provider);
  const layout = parameterLayout(shape, lora, labelCount);

  const { embeddings, layers } = await loadFrozen(weights, shape, storageOf(request), part, (done, total) =>
    request.onProgress?.({ stage: 'weights', done, total }),
  );
  const frozen = new Map([...layers].map(([index, layer]) => [index, layerTensors(layer, runtime)]));

  const sessions = new Map<string, Promise<InferenceSession>>();
  const session = (key: string, compile: () => Promise<InferenceSession>): Promise<InferenceSession> => {
    const made = sessions.get(key) ?? compile();
    sessions.set(key, made);
    return made;
  };
  const graphs = new Map<string, LayerGraphs>();
  // Layers that are alike share their graphs.
  const kindOf = (layer: number, withDropout: boolean) =>
    `${scaleOf(lora, layer)}${withDropout ? ' with dropout' : ''}`;
  const graphsOf = (layer: number, withDropout: boolean): LayerGraphs => {
    const kind = kindOf(layer, withDropout);
    const scale = scaleOf(lora, layer);
    const targets = rankOf(lora, layer) > 0 ? lora.targets : [];
    const made =
      graphs.get(kind) ?? layerGraphs({ shape, targets, scale, withDropout, weightStorage, dialect: runtime.dialect });
    graphs.set(kind, made);
    return made;
  };
  const ofHead = (withDropout: boolean) => (withDropout ? dropping : plain);
  const plain = headGraphs(shape, labelCount, loss.kind, false, runtime.dialect);
  const dropping = headGraphs(shape, labelCount, loss.kind, true, runtime.dialect);

  const trained = new Map<Block, Tensors>();
  const put = (blocks: readonly BlockValues[]) => {
    for (const values of blocks) trained.set(values.block, trainedTensors(values, layout, runtime));
  };
  put(blocksFrom(layout, part, new Float32Array(layout.length)));
  const parts: EngineParts = {
    request,
    loss,
    runtime,
    layout,
    part,
    embeddings,
    frozen,
    trained,
    headGraphs: ofHead,
    layerGraphs: graphsOf,
    layerSession: (step, layer, withDropout) => {
      const made = graphsOf(layer, withDropout);
      const toCpu = [...made.dAdapters.values()].flatMap((names) => [names.backward, names.deepest]);
      return session(`${step} ${kindOf(layer, withDropout)}`, () => runtime.compile(made[step], toCpu));
    },
    headSession: (step, withDropout) => {
      const made = ofHead(withDropout);
      const toCpu = [made.logits, made.lossSum, ...made.dTensors.values()];
      return session(`head ${step}${withDropout ? ' with dropout' : ''}`, () => runtime.compile(made[step], toCpu));
    },
  };
  const saved = await measureSavedSizes(parts);
  const bytes: Engine['bytes'] = (samples, tokens, needs) =>
    onnxBytes({ ...request, part }, trainedSizes(layout, part), saved, samples, isHeadAlone(part) ? 1 : tokens, needs);

  return {
    name: 'onnx',
    backend: runtime.backend,
    shape,
    layout,
    part,
    openPasses: Number.POSITIVE_INFINITY,
    ...(provider === 'wasm' && { besideBytes: BESIDE_BYTES }),
    computesPadding: true,
    recomputes: false,
    setParameters: async (values) => put(blocksFrom(layout, part, values)),
    setBlocks: async (blocks) =>
      put(checkedBlocks(layout, part, blocks).map(({ block, values }) => ({ block, values: values.slice() }))),
    begin: async (batch, options) => new OnnxPass(parts, checkedBatch(batch, shape, labelCount, loss, part), options),
    ...hiddenWrappers(part, shape.hiddenSize),
    bytes,
    // The library grows its memory as it goes: its address space is the only bound that is known beforehand.
    fits: async (samples, tokens, needs) => {
      const { weightsBytes, transientBytes, savedBytes, gradientBytes } = bytes(samples, tokens, needs);
      return weightsBytes + transientBytes + savedBytes + gradientBytes <= WASM_ADDRESS_BYTES;
    },
    copyBytesPerSecond: async () => processorCopyRate(),
    dispose: async () => {
      for (const made of sessions.values()) await (await made).release();
      sessions.clear();
      for (const tensors of frozen.values()) for (const tensor of Object.values(tensors)) tensor.dispose();
    },
  };
}

/** The library's own 17 MB, and buffers not yet collected (`test/bench/split/one-stage.ts`, counted from outside). */
const BESIDE_BYTES = 36e6;

/** Memories of 32-bit WebAssembly end there. */
const WASM_ADDRESS_BYTES = 2 ** 32;

/** The library is megabytes: it is loaded when the first engine is made. */
async function loadRuntime(provider: OnnxProvider): Promise<Runtime> {
  return provider === 'wasm'
    ? (await import('./wasm-runtime.ts')).wasmRuntime()
    : (await import('./webgpu-runtime.ts')).webgpuRuntime();
}

function layerTensors({ matrices, vectors }: FrozenLayer, runtime: Runtime): Tensors {
  const tensors: Record<string, Tensor> = {};
  for (const [key, values] of Object.entries(vectors)) tensors[key] = runtime.lasting(values, [values.length]);
  for (const [key, matrix] of Object.entries(matrices)) {
    tensors[key] = runtime.lasting(matrix.values, [matrix.rows, matrix.columns]);
    if (matrix.storage === 'int8') tensors[scalesOf(key)] = runtime.lasting(matrix.scales, [matrix.rows]);
  }
  return tensors;
}

/** Views of a block's values as the tensors that the graphs take. */
function trainedTensors({ block, values }: BlockValues, layout: ParameterLayout, runtime: Runtime): Tensors {
  const place = placeOfBlock(layout, block);
  return Object.fromEntries(
    place.slots.map(({ name, shape, offset, length }) => [
      block === 'head' ? name : adapterInput(name),
      runtime.passing(values.subarray(offset - place.offset, offset - place.offset + length), shape),
    ]),
  );
}

/**
 * Weights, and what is kept for the backward pass, are exact; one layer's weights count twice, because the library copies what it is
 * fed. What a running graph needs inside the library cannot be read out: it is bounded by the layer's inputs and outputs and the
 * intermediate values that are alive together.
 */
function onnxBytes(
  request: EngineRequest & { readonly part: ModelPart },
  { parameters, headLength, longest }: TrainedSizes,
  saved: SavedSizes,
  samples: number,
  tokens: number,
  { savedLayers, openPasses = 1 }: PassNeeds,
): EngineBytes {
  const { shape, weightStorage, part } = request;
  const { hiddenSize: c, ffnSize: f, heads } = shape;
  const rows = samples * tokens;
  const savedPerLayer = rows * (saved.perRow + saved.perRowAndToken * tokens);
  // A matrix at a time is f32 while its product runs.
  const dequantised = weightStorage === 'f32' ? 0 : c * f;
  const copied = savedLayers > 0 ? savedPerLayer : 0;
  const hasLayers = layersOf(part).length > 0;
  return {
    weightsBytes:
      frozenBytes(shape, storageOf(request), part) +
      (hasLayers ? layerBytes(shape, weightStorage) : 0) +
      4 * parameters,
    // The embeddings and the head work on their input, a mask and their output.
    transientBytes: 4 * (hasLayers ? rows * (6 * c + 3 * f + 3 * heads * tokens) + copied + dequantised : 3 * rows * c),
    savedBytes: 4 * savedLayers * openPasses * savedPerLayer,
    gradientBytes: 4 * (headLength + savedLayers * longest),
  };
}
