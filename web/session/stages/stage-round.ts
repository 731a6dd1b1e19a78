import type { CutValues } from '../../../signaling/protocol/exchange/cut-digest.ts';
import type { DataMessage } from '../../../signaling/protocol/exchange/data-messages.ts';
import type { FrameTensor } from '../../../signaling/protocol/exchange/frames.ts';
import { isPacked, packed, unpacked } from '../../../signaling/protocol/exchange/hidden-codec.ts';
import type { CutDigests, Neighbour, StageHeader } from '../../../signaling/protocol/exchange/stage-messages.ts';
import type { ModelShape } from '../../../signaling/protocol/settings.ts';
import { unitCount } from '../../../signaling/protocol/split.ts';
import type { StageOrder, StageValues } from '../../../worker/api/stage-api.ts';
import * as say from '../../words/session/stages.ts';
import { KeptCuts } from './cuts/kept-cuts.ts';
import type { Side } from './cuts/neighbours.ts';

type Hidden = DataMessage<'hidden'>;
type Direction = Hidden['header']['direction'];

/** Where what goes this way comes from, and where it goes to. */
const from = (direction: Direction): Side => (direction === 'up' ? 'below' : 'above');
const to = (direction: Direction): Side => (direction === 'up' ? 'above' : 'below');

/** What became of hidden states that came: to be computed with, of no use, too early for the worker, or what no stage says. */
export type Received =
  | { readonly kind: 'given'; readonly values: StageValues }
  | { readonly kind: 'dropped' | 'early' }
  | { readonly kind: 'wrong'; readonly sentence: string };

/** Rows of a micro-batch at a cut: its real tokens, and before the head one for each sample. */
export function rowsAt(unit: number, { layers }: Pick<ModelShape, 'layers'>, lengths: Int32Array): number {
  return unit === unitCount(layers) - 1 ? lengths.length : lengths.reduce((sum, length) => sum + length, 0);
}

/** Values that each micro-batch has at a cut. */
export const valuesAt = (unit: number, shape: ModelShape, cut: readonly Int32Array[]): readonly number[] =>
  cut.map((lengths) => rowsAt(unit, shape, lengths) * shape.hiddenSize);

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
 * the round is over, since a neighbour may be lost and the next one needs it again. Where stages are checked what came is kept as well: either
 * end of a cut can show what went over it. What is kept is no more than one round's hidden states, and their gradient, at the stage's two cuts.
 */
export class StageRound {
  readonly header: StageHeader<'stage-order'>;
  readonly order: StageOrder;
  readonly neighbours: Record<Side, Neighbour | null>;
  /** Values that a micro-batch must have, by where it comes from. */
  readonly #lengths: Record<Side, readonly number[]>;
  readonly #arrived = new Set<string>();
  readonly #kept = new KeptCuts();

  constructor(header: StageHeader<'stage-order'>, tensors: readonly FrameTensor[], shape: ModelShape) {
    this.header = header;
    this.order = stageOrder(header, tensors);
    this.neighbours = { below: header.below, above: header.above };
    const { stage, sizes } = header;
    const cut = cutBySizes(this.order.lengths, sizes);
    this.#lengths = { below: valuesAt(stage.from, shape, cut), above: valuesAt(stage.to, shape, cut) };
  }

  /** Hidden states that `sender` says to this order. */
  receive({ header, tensors }: Hidden, sender: string): Received {
    const { direction, microBatch, codec } = header;
    if (!this.isAddressed(header) || this.neighbours[from(direction)]?.device !== sender) return { kind: 'dropped' };
    const length = this.#lengths[from(direction)][microBatch];
    if (length === undefined) return wrong(say.microBatchOfWhichThere(microBatch));
    const key = `${direction} ${microBatch}`;
    if (this.#arrived.has(key)) return { kind: 'dropped' };
    const [tensor] = tensors;
    if (!isPacked(tensor) || codec !== this.header.codec) return wrong(say.hiddenStatesOfAnotherForm);
    if (tensor.length !== length) return wrong(say.valuesOfMicroBatch(tensor.length, microBatch, length));
    this.#arrived.add(key);
    if (this.header.checked) this.#kept.add(from(direction), direction, { microBatch, scale: header.scale, tensor });
    const kind = direction === 'up' ? 'hidden' : 'dHidden';
    return { kind: 'given', values: { kind, microBatch, values: unpacked(tensor, header) } };
  }

  /** Whether hidden states are for exactly this order. */
  isAddressed({ of, stage }: Hidden['header']): boolean {
    const { tag, stage: own } = this.header;
    return (
      !('chunk' in of) &&
      of.term === tag.term &&
      of.round === tag.round &&
      of.epoch === tag.epoch &&
      of.pipeline === own.pipeline &&
      stage === own.index
    );
  }

  /** Whether hidden states are of a later order, which may be this device's, too. */
  isBefore({ of }: Hidden['header']): boolean {
    const { tag } = this.header;
    if ('chunk' in of || of.term !== tag.term) return !('chunk' in of) && of.term > tag.term;
    return of.round > tag.round || (of.round === tag.round && of.epoch > tag.epoch);
  }

  /** Whether it is this order that says them. */
  isSaying({ of, stage, direction }: Hidden['header']): boolean {
    const { tag, stage: own } = this.header;
    const isOfRound =
      !('chunk' in of) && of.term === tag.term && of.round === tag.round && of.pipeline === own.pipeline;
    return isOfRound && stage === own.index + (direction === 'up' ? 1 : -1);
  }

  /** What the stage made, as it goes to its neighbour; kept. Null where it is not finite. */
  say({ kind, microBatch, values }: StageValues, self: string): Hidden | null {
    const direction = kind === 'hidden' ? 'up' : 'down';
    const made = packed(values, this.header.codec);
    if (made === null) return null;
    const said = { ...made, microBatch };
    this.#kept.add(to(direction), direction, said);
    return this.#message(direction, said, self);
  }

  /** Everything that was said to this side, in its order. */
  again(side: Side, self: string): readonly Hidden[] {
    const direction = side === 'above' ? 'up' : 'down';
    return this.#kept.all(side, direction).flatMap((said) => this.#message(direction, said, self) ?? []);
  }

  /** Everything that went this way over this cut, whether it was said or heard here. */
  shown(side: Side, direction: Direction): readonly CutValues[] {
    return this.#kept.all(side, direction);
  }

  /** Of what went over both cuts; what went nowhere has none. */
  digests(): CutDigests {
    const of = (side: Side, direction: Direction): string | null =>
      this.#kept.digest(side, direction, this.header.stage.microBatches);
    return {
      fromBelow: of('below', 'up'),
      toBelow: of('below', 'down'),
      fromAbove: of('above', 'down'),
      toAbove: of('above', 'up'),
    };
  }

  /** Whether all that goes between this stage and a device goes by way of the host. */
  isRelayed(device: string): boolean {
    return (['below', 'above'] as const).some((side) => {
      const neighbour = this.neighbours[side];
      return neighbour?.device === device && neighbour.relayed === true;
    });
  }

  #message(direction: Direction, { microBatch, scale, tensor }: CutValues, self: string): Hidden | null {
    const { tag, stage, codec } = this.header;
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

const wrong = (what: string): Received => ({ kind: 'wrong', sentence: say.aNeighbouringStageSent(what) });

/** The tensors' sizes and values were validated when the message was read; this names them. */
export function stageOrder(
  header: StageHeader<'stage-order' | 'stage-audit'>,
  tensors: readonly FrameTensor[],
): StageOrder {
  const [lengths, positions, ...rest] = tensors;
  const ids = header.stage.from === 0 ? rest.shift() : null;
  const labels = header.head ? rest.shift() : null;
  const named =
    lengths instanceof Int32Array &&
    positions instanceof Int32Array &&
    (ids === null || ids instanceof Int32Array) &&
    (labels === null || labels instanceof Float32Array);
  if (!named) throw new Error(say.aStageCameWithout);
  const { stage, layers, head, lowest, sizes, recompute, tokens, dropout } = header;
  return {
    round: header.type === 'stage-audit' ? header.round : header.tag.round,
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
