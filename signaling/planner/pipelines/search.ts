import { drawsFrom } from '../algorithms/random.ts';
import type { Evaluator, Pipeline } from './evaluator.ts';
import { change, copyDraft, type Draft, draftOf } from './moves.ts';

/** A pipeline and the seconds of its round. */
export interface Found {
  readonly pipeline: Pipeline;
  readonly seconds: number;
}

export interface AnnealOptions {
  readonly seed: number;
  /** Operations of simulations that it may cost, other steps counted as so many as take the same time. */
  readonly work: number;
  /** A plan this part worse is taken at the start one time in e, and at the end. */
  readonly hot?: number;
  readonly cold?: number;
}

/** What drawing and loading a candidate costs in operations: for itself, and for each stage. */
const PER_CANDIDATE = 20;
const PER_STAGE = 6;

/**
 * Simulated annealing over orders of devices, borders, micro-batches and windows (Kirkpatrick, Gelatt and Vecchi 1983). How much worse a
 * candidate may be is drawn before it is looked at, so that its bound, or the simulation half way, can tell that it is not taken. The
 * same seed and work give the same plan, whatever the clock says.
 */
export function anneal(
  evaluator: Evaluator,
  start: Found,
  { seed, work, hot = 0.05, cold = 0.002 }: AnnealOptions,
): Found {
  const { rows } = evaluator;
  const most = Math.min(rows.devices, rows.units);
  const draws = drawsFrom(seed);
  const used = new Uint8Array(rows.devices);
  const surroundings = { draws, samples: rows.samples, used, busiest: 0 };
  let current = draftFrom(start.pipeline, most);
  let candidate = draftOf(most);
  const best = draftFrom(start.pipeline, most);
  let seconds = start.seconds;
  let bestSeconds = seconds;
  const mark = (draft: Draft, value: number) => {
    for (let s = 0; s < draft.stages; s++) used[draft.devices[s]] = value;
  };
  mark(current, 1);
  for (let spent = 0; spent < work; ) {
    spent += PER_CANDIDATE;
    const heat = seconds * hot * (cold / hot) ** (spent / work);
    copyDraft(current, candidate);
    if (!change(candidate, surroundings)) continue;
    const enough = seconds - heat * Math.log(1 - draws.uniform());
    spent += PER_STAGE * candidate.stages;
    if (!evaluator.load(candidate) || evaluator.bound() >= enough) continue;
    spent += evaluator.operations;
    const taken = evaluator.seconds(enough);
    if (taken === Infinity) continue;
    mark(current, 0);
    [current, candidate] = [candidate, current];
    mark(current, 1);
    seconds = taken;
    surroundings.busiest = evaluator.busiest;
    if (seconds < bestSeconds) {
      bestSeconds = seconds;
      copyDraft(current, best);
    }
  }
  return { pipeline: best, seconds: bestSeconds };
}

function draftFrom(pipeline: Pipeline, most: number): Draft {
  const draft = draftOf(most);
  draft.devices.set(Array.from(pipeline.devices).slice(0, pipeline.stages));
  draft.ends.set(Array.from(pipeline.ends).slice(0, pipeline.stages));
  draft.stages = pipeline.stages;
  draft.microBatches = pipeline.microBatches;
  draft.rule = pipeline.rule;
  return draft;
}
