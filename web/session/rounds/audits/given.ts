import type { WholeRoundResult } from '../run-round.ts';
import { isOpaque } from '../split/cross-check.ts';
import { stageOf } from '../split/places.ts';
import type { SplitRoundDone } from '../split/run-split-round.ts';
import type { Given } from './audit-state.ts';
import type { MadePart } from './compare.ts';

/** What every device gave to a round, by the orders that it was accepted for. A block counts for whoever it came from, however often it was given out. */
export function givenOf({ accepted, parts, losses }: Pick<WholeRoundResult, 'accepted' | 'parts' | 'losses'>): Given[] {
  const given = new Map<
    string,
    {
      device: string;
      order: number;
      samples: Given['samples'];
      parts: Map<MadePart, Float32Array>;
      lossSum: number | null;
    }
  >();
  for (const { order, due } of accepted) {
    const { device, number, samples } = order;
    const key = `${number} ${device}`;
    const own = given.get(key) ?? { device, order: number, samples, parts: new Map(), lossSum: null };
    given.set(key, own);
    if (due === 'done') {
      own.lossSum = order.head ? (losses.get(number) ?? null) : null;
      continue;
    }
    const part = parts.find(({ block, samples: of }) => block === due && of.start === samples.start);
    if (part !== undefined) own.parts.set(due, part.gradient);
  }
  return [...given.values()]
    .filter((one) => one.parts.size > 0 || one.lossSum !== null)
    .map(({ device, order, samples, parts: made, lossSum }) => ({
      device,
      order,
      samples,
      made: { parts: made, lossSum },
    }));
}

/** What every stage of a split room gave to a round, but for what it sent to its neighbours, which is theirs to show. */
export function stagesGiven({ stages, parts, losses }: Pick<SplitRoundDone, 'stages' | 'parts' | 'losses'>): Given[] {
  return stages.map((settled) => {
    const { device, number, samples, head } = settled.order;
    const own = parts.filter(({ order }) => order === number);
    return {
      ...{ device, order: number, samples, stage: stageOf(settled.order) },
      made: {
        parts: new Map<MadePart, Float32Array>(own.map(({ block, gradient }) => [block, gradient])),
        lossSum: head ? (losses.get(number) ?? null) : null,
      },
      ...(isOpaque(stages, settled) && { isOpaque: true as const }),
    };
  });
}
