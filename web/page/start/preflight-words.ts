import type { WeightStorage } from '../../../signaling/protocol/settings.ts';
import { countText } from '../../../signaling/protocol/words/lists.ts';
import { bytesText } from '../../../signaling/protocol/words/quantities.ts';
import type { Preflight } from '../../../worker/api/host-api.ts';
import * as say from '../../words/start/start.ts';
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
      ? say.noStorageMakesItFit(TOGETHER)
      : say.itFitsWithWeights(WEIGHT_CHOICES[lean].label, bytesText(memoryBytes[lean]), TOGETHER);
  return {
    what: say.wide(found.name, countText(shape.layers, say.layer, say.layers), shape.hiddenSize),
    download: downloadText(found),
    memory: fits
      ? say.trainingTakesOfMemory(
          bytesText(needed),
          WEIGHT_CHOICES[weights].label,
          limit,
          work === null ? '' : ` ${workText(workBytes(found, weights, work), memoryLimitBytes, work)}`,
        )
      : say.trainingTakesOfMemoryAtThisTab(bytesText(needed), WEIGHT_CHOICES[weights].label, limit, advice),
    fits,
    tokenizer: found.tokenizer.sentence,
    tokenizes: found.tokenizer.usable,
  };
}

/** What a whole round on this device takes at once, and what becomes of it where that is too much. */
const workText = (bytes: number, limitBytes: number, { samples }: Work): string =>
  bytes <= limitBytes
    ? say.aWholeRoundsAtOnce(countText(samples, say.sample, say.samples), bytesText(bytes))
    : say.aWholeRoundsAtOnceWouldTake(countText(samples, say.sample, say.samples), bytesText(bytes));

const TOGETHER = say.severalDevicesCanHold;

function downloadText({ totalBytes, cachedBytes, downloadBytes }: Preflight): string {
  if (downloadBytes === 0) return say.allAreOnThisDevice(bytesText(totalBytes));
  if (cachedBytes === 0) return say.toDownloadOnceThisDevice(bytesText(downloadBytes));
  return say.toDownloadOfAreHere(bytesText(downloadBytes), bytesText(cachedBytes), bytesText(totalBytes));
}
