import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { campaign, inputOf } from './campaign.ts';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    at: { type: 'string' },
  },
});
const [count, seed] = [Number(values.count), Number(values.seed)];
if (values.only !== undefined && values.at !== undefined) {
  // One input, to look at.
  const input = inputOf(values.only, seed, Number(values.at));
  if (input === null) throw new Error(`There is no reader "${values.only}".`);
  const file = join(tmpdir(), `tabloom-fuzz-${values.at}`);
  writeFileSync(file, input);
  console.log(`${input.length} bytes in ${file}`);
} else {
  const began = performance.now();
  const { tallies, failures } = await campaign(count, seed, values.only ?? null, (tally) => {
    const { target, inputs, accepted, refused, seconds, slowestMs, grownBytes } = tally;
    console.log(
      `${target.padEnd(24)}${String(inputs).padStart(8)} inputs ${String(accepted).padStart(7)} taken ${String(refused).padStart(7)} refused ` +
        `${seconds.toFixed(1).padStart(7)} s  slowest ${slowestMs.toFixed(0).padStart(4)} ms  ${(grownBytes / 2 ** 20).toFixed(1).padStart(6)} MiB`,
    );
  });
  for (const { target, index, what } of failures) console.log(`FAILED ${target} ${index}: ${what}`);
  const inputs = tallies.reduce((sum, tally) => sum + tally.inputs, 0);
  console.log(
    `${inputs} inputs, ${failures.length} failures, ${((performance.now() - began) / 1000).toFixed(0)} s, seed ${seed}`,
  );
  process.exitCode = failures.length > 0 ? 1 : 0;
}
