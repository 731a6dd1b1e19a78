import { EVALUATION_SAMPLE } from '../../signaling/protocol/limits.ts';
import { isBetter, measured } from '../../signaling/protocol/scores.ts';
import type { TokenBatch } from '../api/batch.ts';
import type { DevPart, Evaluated, Score } from '../api/host-api.ts';
import { byLength } from '../data/batches.ts';
import { type Example, labelValues } from '../data/example.ts';
import { mixSeed, seededRandom, shuffledIndices } from '../data/seeded-random.ts';
import { type ScoreOptions, scoreLogits } from '../score/score.ts';
import { standardError } from '../score/standard-error.ts';
import type { HostState } from './host-state.ts';
import { tokensOf } from './host-texts.ts';

/** Keeps the sample apart from what else the session's seed draws. */
const SAMPLE_KEY = 0xde7;

/** Which examples of which dev set a part is, in the order in which they are evaluated. */
export interface DevOrder {
  readonly examples: readonly Example[];
  /** Indices into the dev set, from the shortest example to the longest. */
  readonly rows: readonly number[];
  readonly lengths: Int32Array;
}

const orders = new WeakMap<HostState, Map<DevPart, DevOrder>>();

/** Made when it is first asked for: the texts are read for it. */
export function devOrder(host: HostState, part: DevPart): DevOrder {
  const known = orders.get(host) ?? new Map<DevPart, DevOrder>();
  orders.set(host, known);
  const found = known.get(part);
  if (found !== undefined) return found;
  const all = part === 'second' ? (host.secondDev?.examples ?? []) : host.examples.dev;
  const chosen = part === 'sample' ? sampleOf(all.length, host.training.seed) : all.map((_, i) => i);
  const lengths = chosen.map((row) => host.tokenRows.of(all[row]!).length);
  const order = byLength(lengths);
  const made = {
    rows: order.map((i) => chosen[i]!),
    examples: order.map((i) => all[chosen[i]!]!),
    lengths: Int32Array.from(order, (i) => lengths[i]!),
  };
  known.set(part, made);
  return made;
}

/** The same examples for the same seed, ascending; all of a small set. */
function sampleOf(examples: number, seed: number): number[] {
  const drawn = shuffledIndices(examples, seededRandom(mixSeed(seed, SAMPLE_KEY)));
  return [...drawn.subarray(0, EVALUATION_SAMPLE)].sort((a, b) => a - b);
}

export function devChunk(host: HostState, part: DevPart, start: number, count: number): TokenBatch {
  const { examples } = devOrder(host, part);
  if (
    !(
      Number.isInteger(start) &&
      Number.isInteger(count) &&
      start >= 0 &&
      count >= 1 &&
      start + count <= examples.length
    )
  )
    throw new RangeError(`There are examples 0 to ${examples.length - 1}; ${count} from ${start} were asked for.`);
  return tokensOf(host, examples.slice(start, start + count));
}

/** Scores answers in their order, tells the host's log, and keeps the parameters where they are the best so far. */
export function scoreEvaluated(host: HostState, { version, values, part, logits, secondLogits }: Evaluated): Score {
  const { task, scores, best, secondDev, training } = host;
  const by = training.bestBy ?? task.metric;
  const options: ScoreOptions = { threshold: training.threshold, also: by === 'loss' ? null : by };
  const of = (which: DevPart, answers: Float32Array) =>
    scoreLogits(task, answers, labelValues(devOrder(host, which).examples), options);
  const score = of(part, logits);
  const second = secondLogits && of('second', secondLogits);
  const ofSecond = (second ? [second, ...second.further] : []).map(({ metric, value, constant }) => ({
    metric,
    devSet: secondDev?.name ?? null,
    value,
    constant,
  }));
  const onSample = part === 'sample' ? score : of('sample', sampleLogits(host, logits));
  const chosenBy = measured(onSample, by) ?? score.value;
  const { examples } = devOrder(host, part);
  const further = [...score.further, ...ofSecond];
  const { metric, value, constant } = score;
  const at = scores.findIndex(({ round }) => round >= version);
  const replaced = at >= 0 && scores[at]!.round === version ? 1 : 0;
  scores.splice(at < 0 ? scores.length : at, replaced, {
    round: version,
    metric,
    value,
    constant,
    further,
    examples: examples.length,
  });
  host.scored = { round: version, logits, examples };
  if (!best || isBetter(by, chosenBy, best.value))
    host.best = { round: version, value: chosenBy, values: values.slice() };
  const error = standardError(task, metric, logits, labelValues(examples), training.threshold);
  return { ...score, further, examples: examples.length, error, chosenBy };
}

/** Those of the sample's examples among the whole dev set's, both in their orders. */
function sampleLogits(host: HostState, logits: Float32Array): Float32Array {
  const { labelCount } = host.task;
  const places = new Map(devOrder(host, 'first').rows.map((row, place) => [row, place]));
  return Float32Array.from(
    devOrder(host, 'sample').rows.flatMap((row) => {
      const place = places.get(row)!;
      return [...logits.subarray(place * labelCount, (place + 1) * labelCount)];
    }),
  );
}

/** (examples, labels) in the data's order as (examples, labels) in the order of a part. */
export function inOrder({ rows }: DevOrder, logits: Float32Array, labelCount: number): Float32Array {
  return Float32Array.from(rows.flatMap((row) => [...logits.subarray(row * labelCount, (row + 1) * labelCount)]));
}
