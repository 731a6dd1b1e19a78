import type { WholeRoundResult } from '../run-round.ts';
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
