import type { Evaluator } from './evaluator.ts';
import { RunPaths } from './run-paths.ts';
import type { Found } from './search.ts';

const RULES = [1, 2, Infinity] as const;

/**
 * The fastest pipeline of a small room, by trying them all: branch and bound from the embeddings up. A stage is only put on top of others if
 * what is below it leaves enough of the best known seconds for its own need, and for some chain above it (`RunPaths`). Returns what it
 * found, and whether `nodes` stages put were enough to have tried everything: then nothing is faster.
 */
export function fastestOfAll(evaluator: Evaluator, known: Found, nodes: number): { found: Found; proven: boolean } {
  const { rows } = evaluator;
  const { units, devices: count, samples } = rows;
  const most = Math.min(count, units);
  const devices = new Int32Array(most);
  const ends = new Int32Array(most);
  const used = new Uint8Array(count);
  const latest = new Float64Array(units + 1);
  let best = known;
  let left = nodes;

  const paths = new RunPaths(rows, evaluator.table(samples));

  const finish = (stages: number, microBatches: number): void => {
    for (const rule of RULES) {
      const pipeline = { devices, ends, stages, microBatches, rule };
      if (!evaluator.load(pipeline)) return;
      if (evaluator.bound() >= best.seconds) continue;
      const seconds = evaluator.seconds(best.seconds);
      if (seconds === Infinity) continue;
      best = { pipeline: { ...pipeline, devices: devices.slice(0, stages), ends: ends.slice(0, stages) }, seconds };
      paths.latest(seconds, latest);
    }
  };

  const extend = (stages: number, from: number, below: number, microBatches: number): void => {
    if (from === units) finish(stages, microBatches);
    if (from === units || stages === most) return;
    for (let to = units; to > from; to--)
      for (let k = 0; k < count; k++) {
        if (used[k] !== 0 || left <= 0) continue;
        const label = below + paths.label(k, from, to);
        if (below + paths.need(k, from, to) >= best.seconds || label > latest[to]!) continue;
        left--;
        used[k] = 1;
        devices[stages] = k;
        ends[stages] = to;
        extend(stages + 1, to, label, microBatches);
        used[k] = 0;
      }
  };

  for (let microBatches = samples; microBatches >= 1 && left > 0; microBatches--) {
    paths.prepare(evaluator.table(microBatches), best.seconds);
    paths.latest(best.seconds, latest);
    if (latest[0]! >= 0) extend(0, 0, 0, microBatches);
  }
  return { found: best, proven: left > 0 };
}
