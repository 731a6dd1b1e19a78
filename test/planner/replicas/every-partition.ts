import type { SplitProblem } from '../../../signaling/protocol/pipeline/split-problem.ts';
import { leastSeconds } from '../pipelines/every-pipeline.ts';

/** The least seconds of all ways to share the samples over pipelines of disjoint sets of devices, each the best there is; Infinity for none. */
export function leastOfPartitions(problem: SplitProblem): number {
  const { devices, split } = problem;
  const all = 2 ** devices.length - 1;
  const known = new Map<string, number>();
  /** Of one pipeline of some of the devices, as bits. */
  const alone = (set: number, samples: number): number => {
    const key = `${set} ${samples}`;
    const seconds =
      known.get(key) ??
      leastSeconds({
        ...problem,
        split: { ...split, samples },
        devices: devices.filter((_, i) => (set & (1 << i)) !== 0),
      });
    known.set(key, seconds);
    return seconds;
  };
  let least = alone(all, split.samples);
  const share = (left: number, samples: number, reached: number): void => {
    if (samples === 0) least = Math.min(least, reached);
    if (samples === 0 || left === 0) return;
    const first = left & -left;
    // Whoever comes first is in some pipeline, or in none.
    for (let set = left; set > 0; set = (set - 1) & left)
      for (let own = 1; (set & first) !== 0 && own <= samples; own++) {
        const seconds = Math.max(reached, alone(set, own));
        if (seconds >= least) break;
        share(left & ~set, samples - own, seconds);
      }
    share(left & ~first, samples, reached);
  };
  share(all, split.samples, 0);
  return least;
}
