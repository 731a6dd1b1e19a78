import type { CutValues } from '../../../signaling/protocol/exchange/cut-digest.ts';
import type { DataMessage } from '../../../signaling/protocol/exchange/data-messages.ts';
import type { FrameTensor } from '../../../signaling/protocol/exchange/frames.ts';
import { isPacked, packed, unpacked } from '../../../signaling/protocol/exchange/hidden-codec.ts';
import { type StageHeader, trainedBlocks } from '../../../signaling/protocol/exchange/stage-messages.ts';
import { encodeUploads } from '../../../signaling/protocol/exchange/upload-codec.ts';
import type { Block } from '../../../signaling/protocol/round.ts';
import type { StageOrder, StageParameters, StageValues } from '../../../worker/api/stage-api.ts';
import * as say from '../../words/session/stages.ts';
import { tensorSizes } from '../links/tensor-sizes.ts';
import type { ModelWorker } from '../rounds/model-worker.ts';
import { cutBySizes, stageOrder, valuesAt } from './stage-round.ts';

/** Stages that wait here to be computed again, with the inputs of a round each. */
const MAX_WAITING = 2;

export interface StageAuditsContext {
  /** A worker for the run; null where there is no memory for one. */
  readonly model: () => ModelWorker | null;
  readonly answer: (message: DataMessage<'shown'> | DataMessage<'audited'> | DataMessage<'failed'>) => Promise<void>;
}

interface Waiting {
  readonly header: StageHeader<'stage-audit'>;
  readonly order: StageOrder;
  readonly parameters: StageParameters;
  /** Values that each input must have, by kind and micro-batch. */
  readonly wanted: Map<string, number>;
  readonly inputs: StageValues[];
}

/**
 * Stages of others that this device computes again: of inputs that the host gives it, on a worker beside its own, whose run it keeps for the
 * next time. Nobody waits for them.
 */
export class StageAudits {
  readonly #context: StageAuditsContext;
  readonly #waiting = new Map<number, Waiting>();
  #model: ModelWorker | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(context: StageAuditsContext) {
    this.#context = context;
  }

  begin(header: StageHeader<'stage-audit'>, tensors: readonly FrameTensor[], settings: ModelWorker['settings']): void {
    const { tag, stage, sizes } = header;
    const values = tensors.at(-1);
    // One of the same number would take the other's place here, and not in what is to be computed.
    const isTooMuch = this.#waiting.size >= MAX_WAITING || this.#waiting.has(tag.audit);
    if (isTooMuch || !(values instanceof Float32Array)) {
      this.#fail(tag, say.thisDeviceHasAsMany);
      return;
    }
    const order = stageOrder(header, tensors);
    const { shape } = settings;
    const cut = cutBySizes(order.lengths, sizes);
    const trained = trainedBlocks(stage, tensorSizes(settings));
    const wanted = new Map<string, number>();
    if (stage.from > 0) for (const [j, n] of valuesAt(stage.from, shape, cut).entries()) wanted.set(`hidden ${j}`, n);
    // Backward comes what the stages above went through on the way to the lowest trained layer.
    if (!header.head && stage.to > header.lowest + 1)
      for (const [j, n] of valuesAt(stage.to, shape, cut).entries()) wanted.set(`dHidden ${j}`, n);
    const layers = trained.filter((block) => block !== 'head');
    const waiting = { header, order, parameters: { layers, head: header.head, values }, wanted, inputs: [] };
    this.#waiting.set(tag.audit, waiting);
    this.#look(waiting);
  }

  /** One of the stage's inputs. What is not one is dropped. */
  take({ tag, direction, microBatch, scale }: StageHeader<'shown'>, tensor: FrameTensor | undefined): void {
    const waiting = 'audit' in tag ? this.#waiting.get(tag.audit) : undefined;
    const kind = direction === 'up' ? 'hidden' : 'dHidden';
    const length = waiting?.wanted.get(`${kind} ${microBatch}`);
    if (waiting === undefined || !isPacked(tensor) || tensor.length !== length) return;
    waiting.wanted.delete(`${kind} ${microBatch}`);
    waiting.inputs.push({ kind, microBatch, values: unpacked(tensor, { scale }) });
    this.#look(waiting);
  }

  /** The link to the host is another one, or the memory is needed. */
  clear(): void {
    this.#waiting.clear();
    this.#model?.close();
    this.#model = null;
  }

  #look(waiting: Waiting): void {
    if (waiting.wanted.size > 0) return;
    this.#last = this.#last
      .then(() => this.#compute(waiting))
      .catch((error: unknown) => {
        const sentence = error instanceof Error ? error.message : '';
        this.#fail(waiting.header.tag, sentence.slice(0, 400) || say.theDeviceCouldNotCompute);
      })
      .finally(() => {
        const { audit } = waiting.header.tag;
        if (this.#waiting.get(audit) === waiting) this.#waiting.delete(audit);
      });
  }

  #isWanted({ header }: Waiting): boolean {
    return this.#waiting.get(header.tag.audit)?.header === header;
  }

  async #compute(waiting: Waiting): Promise<void> {
    if (!this.#isWanted(waiting)) return;
    this.#model ??= this.#context.model();
    const model = this.#model;
    if (model === null) throw new Error(say.thisDeviceHasNoMemory);
    const { order, parameters, inputs, header } = waiting;
    const parts: { readonly block: Block; readonly gradient: Float32Array }[] = [];
    await model.hold(order.run);
    await model.setStageParameters(parameters);
    await model.open(model.api.beginStage({ ...order, window: Math.min(1, order.window) }));
    try {
      for (const input of inputs) await model.open(model.api.give(input));
      for (;;) {
        const part = await model.open(model.api.nextOfStage());
        if (!this.#isWanted(waiting)) break;
        if (part.kind === 'gradient') parts.push(part);
        else if (part.kind === 'hidden' || part.kind === 'dHidden') await this.#show(header, part);
        else if (part.kind === 'done') {
          const { computeSeconds } = part;
          const lossSum = header.head && Number.isFinite(part.lossSum) ? part.lossSum : null;
          const { tag } = header;
          const blocks = parts.map(({ block }) => block);
          const key = { seed: order.dropout.seed, round: order.round, position: order.positions[0]! };
          const tensors = encodeUploads(parts, model.settings.training.uploads, key);
          await this.#context.answer({ header: { type: 'audited', tag, blocks, lossSum, computeSeconds }, tensors });
          return;
        }
      }
    } finally {
      if (!model.isClosed) await model.open(model.api.cancel());
    }
  }

  #show({ tag, codec }: StageHeader<'stage-audit'>, { kind, microBatch, values }: StageValues): Promise<void> {
    const made = packed(values, codec);
    if (made === null) throw new Error(say.hiddenStatesAreNotFinite);
    const shown: CutValues = { ...made, microBatch };
    const [side, direction] = kind === 'hidden' ? (['above', 'up'] as const) : (['below', 'down'] as const);
    return this.#context.answer(shownMessage(tag, side, direction, codec, shown));
  }

  #fail(tag: StageHeader<'stage-audit'>['tag'], sentence: string): void {
    void this.#context.answer({ header: { type: 'failed', tag, sentence }, tensors: [] });
  }
}

export function shownMessage(
  tag: StageHeader<'shown'>['tag'],
  side: 'below' | 'above',
  direction: 'up' | 'down',
  codec: StageHeader<'shown'>['codec'],
  { microBatch, scale, tensor }: CutValues,
): DataMessage<'shown'> {
  return { header: { type: 'shown', tag, side, direction, microBatch, codec, scale }, tensors: [tensor] };
}
