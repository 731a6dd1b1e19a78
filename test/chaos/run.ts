/**
 * A session under faults of every kind in every phase, in real processes:
 *
 *     npm run test:chaos -- [--seed 1] [--seed 2] [--part whole] [--part split] [--rounds N] [--out FILE]
 *         [--short] [--piece 1/4] [--only merge/kill] [--alone] [--talk]
 *
 * Of each part first the quiet run, then one with faults for each seed. Ends with an error where anything is not as it has to be. `--only` has
 * one cell of the table alone, or several; `--piece` every so-manieth cell in
 * fewer rounds; `--alone`: the quiet run is the host's alone; `--quiet PREFIX` keeps the quiet
 * runs in files that begin so, and takes them from there; `--talk` prints what members tell their people.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import * as v from 'valibot';
import { PARTS, type PartName } from './parts.ts';
import { runRoom } from './run-room.ts';
import { ALL_CELLS, scheduled, someCells } from './schedule.ts';
import { told } from './tell.ts';
import { judged, QuietSchema, quietOf } from './verdict.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', multiple: true, default: ['1'] },
    part: { type: 'string', multiple: true, default: Object.keys(PARTS) },
    rounds: { type: 'string' },
    piece: { type: 'string', default: '1/1' },
    short: { type: 'boolean', default: false },
    out: { type: 'string' },
    only: { type: 'string', multiple: true, default: [] },
    talk: { type: 'boolean', default: false },
    alone: { type: 'boolean', default: false },
    quiet: { type: 'string' },
    devices: { type: 'string' },
  },
});
const [piece = 1, pieces = 1] = values.piece.split('/').map(Number);
const log = (line: string): void => console.log(`  ${line}`);
const results: object[] = [];
let failed = false;

async function tryPart(name: PartName): Promise<void> {
  const part = PARTS[name];
  const rounds = Number(values.rounds ?? (values.short ? 40 : Math.ceil(part.rounds / pieces) + (pieces > 1 ? 20 : 0)));
  const room = { ...part.room, rounds };
  const { browsers, memoryBytes } = part;
  const devices = Number(values.devices ?? part.devices);
  const leastDevices = Math.min(part.leastDevices, devices + browsers.length);
  const limitSeconds = values.short ? 240 : 1500;
  const common = { room, devices, browsers, leastDevices, memoryBytes, limitSeconds, talk: values.talk, log };
  const others = values.alone && name === 'whole' ? 0 : devices;
  console.log(`${part.title}. The quiet run: ${rounds} rounds, a host and ${others} devices.`);
  const quietFile = values.quiet === undefined ? null : `${values.quiet}-${name}-${rounds}.json`;
  const before = quietFile === null ? null : await readFile(quietFile, 'utf8').catch(() => null);
  const quiet =
    before === null
      ? quietOf(await runRoom({ ...common, devices: others, seed: 0, planned: [] }))
      : v.parse(QuietSchema, JSON.parse(before));
  if (quietFile !== null) await writeFile(quietFile, JSON.stringify(quiet));
  console.log(`  ${quiet.usualSeconds.toFixed(2)} s a round.`);

  for (const seed of values.seed.map(Number)) {
    const asked = ALL_CELLS.filter((cell) => values.only.includes(cell.join('/')));
    const all = asked.length > 0 ? asked : values.short ? someCells(seed, part.faults) : part.cells(seed);
    // Cells go from one phase to the next, so that every piece has of all.
    const cells = all.filter((_, i) => i % pieces === piece - 1);
    const longestStopSeconds = values.short ? 2 : 30;
    const { evaluateEvery } = room;
    const planned = scheduled({ seed, rounds, evaluateEvery, cells, longestStopSeconds, lies: part.lies });
    console.log(`${part.title}, seed ${seed}: ${planned.length} faults in ${rounds} rounds.`);
    const run = await runRoom({ ...common, seed, planned });
    const verdict = judged(run, quiet, part.tolerance);
    console.log(`\n${told(run, verdict)}\n`);
    failed ||= verdict.problems.length > 0;
    const { struck, seconds, reports, history } = run;
    results.push({
      part: name,
      seed,
      rounds,
      devices,
      usualSeconds: quiet.usualSeconds,
      seconds,
      ...verdict,
      struck,
      reports,
      history,
    });
    if (values.out !== undefined) await writeFile(values.out, `${JSON.stringify(results, null, 1)}\n`);
  }
}

for (const name of values.part) {
  if (!(name in PARTS)) throw new Error(`There is no part "${name}"; there are ${Object.keys(PARTS).join(', ')}.`);
  await tryPart(name as PartName);
}
process.exit(failed ? 1 : 0);
