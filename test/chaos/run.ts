/**
 * A session under faults of every kind in every phase, in real processes:
 *
 *     npm run test:chaos -- [--seed 1] [--seed 2] [--rounds 200] [--short] [--policy data-parallel] [--devices 4]
 *         [--only merge/kill] [--talk] [--out FILE]
 *
 * `--only` has one cell of the table alone, or several; `--alone`: the quiet run is the host's alone; `--talk` prints what members tell their people.  * First the quiet run, then one with faults for each seed. Ends with an error where anything is not as it has to be.
 */

import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { POLICIES } from '../../signaling/protocol/settings.ts';
import { runRoom } from './run-room.ts';
import { ALL_CELLS, scheduled, someCells } from './schedule.ts';
import { told } from './tell.ts';
import { judged, quietOf } from './verdict.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', multiple: true, default: ['1'] },
    rounds: { type: 'string' },
    short: { type: 'boolean', default: false },
    policy: { type: 'string', default: 'data-parallel' },
    devices: { type: 'string', default: '4' },
    out: { type: 'string' },
    only: { type: 'string', multiple: true, default: [] },
    talk: { type: 'boolean', default: false },
    alone: { type: 'boolean', default: false },
  },
});
const policy = POLICIES.find((one) => one === values.policy) ?? 'data-parallel';
const rounds = Number(values.rounds ?? (values.short ? 40 : 200));
const devices = Number(values.devices);
const room = { policy, rounds, samplesPerRound: 10, evaluateEvery: 10, learningRate: 5e-4, audits: 0.5 };
const log = (line: string): void => console.log(`  ${line}`);
const seeds = values.seed.map(Number);
const limitSeconds = values.short ? 240 : 1500;

const others = values.alone ? 0 : devices;
console.log(`The quiet run: ${rounds} rounds, ${policy}, a host and ${others} devices.`);
const common = { room, talk: values.talk, devices, leastDevices: Math.min(devices, 3), limitSeconds, log };
const quietRun = await runRoom({ ...common, devices: others, seed: 0, planned: [] });
const quiet = quietOf(quietRun);
console.log(`  ${quietRun.seconds.toFixed(0)} s, ${quiet.usualSeconds.toFixed(2)} s a round.`);

const results: object[] = [];
let failed = false;
for (const seed of seeds) {
  const asked = ALL_CELLS.filter((cell) => values.only.includes(cell.join('/')));
  const cells = asked.length > 0 ? asked : values.short ? someCells(seed) : ALL_CELLS;
  const planned = scheduled({
    seed,
    rounds,
    evaluateEvery: room.evaluateEvery,
    cells,
    longestStopSeconds: values.short ? 2 : 30,
  });
  console.log(`Seed ${seed}: ${planned.length} faults in ${rounds} rounds.`);
  const run = await runRoom({ ...common, seed, planned });
  const verdict = judged(run, quiet);
  console.log(told(run, verdict));
  failed ||= verdict.problems.length > 0;
  const { struck, seconds } = run;
  results.push({ seed, policy, rounds, devices, usualSeconds: quiet.usualSeconds, seconds, ...verdict, struck });
}
if (values.out !== undefined) await writeFile(values.out, `${JSON.stringify(results, null, 1)}\n`);
process.exit(failed ? 1 : 0);
