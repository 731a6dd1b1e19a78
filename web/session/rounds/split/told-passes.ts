import { MAX_PASSES, type Pass } from '../../../../signaling/protocol/room-view.ts';
import type { Passed } from './split-round.ts';

/** Of one round's report, over all stages: about 40 kB of text, which everybody in the room is sent. */
const MAX_PASSES_OF_A_ROUND = 512;
/** Times are told to a hundredth of a millisecond. */
const TELLS = 1e5;

/** How many passes of each stage are told where so many report. */
export const passesEach = (stages: number): number =>
  Math.min(MAX_PASSES, Math.floor(MAX_PASSES_OF_A_ROUND / Math.max(1, stages)));

export interface ToldPasses {
  /** From when the stage was sent its order until it could begin with its passes, by the clock of the host. */
  readonly downSeconds: number;
  readonly passes: Pass[];
}

/**
 * A stage's passes on the host's clock. The stage counts from when it began; its report leaves as its last pass ends, and is short, so the two
 * clocks meet there: what is left between order and report lies before the first pass. A stage's word is not believed beyond that. Of
 * more than `most` passes the first ones are told, and the last, with which the stage was done.
 */
export function toldPasses(
  passed: readonly Passed[],
  {
    startSeconds,
    elapsedSeconds,
    computeSeconds,
    most,
  }: {
    readonly startSeconds: number;
    readonly elapsedSeconds: number;
    readonly computeSeconds: number;
    readonly most: number;
  },
): ToldPasses {
  const inOrder = passed.toSorted((a, b) => a.sinceSeconds - b.sinceSeconds);
  const lastEnd = Math.max(computeSeconds, ...inOrder.map(({ sinceSeconds, seconds }) => sinceSeconds + seconds));
  const downSeconds = Math.max(0, elapsedSeconds - lastEnd);
  const within = (seconds: number): number => Math.min(elapsedSeconds, downSeconds + seconds);
  const told = inOrder.length <= most ? inOrder : [...inOrder.slice(0, Math.max(0, most - 1)), ...inOrder.slice(-1)];
  return {
    downSeconds,
    passes: told.map(({ microBatch, direction, sinceSeconds, seconds, cameSeconds }) => ({
      microBatch,
      direction,
      startSeconds: rounded(startSeconds + within(sinceSeconds)),
      seconds: rounded(within(sinceSeconds + seconds) - within(sinceSeconds)),
      ...(cameSeconds !== undefined && {
        cameSeconds: rounded(startSeconds + within(Math.min(cameSeconds, sinceSeconds))),
      }),
    })),
  };
}

const rounded = (seconds: number): number => Math.round(seconds * TELLS) / TELLS;
