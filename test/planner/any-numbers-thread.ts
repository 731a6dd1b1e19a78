import { parentPort, workerData } from 'node:worker_threads';
import { drawsFrom, type RandomSource } from '../../signaling/planner/algorithms/random.ts';
import type { PlanAnswer } from '../../signaling/planner/problem/answer.ts';
import {
  LARGEST_QUANTITY,
  ProblemError,
  parseProblem,
  SMALLEST_QUANTITY,
} from '../../signaling/planner/problem/parse.ts';
import { solve } from '../../signaling/planner/solve.ts';
import { POLICIES, type Policy } from '../../signaling/protocol/settings.ts';

/** Draws problems of any numbers and solves them by every policy, on a thread, so that the test can end it where the planner does not end. */
export interface Seeds {
  readonly from: number;
  readonly to: number;
}

export interface Solved {
  readonly seed: number;
  readonly policy: Policy;
  readonly outcome: 'plan' | 'no plan' | 'refused';
  /** What is wrong with it; null when nothing is. */
  readonly fault: string | null;
  readonly milliseconds: number;
}

const CHANNELS = ['ofdma', 'ofdma-power', 'airtime'] as const;
/** What `JSON.parse` makes of 1e999, of numbers too small to keep all their digits, and of the ends of float64. */
const STRANGE = [Infinity, Number.MAX_VALUE, 1.7e308, 1e154, 1e-162, 1e-310, 5e-324, -0, -1, -5e-324, -Infinity];

/** One kind of numbers a problem: the planner's whole range, its ends, one scale, ordinary ones but for a few, all of float64, strange ones. */
function quantities(draw: RandomSource): () => number {
  const kind = draw.below(6);
  const most = Math.log10(LARGEST_QUANTITY);
  const centre = (2 * draw.uniform() - 1) * most;
  const within = (exponent: number) => 10 ** Math.max(-most, Math.min(most, exponent));
  return () => {
    if (draw.uniform() < 0.08) return 0;
    const any = (2 * draw.uniform() - 1) * most;
    if (kind === 0) return within(any);
    if (kind === 1) return draw.below(2) === 0 ? LARGEST_QUANTITY : SMALLEST_QUANTITY;
    if (kind === 2) return within(centre + 4 * draw.normal());
    if (kind === 3) return within(draw.uniform() < 0.15 ? any : draw.normal());
    if (draw.uniform() < 0.95) return within(draw.normal());
    return kind === 4 ? 10 ** (-320 + 628 * draw.uniform()) : STRANGE[draw.below(STRANGE.length)]!;
  };
}

function drawnProblem(draw: RandomSource): { problem: unknown; bandwidthHz: number } {
  const q = quantities(draw);
  const channel = CHANNELS[draw.below(3)]!;
  const count = 1 + draw.below(6);
  const link = () => (channel === 'ofdma-power' ? { snrHz: q() } : { bitsPerSecondPerHz: q() });
  const limit = () => (draw.below(3) > 0 ? LARGEST_QUANTITY : q());
  const bandwidthHz = q() || 1;
  const devices = <T>(one: () => T) => Array.from({ length: count }, (_, k) => ({ id: `d${k}`, ...one(), ...link() }));
  if (draw.below(2) === 0) {
    const row = { length: 1 + draw.below(4) };
    const tabular = () => ({
      computeSeconds: Array.from(row, q),
      memoryBytes: Array.from(row, q),
      memoryLimitBytes: limit(),
    });
    const blocks = Array.from(row, () => ({ uploadBits: q() }));
    return { problem: { blocks, devices: devices(tabular), bandwidthHz, channel }, bandwidthHz };
  }
  const activations = () => ({ transientPerSample: q(), savedPerSamplePerLayer: q() });
  const detailed = () => ({
    overheadSeconds: q(),
    secondsPerSample: { embed: q(), forwardPerLayer: q(), backwardPerLayer: q(), head: q() },
    memory: {
      limitBytes: limit(),
      weightsBytes: q(),
      gradientBytesPerLayer: q(),
      ...activations(),
      ...(draw.below(3) === 0 ? { recompute: activations() } : {}),
    },
  });
  const samples = [1, 4, 33, 1_000_000][draw.below(4)]!;
  const model = { layers: 1 + draw.below(8), samples, head: { uploadBits: q() }, layerUploadBits: q() };
  return { problem: { model, devices: devices(detailed), bandwidthHz, channel }, bandwidthHz };
}

function faultOf(answer: PlanAnswer, bandwidthHz: number): string | null {
  if (!answer.feasible) return sentenceFault(answer.reason);
  const written = JSON.stringify(answer, (_, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? `number ${value}` : value,
  );
  if (/number (NaN|-?Infinity)/.test(written)) return `not finite: ${written}`;
  if (!(answer.lowerBoundSeconds >= 0 && answer.lowerBoundSeconds <= answer.latencySeconds)) {
    return `bound ${answer.lowerBoundSeconds}, latency ${answer.latencySeconds}`;
  }
  const hertz = answer.assignments.reduce((sum, assignment) => sum + assignment.bandwidthHz, 0);
  if (!(hertz <= bandwidthHz * (1 + 1e-9))) return `${hertz} Hz of ${bandwidthHz}`;
  const finish = Math.max(...answer.assignments.map((a) => a.computeSeconds + a.uploadSeconds));
  if (!(Math.abs(finish - answer.latencySeconds) <= 1e-6 * finish)) return `${finish} s, not ${answer.latencySeconds}`;
  return sentenceFault(answer.explanation) ?? sentenceFault(answer.solver);
}

const sentenceFault = (text: string) =>
  /NaN|Infinity|undefined|\n/.test(text) || text.length < 5 ? `words: ${text}` : null;

function solved(seed: number, policy: Policy): Solved {
  const { problem, bandwidthHz } = drawnProblem(drawsFrom(seed));
  const started = performance.now();
  const done = (outcome: Solved['outcome'], fault: string | null): Solved => {
    return { seed, policy, outcome, fault, milliseconds: performance.now() - started };
  };
  try {
    const answer = solve(parseProblem(problem), policy, { seed });
    return done(answer.feasible ? 'plan' : 'no plan', faultOf(answer, bandwidthHz));
  } catch (error) {
    if (error instanceof ProblemError)
      return done('refused', /^[A-Z][^\n]*\.$/.test(error.message) ? null : error.message);
    return done('refused', `threw ${error instanceof Error ? error.stack : String(error)}`);
  }
}

const { from, to } = workerData as Seeds;
for (let seed = from; seed < to; seed++) parentPort?.postMessage(POLICIES.map((policy) => solved(seed, policy)));
