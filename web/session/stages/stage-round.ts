import type { DataMessage } from '../../../signaling/protocol/exchange/data-messages.ts';
import type { FrameTensor } from '../../../signaling/protocol/exchange/frames.ts';
import { type Packed, packed, unpacked } from '../../../signaling/protocol/exchange/hidden-codec.ts';
import type { Neighbour, StageHeader } from '../../../signaling/protocol/exchange/stage-messages.ts';
import type { ModelShape } from '../../../signaling/protocol/settings.ts';
import { unitCount } from '../../../signaling/protocol/split.ts';
import type { StageOrder, StageValues } from '../../../worker/api/stage-api.ts';
import type { Side } from './neighbours.ts';

type Hidden = DataMessage<'hidden'>;
type Direction = Hidden['header']['direction'];

/** Where what goes this way comes from, and where it goes to. */
const from = (direction: Direction): Side => (direction === 'up' ? 'below' : 'above');
const to = (direction: Direction): Side => (direction === 'up' ? 'above' : 'below');

/** What became of hidden states that came: to be computed with, of no use, of an order that is still to come, or what no stage says. */
export type Received =
  | { readonly kind: 'given'; readonly values: StageValues }
  | { readonly kind: 'dropped' | 'early' }
  | { readonly kind: 'wrong'; readonly sentence: string };

/** Rows of a micro-batch at a cut: its real tokens, and before the head one for each sample. */
export function rowsAt(unit: number, { layers }: Pick<ModelShape, 'layers'>, lengths: Int32Array): number {
  return unit === unitCount(layers) - 1 ? lengths.length : lengths.reduce((sum, length) => sum + length, 0);
}

/** The lengths of each micro-batch's samples. */
export function cutBySizes(lengths: Int32Array, sizes: readonly number[]): readonly Int32Array[] {
  let end = 0;
  return sizes.map((size) => {
    end += size;
    return lengths.subarray(end - size, end);
  });
}

/**
 * One order of a stage as its device has it: who its neighbours are, what came from them, and what was said to them, which is kept until
 * the round is over, since a neighbour may be lost and the next one needs it again. What is kept is no more than the hidden states of one
 * round at the stage's two cuts.
 */
export class StageRound {
  readonly header: StageHeader<'stage-order'>;
  readonly order: StageOrder;
  readonly neighbours: Record<Side, Neighbour | null>;
  readonly #width: number;
  /** Values that a micro-batch must have, by where it comes from. */
  readonly #lengths: Record<Side, readonly number[]>;
  readonly #arrived = new Set<string>();
  readonly #said = new Map<string, Packed & Pick<Hidden['header'], 'direction' | 'microBatch'>>();

  constructor(header: StageHeader<'stage-order'>, tensors: readonly FrameTensor[], shape: ModelShape) {
    this.header = header;
    this.order = stageOrder(header, tensors);
    this.neighbours = { below: header.below, above: header.above };
    this.#width = shape.hiddenSize;
    const { stage, sizes } = header;
    const cut = cutBySizes(this.order.lengths, sizes);
    const values = (unit: number) => cut.map((lengths) => rowsAt(unit, shape, lengths) * this.#width);
    this.#lengths = { below: values(stage.from), above: values(stage.to) };
  }

  /** Hidden states that `sender` says. */
  receive({ header, tensors }: Hidden, sender: string): Received {
    const { of, direction, microBatch, codec } = header;
    const { tag, stage } = this.header;
    if ('chunk' in of || of.term < tag.term || (of.term === tag.term && of.round < tag.round))
      return { kind: 'dropped' };
    if (of.term > tag.term || of.round > tag.round || of.epoch > tag.epoch) return { kind: 'early' };
    const isMine = of.epoch === tag.epoch && of.pipeline === stage.pipeline && header.stage === stage.index;
    if (!isMine || this.neighbours[from(direction)]?.device !== sender) return { kind: 'dropped' };
    const length = this.#lengths[from(direction)][microBatch];
    if (length === undefined) return wrong(`micro-batch ${microBatch}, of which there is none`);
    const key = `${direction} ${microBatch}`;
    if (this.#arrived.has(key)) return { kind: 'dropped' };
    const [tensor] = tensors;
    if (tensor === undefined || tensor instanceof Int32Array || codec !== this.header.codec)
      return wrong('hidden states of another form than the session has');
    if (tensor.length !== length)
      return wrong(`${tensor.length} values of micro-batch ${microBatch}, which has ${length}`);
    this.#arrived.add(key);
    const kind = direction === 'up' ? 'hidden' : 'dHidden';
    return { kind: 'given', values: { kind, microBatch, values: unpacked(tensor, header) } };
  }

  /** Whether hidden states are of this order or of a later one. */
  isWaitingFor({ header: { of } }: Hidden): boolean {
    const { tag } = this.header;
    if ('chunk' in of || of.term !== tag.term) return !('chunk' in of) && of.term > tag.term;
    return of.round > tag.round || (of.round === tag.round && of.epoch >= tag.epoch);
  }

  /** What the stage made, as it goes to its neighbour; kept. Null where it is not finite. */
  say({ kind, microBatch, values }: StageValues, self: string): Hidden | null {
    const direction = kind === 'hidden' ? 'up' : 'down';
    const made = packed(values, this.header.codec);
    if (made === null) return null;
    const said = { ...made, direction, microBatch } as const;
    this.#said.set(`${direction} ${microBatch}`, said);
    return this.#message(said, self);
  }

  /** Everything that was said to this side, in its order. */
  again(side: Side, self: string): readonly Hidden[] {
    return [...this.#said.values()]
      .filter(({ direction }) => to(direction) === side)
      .flatMap((said) => this.#message(said, self) ?? []);
  }

  #message(said: Packed & Pick<Hidden['header'], 'direction' | 'microBatch'>, self: string): Hidden | null {
    const { tag, stage, codec } = this.header;
    const { direction, microBatch, scale, tensor } = said;
    const neighbour = this.neighbours[to(direction)];
    if (neighbour === null) return null;
    const { term, round } = tag;
    return {
      header: {
        type: 'hidden',
        from: self,
        to: neighbour.device,
        of: { term, round, pipeline: stage.pipeline, epoch: neighbour.epoch },
        stage: stage.index + (direction === 'up' ? 1 : -1),
        microBatch,
        direction,
        codec,
        scale,
      },
      tensors: [tensor],
    };
  }
}

const wrong = (what: string): Received => ({ kind: 'wrong', sentence: `A neighbouring stage sent ${what}.` });

/** The tensors' sizes and values were validated when the message was read; this names them. */
function stageOrder(header: StageHeader<'stage-order'>, tensors: readonly FrameTensor[]): StageOrder {
  const [lengths, positions, ...rest] = tensors;
  const ids = header.stage.from === 0 ? rest.shift() : null;
  const labels = header.head ? rest.shift() : null;
  const named =
    lengths instanceof Int32Array &&
    positions instanceof Int32Array &&
    (ids === null || ids instanceof Int32Array) &&
    (labels === null || labels instanceof Float32Array);
  if (!named) throw new Error('A stage came without its samples.');
  const { tag, stage, layers, head, lowest, sizes, recompute, tokens, dropout } = header;
  return {
    round: tag.round,
    run: { from: stage.from, to: stage.to },
    layers,
    head,
    lowest,
    microBatchSizes: sizes,
    window: stage.window,
    recompute: recompute ?? false,
    tokens,
    lengths,
    positions,
    ids,
    labels,
    dropout,
  };
}
