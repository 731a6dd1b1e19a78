import type { Policy } from '../protocol/settings.ts';
import { type Estimate, estimate } from './statistics.ts';
import type { DrawOutcomes, Sweep } from './sweep.ts';

/** How one policy did against another, or against the bound that its own plan states, over draws in which both exist. */
export interface Comparison {
  readonly policy: Policy;
  readonly against: Policy | 'bound';
  /** Latency of `policy` / latency of `against`, or / the bound. */
  readonly ratio: Estimate;
  readonly smallestRatio: number;
  readonly largestRatio: number;
  /** Parts of the draws, 0 to 1, in which `policy` is quicker, or slower, by more than rounding. */
  readonly quicker: number;
  readonly slower: number;
}

/** Relative differences below this are rounding. */
const ROUNDING = 1e-6;

/** Null when no draw has a plan of both. */
export function compare(draws: readonly DrawOutcomes[], policy: Policy, against: Policy | 'bound'): Comparison | null {
  const ratios = draws.flatMap((draw) => {
    const outcome = draw.get(policy);
    const other = against === 'bound' ? outcome?.boundSeconds : draw.get(against)?.seconds;
    return outcome && other ? [outcome.seconds / other] : [];
  });
  const ratio = estimate(ratios);
  if (ratio === null) return null;
  return {
    policy,
    against,
    ratio,
    smallestRatio: Math.min(...ratios),
    largestRatio: Math.max(...ratios),
    quicker: ratios.filter((value) => value < 1 - ROUNDING).length / ratios.length,
    slower: ratios.filter((value) => value > 1 + ROUNDING).length / ratios.length,
  };
}

/** Pairs that the questions of docs/experiments.md are about. */
const QUESTIONS: readonly (readonly [Policy, Policy | 'bound'])[] = [
  ['exact', 'bound'],
  ['lola', 'exact'],
  ['crunch', 'exact'],
  ['exact', 'single'],
  ['exact', 'data-parallel'],
  ['teams', 'exact'],
  ['teams', 'single'],
  ['teams', 'data-parallel'],
  ['crunch', 'offload'],
  ['exact', 'offload'],
  ['teams', 'offload'],
  ['split', 'bound'],
  ['split', 'offload'],
  ['split', 'teams'],
];

export function answers(sweeps: readonly Sweep[]): Comparison[] {
  const draws = sweeps.flatMap(({ points }) => points.flatMap((point) => point.draws));
  return QUESTIONS.flatMap(([policy, against]) => compare(draws, policy, against) ?? []);
}
