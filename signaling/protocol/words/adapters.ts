import type { LoraSettings } from '../settings.ts';
import { rangesText } from './lists.ts';

const own = (pattern: Readonly<Record<string, number>> | undefined): string => {
  const entries = Object.entries(pattern ?? {});
  return entries.length === 0
    ? ''
    : ` (${entries.map(([layer, value]) => `${short(value)} in layer ${layer}`).join(', ')})`;
};

const short = (value: number): string => String(Number(value.toPrecision(4)));

/** "rank 8 (4 in layer 3), alpha 16, rank-stabilised, in layers 2 and 3 alone": all but the projections. */
export function adaptersText({ rank, alpha, layers, rankPattern, alphaPattern, rslora }: LoraSettings): string {
  return [
    `rank ${rank}${own(rankPattern)}`,
    `alpha ${short(alpha)}${own(alphaPattern)}`,
    ...(rslora === true ? ['rank-stabilised'] : []),
    ...(layers === undefined ? [] : [`in ${layers.length === 1 ? 'layer' : 'layers'} ${rangesText(layers)} alone`]),
  ].join(', ');
}
