import * as say from '../../words/join/join.ts';

const LEAST_MEGABYTES = 1;
const MOST_MEGABYTES = 64_000;

export const MEMORY_LABEL = say.memoryForTrainingMb;
export const MEMORY_HINT = say.theMostThatThisDevice;

export type ReadMemory =
  /** Null where nothing was typed. */
  { readonly ok: true; readonly bytes: number | null } | { readonly ok: false; readonly sentence: string };

/** The most that training may take here, as a person typed it: megabytes, or nothing. */
export function readMemory(typed: string): ReadMemory {
  const text = typed.trim().replace(/\s*MB$/i, '');
  if (text === '') return { ok: true, bytes: null };
  const megabytes = Number(text.replace(',', '.'));
  if (megabytes >= LEAST_MEGABYTES && megabytes <= MOST_MEGABYTES)
    return { ok: true, bytes: Math.round(megabytes * 1e6) };
  return { ok: false, sentence: say.theMemoryMust(LEAST_MEGABYTES, MOST_MEGABYTES) };
}
