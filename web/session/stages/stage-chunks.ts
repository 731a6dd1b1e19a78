import type { DataMessage } from '../../../signaling/protocol/exchange/data-messages.ts';
import type { FrameTensor } from '../../../signaling/protocol/exchange/frames.ts';
import { isPacked, packed, unpacked } from '../../../signaling/protocol/exchange/hidden-codec.ts';
import type { StageHeader } from '../../../signaling/protocol/exchange/stage-messages.ts';
import type { ChunkTag } from '../../../signaling/protocol/round.ts';
import { holdsRun, unitCount } from '../../../signaling/protocol/split.ts';
import type { StageParameters } from '../../../worker/api/stage-api.ts';
import * as say from '../../words/session/stages.ts';
import type { ModelWorker } from '../rounds/model-worker.ts';
import { cutBySizes, rowsAt } from './stage-round.ts';

/** Chunks of evaluations that this device may have begun; a host has no more on their way through a pipeline. */
const MAX_CHUNKS = 256;

export interface ChunksContext {
  readonly self: string;
  readonly model: ModelWorker;
  readonly say: (message: DataMessage<'hidden'>) => void;
  readonly answer: (message: DataMessage<'logits'> | DataMessage<'failed'>) => void;
  /** A neighbour said what no stage says. */
  readonly onWrong: (device: string, sentence: string) => void;
  /** Of what the messages brought whose chunks are here. */
  readonly maxBytes: number;
}

interface Chunk {
  readonly header: StageHeader<'stage-evaluate'>;
  readonly parameters: StageParameters;
  readonly lengths: readonly Int32Array[];
  readonly ids: Int32Array | null;
  /** What of messages is held for it: tensors are views of all that their message brought. */
  readonly buffers: readonly ArrayBufferLike[];
  /** Micro-batches that have been given to the worker, or wait for it. */
  readonly taken: Set<number>;
  /** Of the last stage, by micro-batch. */
  readonly logits: Float32Array[];
  left: number;
}

const keyOf = ({ term, evaluation, chunk }: ChunkTag): string => `${term}.${evaluation}.${chunk}`;
const isEarlier = (a: ChunkTag, b: ChunkTag): boolean =>
  a.term < b.term || (a.term === b.term && a.evaluation < b.evaluation);

/** A stage's part in evaluations: chunks go up through it beside the rounds, each micro-batch as soon as it is here. */
export class StageChunks {
  readonly #context: ChunksContext;
  readonly #chunks = new Map<string, Chunk>();
  /** One pass after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(context: ChunksContext) {
    this.#context = context;
  }

  begin(
    header: StageHeader<'stage-evaluate'>,
    tensors: readonly FrameTensor[],
    parameters: StageParameters | null,
  ): void {
    for (const [key, { header: other }] of this.#chunks) if (isEarlier(other.tag, header.tag)) this.#chunks.delete(key);
    const [lengths, ids = null] = tensors;
    const buffers = [...tensors, ...(parameters === null ? [] : [parameters.values])].map(({ buffer }) => buffer);
    const isTooMuch = this.#chunks.size >= MAX_CHUNKS || this.#bytesWith(buffers) > this.#context.maxBytes;
    if (!(lengths instanceof Int32Array) || parameters === null || isTooMuch) {
      this.#fail(header, parameters === null ? say.thisDeviceHasOtherParameters : say.thisDeviceHasTooMuch);
      return;
    }
    const chunk: Chunk = {
      header,
      parameters,
      lengths: cutBySizes(lengths, header.sizes),
      ids: header.stage.from === 0 && ids instanceof Int32Array ? ids : null,
      buffers,
      taken: new Set(),
      logits: [],
      left: header.sizes.length,
    };
    this.#chunks.set(keyOf(header.tag), chunk);
    if (header.stage.from === 0) for (const j of header.sizes.keys()) this.#pass(chunk, j, null);
  }

  /** False where the chunk is not known here, or not yet. */
  receive({ header, tensors }: DataMessage<'hidden'>, sender: string): boolean {
    const { of, microBatch } = header;
    const chunk = 'chunk' in of ? this.#chunks.get(keyOf(of)) : undefined;
    if (chunk === undefined) return false;
    const { stage, below } = chunk.header;
    if (below?.device !== sender || header.stage !== stage.index || chunk.taken.has(microBatch)) return true;
    const [tensor] = tensors;
    const { shape } = this.#context.model.settings;
    const lengths = chunk.lengths[microBatch];
    const expected = lengths && rowsAt(stage.from, shape, lengths) * shape.hiddenSize;
    if (!isPacked(tensor) || tensor.length !== expected)
      this.#context.onWrong(sender, say.aNeighbouringStageSentHidden);
    else this.#pass(chunk, microBatch, unpacked(tensor, header));
    return true;
  }

  clear(): void {
    this.#chunks.clear();
  }

  #pass(chunk: Chunk, microBatch: number, hidden: Float32Array | null): void {
    chunk.taken.add(microBatch);
    this.#last = this.#last
      .then(() => this.#compute(chunk, microBatch, hidden))
      .catch((error: unknown) => {
        if (this.#isWanted(chunk)) this.#fail(chunk.header, error instanceof Error ? error.message : '');
      });
  }

  async #compute(chunk: Chunk, microBatch: number, hidden: Float32Array | null): Promise<void> {
    if (!this.#isWanted(chunk)) return;
    const { header, parameters, ids } = chunk;
    const { model, say: send, answer, self } = this.#context;
    const { stage, sizes, tokens } = header;
    if (!holdsRun(model.holds, stage)) throw new Error(say.thisDeviceDoesNotHold);
    const first = sizes.slice(0, microBatch).reduce((sum, size) => sum + size, 0);
    const made = await model.evaluateStage({
      run: { from: stage.from, to: stage.to },
      tokens,
      lengths: chunk.lengths[microBatch].slice(),
      ids: ids?.slice(first * tokens, (first + sizes[microBatch]) * tokens) ?? null,
      hidden,
      parameters,
    });
    if (!this.#isWanted(chunk)) return;
    chunk.left--;
    if (stage.to === unitCount(model.settings.shape.layers)) {
      chunk.logits[microBatch] = made;
      if (chunk.left > 0) return;
      this.#chunks.delete(keyOf(header.tag));
      answer({ header: { type: 'logits', tag: header.tag }, tensors: [joined(chunk.logits)] });
      return;
    }
    if (chunk.left === 0) this.#chunks.delete(keyOf(header.tag));
    const above = header.above;
    const up = packed(made, header.codec);
    if (up === null || above === null) throw new Error(say.hiddenStatesAreNotFinite);
    send({
      header: {
        type: 'hidden',
        from: self,
        to: above.device,
        of: header.tag,
        stage: stage.index + 1,
        microBatch,
        direction: 'up',
        codec: header.codec,
        scale: up.scale,
      },
      tensors: [up.tensor],
    });
  }

  /** Chunks may share their parameters. */
  #bytesWith(more: readonly ArrayBufferLike[]): number {
    const buffers = new Set([...more, ...[...this.#chunks.values()].flatMap((chunk) => chunk.buffers)]);
    return [...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  #isWanted(chunk: Chunk): boolean {
    return this.#chunks.get(keyOf(chunk.header.tag)) === chunk;
  }

  #fail({ tag }: StageHeader<'stage-evaluate'>, sentence: string): void {
    this.#chunks.delete(keyOf(tag));
    const told = sentence.slice(0, 400) || say.theDeviceCouldNotDo;
    this.#context.answer({ header: { type: 'failed', tag, sentence: told }, tensors: [] });
  }
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
