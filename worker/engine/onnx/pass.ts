import type { InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import type { ModelShape } from '../../../signaling/protocol/settings.ts';
import type { TokenBatch } from '../../api/batch.ts';
import { targetShape } from '../../model/layout.ts';
import { attentionMask, DROPOUT_SITES, headMasks, hiddenMask, loraSite } from '../dropout.ts';
import { embedTokens } from '../embeddings.ts';
import type { BlockGradient, Hidden, LayerRange, Pass, PassOptions } from '../engine.ts';
import { hiddenFromValues, packHidden } from '../hidden.ts';
import { batchTargets } from '../loss.ts';
import { requireEmbeddings, requireHead, requireLayers } from '../part.ts';
import { HEAD_INPUTS, HEAD_MASKS } from './head-graphs.ts';
import { LAYER_INPUTS, LAYER_MASKS, loraMaskInput, PADDING_SCORE } from './layer-graphs.ts';
import { adapterInput, type EngineParts, isHeadTensor, type LayerStep, type Tensors } from './parts.ts';

/** Hidden states in a tensor of the engine's own. */
class TensorHidden implements Hidden {
  readonly #batch: TokenBatch;
  readonly tensor: Tensor;

  constructor(batch: TokenBatch, tensor: Tensor) {
    this.#batch = batch;
    this.tensor = tensor;
  }

  get samples(): number {
    return this.#batch.lengths.length;
  }

  get tokens(): number {
    return this.#batch.tokens;
  }

  async read(): Promise<Float32Array> {
    return floats(await this.tensor.getData());
  }

  async readPacked(): Promise<Float32Array> {
    return packHidden(this.#batch, await this.read());
  }

  async readFirst(): Promise<Float32Array> {
    return hiddenFromValues(this.#batch, await this.read()).readFirst();
  }

  dispose(): void {
    this.tensor.dispose();
  }
}

function floats(data: Tensor.DataType): Float32Array {
  if (!(data instanceof Float32Array)) throw new TypeError('A tensor of the engine does not hold f32 values.');
  return data;
}

/** One micro-batch. Feeds are gathered by the names that a graph's inputs carry. */
export class OnnxPass implements Pass {
  readonly #parts: EngineParts;
  readonly #shape: ModelShape;
  readonly #batch: TokenBatch;
  readonly #options: PassOptions;
  readonly #samples: number;
  readonly #shared: Tensors;
  /** Of each saved layer: its input and the values that its backward graph takes. */
  readonly #saved = new Map<number, Tensors>();

  constructor(parts: EngineParts, batch: TokenBatch, options: PassOptions) {
    this.#parts = parts;
    this.#shape = parts.request.shape;
    this.#batch = batch;
    this.#options = options;
    this.#samples = batch.lengths.length;
    const { runtime } = parts;
    const { tokens, lengths } = batch;
    const padding = new Float32Array(this.#samples * tokens).map((_, i) =>
      i % tokens < lengths[Math.floor(i / tokens)]! ? 0 : PADDING_SCORE,
    );
    const { heads, hiddenSize } = this.#shape;
    this.#shared = {
      [LAYER_INPUTS.padding]: runtime.passing(padding, [this.#samples, 1, 1, tokens]),
      [LAYER_INPUTS.headShape]: runtime.sizes([this.#samples, tokens, heads, hiddenSize / heads]),
      [HEAD_INPUTS.hiddenShape]: runtime.sizes([this.#samples, tokens, hiddenSize]),
    };
  }

  /** f32 values kept for backward passes. */
  savedValues(): number {
    return [...this.#saved.values()].flatMap((saved) => Object.values(saved)).reduce((sum, { size }) => sum + size, 0);
  }

  async embed(): Promise<Hidden> {
    const { embeddings, part } = this.#parts;
    requireEmbeddings(part, this.#batch);
    if (embeddings === null) throw new Error('A part with embeddings was loaded without them.');
    const values = embedTokens(embeddings, this.#shape, this.#batch);
    const { dropout } = this.#options;
    if (dropout.probability > 0) {
      const { positions, tokens } = this.#batch;
      const mask = hiddenMask(dropout, 0, DROPOUT_SITES.embeddings, positions, tokens, this.#shape.hiddenSize);
      for (let i = 0; i < values.length; i++) values[i]! *= mask[i]!;
    }
    return this.#hidden(this.#rows(values));
  }

  async forward(range: LayerRange, hidden: Hidden): Promise<Hidden> {
    requireLayers(range, this.#parts.part, this.#shape);
    let x = await this.#tensor(hidden);
    for (let layer = range.from; layer < range.to; layer++) {
      const save = layer >= this.#options.saveFrom;
      const input = { [LAYER_INPUTS.hidden]: x };
      const outputs = await this.#layer(save ? 'forwardSaving' : 'forward', layer, input);
      const { output } = this.#parts.layerGraphs(layer, this.#withDropout);
      const { [output]: next, ...kept } = outputs;
      if (save) this.#saved.set(layer, { ...kept, ...input });
      else x.dispose();
      x = next!;
    }
    return this.#hidden(x);
  }

  async loss(
    hidden: Hidden,
    want: { readonly dHidden: boolean; readonly headGradient: boolean },
  ): ReturnType<Pass['loss']> {
    const { layout, loss, request, runtime, part, trained } = this.#parts;
    requireHead(part, this.#batch, want);
    const headGraphs = this.#parts.headGraphs(this.#withDropout);
    const { tokens } = this.#batch;
    const gradients = want.dHidden || want.headGradient;
    const session = await this.#parts.headSession(gradients ? 'lossAndGradients' : 'loss', this.#withDropout);
    const x = await this.#tensor(hidden);
    const first = new Float32Array(tokens);
    first[0] = 1;
    const outputs = await run(session, trained.get('head')!, this.#shared, this.#headMasks(), {
      [HEAD_INPUTS.hidden]: x,
      [HEAD_INPUTS.firstToken]: runtime.passing(first, [1, tokens, 1]),
      [HEAD_INPUTS.target]: runtime.passing(batchTargets(loss, this.#batch, request.labelCount), [
        this.#samples,
        request.labelCount,
      ]),
    });
    x.dispose();
    const values = async (name: string) => floats(await outputs[name]!.getData());
    const gradient = new Float32Array(want.headGradient ? layout.head.length : 0);
    if (want.headGradient)
      for (const { name, offset } of layout.head.slots)
        if (isHeadTensor(name)) gradient.set(await values(headGraphs.dTensors.get(name)!), offset - layout.head.offset);
    const dHidden = outputs[headGraphs.dHidden];
    if (!want.dHidden) dHidden?.dispose();
    return {
      logits: await values(headGraphs.logits),
      lossSum: (await values(headGraphs.lossSum))[0]!,
      dHidden: want.dHidden && dHidden !== undefined ? this.#hidden(dHidden) : null,
      head: want.headGradient ? { block: 'head', gradient } : null,
    };
  }

  async *backward(
    range: LayerRange,
    dHidden: Hidden,
    wantInput: boolean,
  ): AsyncGenerator<BlockGradient, Hidden | null> {
    requireLayers(range, this.#parts.part, this.#shape);
    let dy = await this.#tensor(dHidden);
    for (let layer = range.to - 1; layer >= range.from; layer--) {
      const saved = this.#saved.get(layer);
      if (saved === undefined) throw new Error(`Layer ${layer} was not saved by this pass.`);
      const deepest = layer === range.from && !wantInput;
      const adapted = this.#parts.layout.layers[layer]!.length > 0;
      if (deepest && !adapted) {
        dy.dispose();
        this.#release(layer);
        return null;
      }
      const step = deepest ? 'backwardDeepest' : 'backward';
      const outputs = await this.#layer(step, layer, { ...saved, [LAYER_INPUTS.dHidden]: dy });
      dy.dispose();
      this.#release(layer);
      if (adapted) yield { block: layer, gradient: await this.#gradient(layer, outputs, deepest) };
      if (deepest) return null;
      dy = outputs[this.#parts.layerGraphs(layer, this.#withDropout).dInput]!;
    }
    return this.#hidden(dy);
  }

  dispose(): void {
    for (const layer of [...this.#saved.keys()]) this.#release(layer);
    for (const tensor of Object.values(this.#shared)) tensor.dispose();
  }

  get #withDropout(): boolean {
    return this.#options.dropout.probability > 0;
  }

  #release(layer: number): void {
    for (const tensor of Object.values(this.#saved.get(layer) ?? {})) tensor.dispose();
    this.#saved.delete(layer);
  }

  #rows(values: Float32Array): Tensor {
    const { hiddenSize } = this.#shape;
    return this.#parts.runtime.passing(values, [values.length / hiddenSize, hiddenSize]);
  }

  #hidden(tensor: Tensor): Hidden {
    return new TensorHidden(this.#batch, tensor);
  }

  async #tensor(hidden: Hidden): Promise<Tensor> {
    return hidden instanceof TensorHidden ? hidden.tensor : this.#rows(await hidden.read());
  }

  async #layer(step: LayerStep, layer: number, inputs: Tensors): Promise<Tensors> {
    const session = await this.#parts.layerSession(step, layer, this.#withDropout);
    const masks = this.#masks(session, layer);
    const { frozen, trained } = this.#parts;
    return run(session, frozen.get(layer)!, trained.get(layer) ?? {}, this.#shared, masks, inputs);
  }

  /** Those masks that the graph takes; drawn again for the backward pass, which is cheaper than keeping them. */
  #masks(session: InferenceSession, layer: number): Tensors {
    if (!this.#withDropout) return {};
    const { dropout } = this.#options;
    const { positions, tokens } = this.#batch;
    const { runtime, request } = this.#parts;
    const masks: Record<string, Tensor> = {};
    const hidden = (name: string, site: number, width: number) => {
      if (!session.inputNames.includes(name)) return;
      const mask = hiddenMask(dropout, layer, site, positions, tokens, width);
      masks[name] = runtime.passing(mask, [mask.length / width, width]);
    };
    const { heads, hiddenSize } = this.#shape;
    hidden(LAYER_MASKS.attentionOutput, DROPOUT_SITES.attentionOutput, hiddenSize);
    hidden(LAYER_MASKS.ffnOutput, DROPOUT_SITES.ffnOutput, hiddenSize);
    for (const target of request.lora.targets)
      hidden(loraMaskInput(target), loraSite(target), targetShape(this.#shape, target)[1]);
    if (session.inputNames.includes(LAYER_MASKS.attentionProbabilities))
      masks[LAYER_MASKS.attentionProbabilities] = runtime.passing(
        attentionMask(dropout, layer, positions, heads, tokens),
        [this.#samples, heads, tokens, tokens],
      );
    return masks;
  }

  #headMasks(): Tensors {
    const { hiddenSize } = this.#shape;
    const masks = headMasks(this.#options.dropout, this.#batch.positions, hiddenSize);
    if (masks === null) return {};
    const tensor = (mask: Float32Array) => this.#parts.runtime.passing(mask, [this.#samples, hiddenSize]);
    return { [HEAD_MASKS.input]: tensor(masks.input), [HEAD_MASKS.activated]: tensor(masks.activated) };
  }

  async #gradient(layer: number, outputs: Tensors, deepest: boolean): Promise<Float32Array> {
    const block = this.#parts.layout.layers[layer]!;
    const { dAdapters } = this.#parts.layerGraphs(layer, this.#withDropout);
    const gradient = new Float32Array(block.length);
    for (const { name, offset } of block.slots) {
      const output = dAdapters.get(adapterInput(name))!;
      const values = await outputs[deepest ? output.deepest : output.backward]!.getData();
      gradient.set(floats(values), offset - block.offset);
    }
    return gradient;
  }
}

/** Runs a graph with the inputs that it names, looked up in `sources` from the last to the first. */
async function run(session: InferenceSession, ...sources: readonly Tensors[]): Promise<Tensors> {
  const feeds: Record<string, Tensor> = {};
  for (const name of session.inputNames) {
    const found = sources.findLast((source) => source[name] !== undefined)?.[name];
    if (found === undefined) throw new Error(`Nothing was given for the graph input "${name}".`);
    feeds[name] = found;
  }
  return session.run(feeds) as Promise<Tensors>;
}
