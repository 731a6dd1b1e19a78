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

export function preflightWords(found: Preflight, weights: WeightStorage): PreflightWords {
  const { shape, memoryBytes, memoryLimitBytes } = found;
  const needed = memoryBytes[weights];
  const fits = needed <= memoryLimitBytes;
  const limit = bytesText(memoryLimitBytes);
  const lean = (['f16', 'int8'] as const).find((storage) => memoryBytes[storage] <= memoryLimitBytes);
  const advice =
    lean === undefined
      ? 'It fits with no storage here; choose a smaller model.'
      : `It fits with weights of ${WEIGHT_CHOICES[lean].label} (${bytesText(memoryBytes[lean])}).`;
  return {
    what: `${found.name}: ${countText(shape.layers, 'layer', 'layers')}, ${shape.hiddenSize} wide.`,
    download: downloadText(found),
    memory: fits
      ? `Training takes ${bytesText(needed)} of memory at ${WEIGHT_CHOICES[weights].label}; this tab may take ${limit}. It fits.`
      : `Training takes ${bytesText(needed)} of memory at ${WEIGHT_CHOICES[weights].label}; this tab may take ${limit} only. ${advice}`,
    fits,
    tokenizer: found.tokenizer.sentence,
    tokenizes: found.tokenizer.usable,
  };
}

function downloadText({ totalBytes, cachedBytes, downloadBytes }: Preflight): string {
  if (downloadBytes === 0) return `All ${bytesText(totalBytes)} are on this device already; nothing is downloaded.`;
  if (cachedBytes === 0) return `${bytesText(downloadBytes)} to download, once; this device keeps it.`;
  return `${bytesText(downloadBytes)} to download; ${bytesText(cachedBytes)} of ${bytesText(totalBytes)} are here already.`;
}
