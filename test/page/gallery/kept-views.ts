import type { Measured } from '../../../web/page/estimate/measured.ts';
import { type KeptRun, runOf } from '../../../web/page/runs/kept-runs.ts';
import { VIEWS } from './gallery-views.ts';
import { device } from './scenarios.ts';

/** What a browser may have kept of earlier sessions. */

const HOUR_MS = 3_600_000;

/** Runs of other sessions: the same curve, learnt more slowly, and less well. */
export const KEPT_RUNS: readonly KeptRun[] = [
  { id: 'earlier-a', slower: 1.4, worse: 0.03, hours: 3 },
  { id: 'earlier-b', slower: 2.2, worse: 0.08, hours: 50 },
].flatMap(({ id, slower, worse, hours }) => {
  const run = runOf(VIEWS.finished!, Date.now() - hours * HOUR_MS);
  if (run === null) return [];
  return [
    {
      ...{ ...run, id, learningRate: run.learningRate / slower },
      rounds: run.rounds.map((one) => ({ ...one, loss: one.loss ** (1 / slower) })),
      scores: run.scores.map((one) => ({ ...one, value: one.value - (one.round > 0 ? worse : 0) })),
    },
  ];
});

export const MEASURED: Measured = {
  ...{ atMs: Date.now() - HOUR_MS, model: 'roberta-mini', weights: 'f32', layers: 6, hiddenSize: 128, ffnSize: 512 },
  ...{ task: 'grammar', tokens: 18, devExamples: 500, profile: device(0).profile! },
};

/** States with something kept, by the state that they are otherwise. */
export const KEPT_STATES: Readonly<Record<string, string>> = {
  'start-measured': 'start',
  'finished-earlier': 'finished',
};
