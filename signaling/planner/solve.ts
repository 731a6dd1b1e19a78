import type { Alternative } from '../protocol/plan.ts';
import type { Policy, WholePolicy } from '../protocol/settings.ts';
import { POLICY_WORDS } from '../protocol/words/policies.ts';
import { tabularPolicies } from './blocks/tabular.ts';
import { explainLimit } from './explain.ts';
import type { Assignment, DetailedAssignment, InfeasiblePlan, PlanAnswer } from './problem/answer.ts';
import { canonicalDetailed, canonicalTabular } from './problem/canonical-order.ts';
import type { RateLaw } from './problem/channel.ts';
import { fleetOf, fleetOfRows } from './problem/fleet.ts';
import type { Refusal, Solution } from './problem/load.ts';
import type { DetailedProblem, TabularProblem } from './problem/problem.ts';
import { tableOf } from './problem/table.ts';
import { writeDetailed, writeTabular } from './problem/write-answer.ts';
import { shortlist } from './shortlist.ts';
import { detailedPolicies } from './teams/detailed.ts';
import { knownPlans } from './teams/known-plans.ts';

export interface SolveOptions {
  /** For the policy that draws: `random`. */
  readonly seed?: number;
  /** Milliseconds on some clock; fills `solveMs`. The planner itself has none. */
  readonly now?: () => number;
  /** What people call a device in explanations; its id by default. */
  readonly nameOf?: (id: string) => string;
}

type PlainPolicy = WholePolicy;

/**
 * What `auto` compares, the simplest first: a later one must be quicker to win. `exact` is never slower than `lola` and the baselines,
 * `single` never slower than `offload`.
 */
const AUTO: readonly PlainPolicy[] = ['single', 'data-parallel', 'crunch', 'exact', 'teams'];

/** Characters of why a policy has no plan. */
export const MAX_REASON = 200;

/** These leave every device its fixed part of the bandwidth. */
const FIXED_BANDWIDTH: ReadonlySet<Policy> = new Set<Policy>(['crunch', 'equal-bandwidth']);

/**
 * Makes a plan. The same problem gives the same plan whatever the order of its devices.
 * The problem is taken as checked (`parseProblem`); an infeasible one is an answer, not an error.
 */
export function solve(problem: DetailedProblem, policy: Policy, options?: SolveOptions): PlanAnswer<DetailedAssignment>;
export function solve(problem: TabularProblem | DetailedProblem, policy: Policy, options?: SolveOptions): PlanAnswer;
export function solve(
  problem: TabularProblem | DetailedProblem,
  policy: Policy,
  options: SolveOptions = {},
): PlanAnswer {
  if (problem.devices.length === 0) {
    return refused(policy, { reason: 'there are no devices yet; somebody has to join', solver: 'none' });
  }
  const started = options.now?.() ?? 0;
  const answer = 'model' in problem ? solveDetailed(problem, policy, options) : solveTabular(problem, policy, options);
  return { ...answer, solveMs: (options.now?.() ?? 0) - started };
}

function solveTabular(given: TabularProblem, policy: Policy, options: SolveOptions): PlanAnswer {
  // Crunch breaks ties by id itself, and sorting a large fleet would take longer than solving it.
  const { problem, host } = policy === 'crunch' ? { problem: given, host: 0 } : canonicalTabular(given);
  const table = tableOf(problem);
  const run: Run = (plain) => tabularPolicies[plain](table, { host, seed: options.seed ?? 0 });
  return answer(run, policy, options, {
    law: table.law,
    bandwidthHz: table.bandwidthHz,
    ids: table.ids,
    write: (solution) => writeTabular(problem, table, solution),
  });
}

function solveDetailed(given: DetailedProblem, policy: Policy, options: SolveOptions): PlanAnswer<DetailedAssignment> {
  const problem = canonicalDetailed(given);
  const all = fleetOf(problem);
  const fleet = fleetOfRows(all, shortlist(all));
  const known = knownPlans(fleet);
  const run: Run = (plain, bounded) => detailedPolicies[plain](fleet, { seed: options.seed ?? 0, all, bounded, known });
  return answer(run, policy, options, {
    law: fleet.law,
    bandwidthHz: fleet.bandwidthHz,
    ids: fleet.devices.map((device) => device.id),
    write: (solution) => writeDetailed(fleet, solution),
  });
}

interface Setting<A extends Assignment> {
  readonly law: RateLaw;
  readonly bandwidthHz: number;
  readonly ids: readonly string[];
  readonly write: (solution: Solution) => A[];
}

/** A policy's plan; the bound of its class is only to be believed where it was asked for. */
type Run = (policy: PlainPolicy, bounded: boolean) => Solution | Refusal;

function answer<A extends Assignment>(
  run: Run,
  policy: Policy,
  options: SolveOptions,
  setting: Setting<A>,
): PlanAnswer<A> {
  if (policy === 'split') return refused(policy, { reason: NOT_BY_UNITS, solver: 'none' });
  if (policy !== 'auto') {
    const found = run(policy, true);
    return 'reason' in found ? refused(policy, found) : accepted(policy, found, '', options, setting);
  }
  // The widest class of plans: where it has none, nobody has, and its bound holds for every policy.
  const teams = run('teams', true);
  if ('reason' in teams) return refused('auto', teams);
  const tried = AUTO.map((plain) => ({ plain, found: plain === 'teams' ? teams : run(plain, false) }));
  const feasible = tried.flatMap(({ plain, found }): Choice[] => ('reason' in found ? [] : [{ plain, found }]));
  // Ties, and gains below rounding, go to the simpler policy.
  const [first = { plain: 'teams', found: teams }, ...rest] = feasible;
  const best = rest.reduce((a, b) => (b.found.latencySeconds < a.found.latencySeconds * (1 - 1e-9) ? b : a), first);
  const others = feasible.filter((other) => other !== best);
  const next = others.reduce((a, b) => (b.found.latencySeconds < a.found.latencySeconds ? b : a), others[0] ?? best);
  const lowerBoundSeconds = Math.min(teams.lowerBoundSeconds, best.found.latencySeconds);
  const chosen = accepted(best.plain, { ...best.found, lowerBoundSeconds }, whyChosen(best, next), options, setting);
  if (!chosen.feasible) return chosen;
  const alternatives = tried.map(
    ({ plain: policy, found }): Alternative =>
      'reason' in found
        ? { policy, reason: found.reason.slice(0, MAX_REASON) }
        : { policy, seconds: found.latencySeconds },
  );
  return { ...chosen, alternatives };
}

type Choice = { readonly plain: PlainPolicy; readonly found: Solution };

function whyChosen(best: Choice, next: Choice): string {
  const first = atStart(best.plain);
  if (best === next) return `${first} is the only way that works here. `;
  const saved = 1 - best.found.latencySeconds / next.found.latencySeconds;
  if (!(saved >= 0.001)) return `${first} is the simplest of the quickest ways. `;
  return `${first} is quickest, ${(100 * saved).toFixed(saved < 0.1 ? 1 : 0)} % below ${POLICY_WORDS[next.plain].inSentence}. `;
}

/** A policy as a sentence begins with it. */
export function atStart(policy: Policy): string {
  const name = POLICY_WORDS[policy].inSentence;
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function refused(policy: Policy, { reason, solver }: Refusal): InfeasiblePlan {
  return { policy, feasible: false, reason, solver, solveMs: 0 };
}

function accepted<A extends Assignment>(
  policy: Policy,
  solution: Solution,
  preface: string,
  options: SolveOptions,
  setting: Setting<A>,
): PlanAnswer<A> {
  const { law, bandwidthHz, ids, write } = setting;
  const assignments = write(solution);
  if (!finite(solution, assignments)) return refused(policy, { reason: TOO_FAR_APART, solver: solution.solver });
  const nameOf = (device: number) => options.nameOf?.(ids[device]!) ?? ids[device]!;
  const joint = !FIXED_BANDWIDTH.has(policy);
  const limit = explainLimit(law, solution.loads, solution.hertz, bandwidthHz, joint, nameOf);
  return {
    policy,
    feasible: true,
    latencySeconds: solution.latencySeconds,
    lowerBoundSeconds: solution.lowerBoundSeconds,
    solver: solution.solver,
    solveMs: 0,
    limitedBy: ids[limit.device]!,
    explanation: preface + limit.sentence,
    assignments,
  };
}

const NOT_BY_UNITS = 'what single units of the model cost is not said; give the problem in the form for split rooms';

const TOO_FAR_APART =
  'the numbers of the problem lie too far apart to be added up; give those that matter in units of one scale';

/** Whether a plan is made of numbers: quantities near both ends of what `parseProblem` lets through may meet in a sum of nothing. */
function finite({ latencySeconds, lowerBoundSeconds }: Solution, assignments: readonly Assignment[]): boolean {
  return (
    Number.isFinite(latencySeconds) &&
    Number.isFinite(lowerBoundSeconds) &&
    assignments.every((a) =>
      [a.bandwidthHz, a.share, a.uploadBits, a.computeSeconds, a.uploadSeconds, a.memoryBytes].every(Number.isFinite),
    )
  );
}
