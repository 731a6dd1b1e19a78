import { MAX_LAYERS, MAX_LORA_ALPHA, MAX_LORA_RANK } from '../limits.ts';
import type { LoraRequest, LoraSettings } from '../settings.ts';
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

/** What a person may type of single layers; what is left empty is not said. */
export interface TypedAdapters {
  readonly layers: string;
  readonly rankPattern: string;
  readonly alphaPattern: string;
  readonly rslora: boolean;
}

const WANTED: Readonly<Record<Exclude<keyof TypedAdapters, 'rslora'>, string>> = {
  layers: `Name layers from 0 next to the embeddings to ${MAX_LAYERS - 1}, such as 1,3 or 4-7, or the last ones, such as top:2; leave it out for all.`,
  rankPattern: `Give a layer and its rank, 1 to ${MAX_LORA_RANK}, such as 3:4,5:16.`,
  alphaPattern: `Give a layer and its alpha, above 0 up to ${MAX_LORA_ALPHA}, such as 3:4,5:16.`,
};

/** What was typed, or for each field that is wrong the sentence that says what is wanted. */
export function readAdapters(
  typed: TypedAdapters,
):
  | { readonly ok: true; readonly adapters: Omit<LoraRequest, 'rank' | 'alpha' | 'targets'> }
  | { readonly ok: false; readonly problems: Readonly<Partial<Record<keyof typeof WANTED, string>>> } {
  const layers = readLayers(typed.layers);
  const rankPattern = readPattern(typed.rankPattern, (rank) => Number.isInteger(rank) && rank <= MAX_LORA_RANK);
  const alphaPattern = readPattern(typed.alphaPattern, (alpha) => alpha <= MAX_LORA_ALPHA);
  if (layers === undefined || rankPattern === undefined || alphaPattern === undefined)
    return {
      ok: false,
      problems: {
        ...(layers === undefined && { layers: WANTED.layers }),
        ...(rankPattern === undefined && { rankPattern: WANTED.rankPattern }),
        ...(alphaPattern === undefined && { alphaPattern: WANTED.alphaPattern }),
      },
    };
  return {
    ok: true,
    adapters: {
      ...(layers && { layers }),
      ...(rankPattern && { rankPattern }),
      ...(alphaPattern && { alphaPattern }),
      ...(typed.rslora && { rslora: true }),
    },
  };
}

/** Null for nothing, undefined for nonsense. */
function readLayers(typed: string): Exclude<LoraRequest['layers'], undefined> | null | undefined {
  const text = typed.trim().toLowerCase();
  if (text === '' || text === 'all') return null;
  const top = /^top[: ]?(\d{1,2})$/.exec(text)?.[1];
  if (top !== undefined) return Number(top) >= 1 && Number(top) <= MAX_LAYERS ? { top: Number(top) } : undefined;
  const layers = new Set<number>();
  for (const part of text.split(',')) {
    const [, from, to = from] = /^\s*(\d{1,2})\s*(?:[-–]\s*(\d{1,2}))?\s*$/.exec(part) ?? [];
    if (from === undefined || to === undefined || Number(to) < Number(from) || Number(to) >= MAX_LAYERS)
      return undefined;
    for (let layer = Number(from); layer <= Number(to); layer++) layers.add(layer);
  }
  return [...layers].sort((a, b) => a - b);
}

/** `3:4,5:16` by layer; null for nothing, undefined for nonsense. */
function readPattern(typed: string, fits: (value: number) => boolean): Record<string, number> | null | undefined {
  if (typed.trim() === '') return null;
  const values = new Map<number, number>();
  for (const part of typed.split(',')) {
    const [, layer, value] = /^\s*(\d{1,2})\s*[:=]\s*([\d.]+)\s*$/.exec(part) ?? [];
    if (layer === undefined || value === undefined || Number(layer) >= MAX_LAYERS || values.has(Number(layer)))
      return undefined;
    if (!(Number(value) > 0 && fits(Number(value)))) return undefined;
    values.set(Number(layer), Number(value));
  }
  return Object.fromEntries(values);
}
