import type { WeightStorage } from '../../../signaling/protocol/settings.ts';
import { countText } from '../../../signaling/protocol/words/lists.ts';
import { bytesText } from '../../../signaling/protocol/words/quantities.ts';
import type { Preflight } from '../../../worker/api/host-api.ts';
import { WEIGHT_CHOICES } from '../parts/choices.ts';

/** What a model takes, in sentences, for the storage that is chosen. */
export interface PreflightWords {
  readonly what: string;
  readonly download: string;
  readonly memory: string;
  readonly fits: boolean;
  readonly tokenizer: string;
  /** False where token ids would not be the model's: no session can be had with it. */
  readonly tokenizes: boolean;
}

/** What a plan may ask of one device: all samples of a round at once. */
export interface Work {
  readonly samples: number;
  readonly maxTokens: number;
}

/** What it takes to compute so many samples of so many tokens at once. */
function workBytes({ memoryBytes, activations }: Preflight, weights: WeightStorage, work: Work): number {
  const { perToken, perTokenSquared, tokens } = activations;
  const ofSample = (length: number): number => length * perToken + length * length * perTokenSquared;
  return memoryBytes[weights] - ofSample(tokens) + work.samples * ofSample(work.maxTokens);
}

/** `givenBytes`: what the person gives at most; null for what the browser usually bears. `work`: null where it is not known. */
export function preflightWords(
  found: Preflight,
  weights: WeightStorage,
  givenBytes: number | null = null,
  work: Work | null = null,
): PreflightWords {
  const { shape, memoryBytes } = found;
  const memoryLimitBytes = Math.min(found.memoryLimitBytes, givenBytes ?? Number.POSITIVE_INFINITY);
  const needed = memoryBytes[weights];
  const fits = needed <= memoryLimitBytes;
  const limit = bytesText(memoryLimitBytes);
  const lean = (['f16', 'int8'] as const).find((storage) => memoryBytes[storage] <= memoryLimitBytes);
  const advice =
    lean === undefined
      ? `No storage makes it fit here alone. ${TOGETHER}`
      : `It fits with weights of ${WEIGHT_CHOICES[lean].label} (${bytesText(memoryBytes[lean])}). ${TOGETHER}`;
  return {
    what: `${found.name}: ${countText(shape.layers, 'layer', 'layers')}, ${shape.hiddenSize} wide.`,
    download: downloadText(found),
    memory: fits
      ? `Training takes ${bytesText(needed)} of memory at ${WEIGHT_CHOICES[weights].label}; this tab may take ${limit}. It fits.${work === null ? '' : ` ${workText(workBytes(found, weights, work), memoryLimitBytes, work)}`}`
      : `Training takes ${bytesText(needed)} of memory at ${WEIGHT_CHOICES[weights].label}; this tab may take ${limit} only. ${advice}`,
    fits,
    tokenizer: found.tokenizer.sentence,
    tokenizes: found.tokenizer.usable,
  };
}

/** What a whole round on this device takes at once, and what becomes of it where that is too much. */
const workText = (bytes: number, limitBytes: number, { samples }: Work): string =>
  bytes <= limitBytes
    ? `A whole round’s ${countText(samples, 'sample', 'samples')} at once take ${bytesText(bytes)} at most.`
    : `A whole round’s ${countText(samples, 'sample', 'samples')} at once would take ${bytesText(bytes)}: it computes fewer at a time.`;

const TOGETHER = 'Several devices can hold it together, each some of its layers.';

function downloadText({ totalBytes, cachedBytes, downloadBytes }: Preflight): string {
  if (downloadBytes === 0) return `All ${bytesText(totalBytes)} are on this device already; nothing is downloaded.`;
  if (cachedBytes === 0) return `${bytesText(downloadBytes)} to download, once; this device keeps it.`;
  return `${bytesText(downloadBytes)} to download; ${bytesText(cachedBytes)} of ${bytesText(totalBytes)} are here already.`;
}
