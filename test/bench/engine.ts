/**
 * One LoRA training step on every engine and on the field's other libraries for the browser: `npm run bench:engine`, with `--json` for
 * machines. Method and figures: docs/benchmarks.md.
 *
 * All run in this process, in turns, so that ratios hold whatever else the machine does; WebGPU is Dawn's, on one adapter for all. A
 * figure counts only after the step's loss and gradient were found equal to the reference. The libraries are installed into a folder
 * outside the project when they are first needed.
 */

import { parseArgs } from 'node:util';
import { openBenchGpu } from './engine/bench-gpu.ts';
import { CASES, type CaseName } from './engine/cases.ts';
import { contenders } from './engine/contenders.ts';
import { installPeers } from './engine/installed-peers.ts';
import { tableOf } from './engine/row-table.ts';
import { type Row, takeTurns } from './engine/turns.ts';

const { values: options } = parseArgs({
  options: {
    cases: { type: 'string', default: Object.keys(CASES).join() },
    only: { type: 'string' },
    turns: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});

function note(line: string): void {
  if (!options.json) process.stderr.write(`${line}\n`);
}

const absent = await openBenchGpu();
if (absent !== null) note(absent);
const chosen = options.only?.split(',');
const all = contenders(installPeers()).filter(({ id }) => chosen === undefined || chosen.includes(id));
const rows: Row[] = [];
for (const name of options.cases.split(',')) {
  const make = CASES[name as CaseName];
  if (make === undefined) throw new Error(`There is no case "${name}"; there are ${Object.keys(CASES).join(' and ')}.`);
  const found = await takeTurns(await make(), all, { turns: Number(options.turns), note });
  rows.push(...found);
  if (!options.json) process.stdout.write(tableOf(found));
}
if (options.json) process.stdout.write(`${JSON.stringify(rows)}\n`);
process.exit(0);
