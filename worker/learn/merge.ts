import type { Block, SampleRange } from '../../signaling/protocol/round.ts';
import type { GradientPart } from '../api/batch.ts';
import type { ParameterBlock, ParameterLayout } from '../model/layout.ts';
/** What a round must be covered with: every block of `layout` for each of `samples` samples. */
export interface RoundShape {
  readonly layout: ParameterLayout;
  readonly samples: number;
}

/** Null where the layout has no such block, or the layer carries no adapters; for ids that a peer sent. */
export function blockOf(layout: ParameterLayout, block: Block): ParameterBlock | null {
  if (block === 'head') return layout.head;
  const found = layout.layers[block];
  return found === undefined || found.length === 0 ? null : found;
}

const blockName = (block: Block) => (block === 'head' ? 'the head' : `layer ${block}`);
const rangeName = ({ start, count }: SampleRange) =>
  count === 1 ? `sample ${start}` : `samples ${start} to ${start + count - 1}`;
const overlap = (a: SampleRange, b: SampleRange) => a.start < b.start + b.count && b.start < a.start + a.count;

/**
 * Why `part` must not be merged on top of `accepted`, as a sentence, or null when it may. Everything that a peer can get wrong is read
 * here: unknown blocks, ranges outside the round, wrong lengths, values that are not finite, samples that were counted before.
 */
export function refusePart(round: RoundShape, accepted: readonly GradientPart[], part: GradientPart): string | null {
  const block = blockOf(round.layout, part.block);
  if (!block) return `The session trains no block ${part.block}.`;
  const { start, count } = part.samples;
  if (!Number.isInteger(start) || !Number.isInteger(count) || start < 0 || count < 1 || start + count > round.samples) {
    return `The round has samples 0 to ${round.samples - 1}; a part claims ${count} from ${start}.`;
  }
  const { gradient } = part;
  if (gradient.length !== block.length) {
    return `The gradient of ${blockName(part.block)} has ${gradient.length} values; it must have ${block.length}.`;
  }
  const doubled = accepted.find((other) => other.block === part.block && overlap(other.samples, part.samples));
  if (doubled) {
    return `The gradient of ${blockName(part.block)} for ${rangeName(doubled.samples)} has been counted already.`;
  }
  for (let i = 0; i < gradient.length; i++) {
    if (!Number.isFinite(gradient[i]!)) {
      return `The gradient of ${blockName(part.block)} for ${rangeName(part.samples)} holds a value that is not finite.`;
    }
  }
  return null;
}

/** The (block, samples) pairs that `accepted` does not cover yet, head first, then from the last layer down, as the backward pass goes. */
export function missingPairs(
  round: RoundShape,
  accepted: readonly { readonly block: Block; readonly samples: SampleRange }[],
): { block: Block; samples: SampleRange }[] {
  const blocks: Block[] = ['head', ...round.layout.layers.map((_, index) => index).reverse()];
  return blocks
    .filter((block) => blockOf(round.layout, block) !== null)
    .flatMap((block) => {
      const covered = accepted
        .filter((part) => part.block === block)
        .map((part) => part.samples)
        .sort((a, b) => a.start - b.start);
      const gaps: { block: Block; samples: SampleRange }[] = [];
      let reached = 0;
      for (const { start, count } of [...covered, { start: round.samples, count: 0 }]) {
        if (start > reached) gaps.push({ block, samples: { start: reached, count: start - reached } });
        reached = Math.max(reached, start + count);
      }
      return gaps;
    });
}

/**
 * The round's whole gradient, (layout.length), summed over its samples: what the host hands to the optimiser.
 *
 * The parts of a block are added in the order of their samples and in float64, so that neither the order of arrival nor who sent what
 * changes a bit of the result. Throws when the parts do not cover every pair exactly once: an incomplete gradient is never applied.
 */
export function mergeGradients(round: RoundShape, parts: readonly GradientPart[]): Float32Array {
  const accepted: GradientPart[] = [];
  for (const part of parts) {
    const reason = refusePart(round, accepted, part);
    if (reason) throw new Error(reason);
    accepted.push(part);
  }
  const [missing] = missingPairs(round, accepted);
  if (missing) {
    throw new Error(`The gradient of ${blockName(missing.block)} for ${rangeName(missing.samples)} is missing.`);
  }
  const merged = new Float32Array(round.layout.length);
  const sorted = accepted.sort((a, b) => a.samples.start - b.samples.start);
  for (const id of new Set(sorted.map((part) => part.block))) {
    const gradients = sorted.filter((part) => part.block === id).map((part) => part.gradient);
    const { offset, length } = blockOf(round.layout, id)!;
    for (let i = 0; i < length; i++) {
      let sum = 0;
      for (const gradient of gradients) sum += gradient[i]!;
      merged[offset + i] = sum;
    }
  }
  return merged;
}
