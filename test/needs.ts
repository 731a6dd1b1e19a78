import { existsSync } from 'node:fs';

/** What some tests need and not every machine has. */
export interface Need {
  /** For people: what is not here, and what to do. */
  readonly reason: string;
  readonly here: boolean;
}

declare module 'vitest' {
  interface TaskMeta {
    /** Why a test was left out. */
    leftOut?: string;
  }
}

/**
 * Options of a test or a suite that is left out where something is not here; the closing lines of a run count what was left out and say
 * why. No other way of leaving out a test is allowed (test/structure/left-out.test.ts).
 *
 *     test('every row of SST-2', needs(REAL_GLUE), async () => …);
 */
export function needs({ here, reason }: Need): { readonly skip?: true; readonly meta?: { readonly leftOut: string } } {
  return here ? {} : { skip: true, meta: { leftOut: reason } };
}

/** Slow tests of what others hold too, at other places: left out of the common run. */
export const WHOLE: Need = {
  here: process.env.TABLOOM_WHOLE === '1',
  reason: 'slow; `npm run test:whole` runs everything',
};

/** A folder beside the project, with data that its licence, or its size, keeps out of the project. */
const BESIDE = new URL('../../shared/', import.meta.url);

/** A hub's folder with GLUE itself: datasets/nyu-mll/glue/resolve/main/TASK/SPLIT-00000-of-00001.parquet. */
export const REAL_HUB = new URL('hub/', BESIDE);
export const REAL_GLUE: Need = {
  here: existsSync(new URL('datasets/nyu-mll/glue/', REAL_HUB)),
  reason: "GLUE's own data is not in ../shared/hub",
};

/** LoRA's original release: roberta-base on MNLI. */
export const REAL_ADAPTER_FILE = new URL('adapters/roberta_base_lora_mnli.safetensors', BESIDE);
export const REAL_ADAPTER: Need = {
  here: existsSync(REAL_ADAPTER_FILE),
  reason: "LoRA's original MNLI checkpoint is not in ../shared/adapters",
};
