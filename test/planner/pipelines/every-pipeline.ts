import { Evaluator } from '../../../signaling/planner/pipelines/evaluator.ts';
import { rowsOf } from '../../../signaling/planner/pipelines/rows.ts';
import type { SplitProblem } from '../../../signaling/protocol/pipeline/split-problem.ts';

/** The least seconds of all pipelines: every order of every set of devices, all borders, micro-batches and windows; Infinity for none. */
export function leastSeconds(problem: SplitProblem): number {
  const rows = rowsOf(problem);
  const evaluator = new Evaluator(rows);
  const most = Math.min(rows.devices, rows.units);
  const devices = new Int32Array(most);
  const ends = new Int32Array(most);
  let least = Infinity;
  const used = new Set<number>();
  const place = (stages: number, from: number): void => {
    if (from === rows.units) {
      for (let microBatches = 1; microBatches <= rows.samples; microBatches++)
        for (const rule of [1, 2, Infinity]) {
          if (!evaluator.load({ devices, ends, stages, microBatches, rule })) break;
          // The bound is tested by itself; without it six devices take minutes.
          if (evaluator.bound() < least) least = Math.min(least, evaluator.seconds());
        }
      return;
    }
    if (stages === most) return;
    for (let device = 0; device < rows.devices; device++) {
      if (used.has(device)) continue;
      used.add(device);
      devices[stages] = device;
      for (let to = from + 1; to <= rows.units; to++) {
        ends[stages] = to;
        place(stages + 1, to);
      }
      used.delete(device);
    }
  };
  place(0, 0);
  return least;
}
