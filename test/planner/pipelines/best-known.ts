import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { SplitShape } from '../../../signaling/planner/pipelines/generator.ts';
import type { WindowRule } from '../../../signaling/protocol/pipeline/stages.ts';

/** An instance of the published generator. */
export type Instance = SplitShape & { readonly seed: number };

/** What a long search found for it (test/bench/pipelines-best.ts). */
export interface BestKnown {
  readonly seconds: number;
  /** Of processor time, on all runs of the search together. */
  readonly searchedSeconds: number;
  readonly microBatches: number;
  readonly windowRule: WindowRule;
  /** Devices and the ends of their runs, from the embeddings up. */
  readonly stages: readonly (readonly [string, number])[];
}

const large = { devices: 50, layers: 24, samples: 32 } as const;

export const INSTANCES: readonly Instance[] = [1, 2].flatMap((seed) =>
  (['mixed', 'network', 'compute'] as const).map((regime) => ({ ...large, regime, seed })),
);

export const nameOf = ({ devices, layers, regime, seed }: Instance): string => `${devices}x${layers}-${regime}-${seed}`;

export const BEST_KNOWN_FILE = fileURLToPath(new URL('best-known.json', import.meta.url));

/** By the instance's name. */
export const bestKnown: Record<string, BestKnown> = existsSync(BEST_KNOWN_FILE)
  ? JSON.parse(readFileSync(BEST_KNOWN_FILE, 'utf8'))
  : {};
