/**
 * The best pipelines that long searches know: `npx tsx test/bench/pipelines-best.ts [--seconds 60] [--only mixed-1]` writes
 * test/planner/pipelines/best-known.json, against which `npm run bench:planner` and the tests hold the planner's short search. A search goes
 * on for so many seconds of processor time on each instance, counted up over runs: annealing from many seeds, short and long, hot and cold, each from the best so
 * far or from scratch. An instance is its seed and shape for the generator; results are only ever replaced by better ones.
 */

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { fastestPipeline } from '../../signaling/planner/pipelines/fastest-pipeline.ts';
import { generateSplitProblem } from '../../signaling/planner/pipelines/generator.ts';
import { anneal, type Found } from '../../signaling/planner/pipelines/search.ts';
import { ruleOf } from '../../signaling/planner/replicas/answer.ts';
import { layOutJson } from '../../signaling/simulate/report.ts';
import { BEST_KNOWN_FILE, bestKnown, INSTANCES, nameOf } from '../planner/pipelines/best-known.ts';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, only: { type: 'string' } },
});
const known = bestKnown;
const cpuSeconds = () => process.cpuUsage().user / 1e6;

for (const instance of INSTANCES) {
  const name = nameOf(instance);
  if (values.only !== undefined && values.only !== name) continue;
  const { seed, ...shape } = instance;
  const first = fastestPipeline(generateSplitProblem(seed, shape), 3e7);
  if ('reason' in first) throw new Error(`${name}: ${first.reason}`);
  const { evaluator, problem } = first;
  let best: Found = first.found;
  const before = known[name];
  const started = cpuSeconds();
  for (let run = 0; cpuSeconds() - started < Number(values.seconds); run++) {
    const from = run % 3 === 2 ? first.found : best;
    const found = anneal(evaluator, from, {
      seed: 100 + run,
      work: [3e7, 1e8, 4e8][run % 3]!,
      hot: [0.02, 0.05, 0.12, 0.3][run % 4]!,
      cold: 0.0005,
    });
    if (found.seconds < best.seconds) best = found;
  }
  const searchedSeconds = Math.round((before?.searchedSeconds ?? 0) + cpuSeconds() - started);
  if (before !== undefined && best.seconds >= before.seconds * (1 - 1e-9)) known[name] = { ...before, searchedSeconds };
  else {
    const { pipeline } = best;
    known[name] = {
      seconds: best.seconds,
      searchedSeconds,
      microBatches: pipeline.microBatches,
      windowRule: ruleOf(pipeline.rule),
      stages: Array.from({ length: pipeline.stages }, (_, s) => [
        problem.devices[pipeline.devices[s]!]!.id,
        pipeline.ends[s]!,
      ]),
    };
  }
  console.log(
    name,
    'short',
    first.found.seconds.toFixed(4),
    'long',
    best.seconds.toFixed(4),
    'before',
    before?.seconds,
  );
  writeFileSync(BEST_KNOWN_FILE, `${layOutJson(known)}\n`);
}
