import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { chartSvg } from '../simulate/chart.ts';
import { answers } from '../simulate/compare.ts';
import { relativeChart, sweepChart } from '../simulate/plots.ts';
import { comparisonTable, layOutJson, simulationJson, sweepTable } from '../simulate/report.ts';
import { AXES, runSweep, type Sweep } from '../simulate/sweep.ts';
import { OPTIONS, readOptions, SIMULATE_HELP, type SimulateOptions } from './simulate-options.ts';

const INTERRUPTED = 130;

/** `tabloom simulate`: tables to stdout, progress to stderr, JSON and SVG into `--out`. Returns the exit code. */
export async function simulateCommand(argv: string[]): Promise<number> {
  let options: SimulateOptions | 'help';
  try {
    options = readOptions(parseArgs({ args: argv, options: OPTIONS, strict: true, allowPositionals: false }).values);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // Node's own messages go on with advice that does not apply here.
    const sentence = message.split(/\.\s/)[0]!.replace(/\.$/, '');
    process.stderr.write(`tabloom simulate: ${sentence}; see --help.\n`);
    return 2;
  }
  if (options === 'help') {
    process.stdout.write(SIMULATE_HELP);
    return 0;
  }
  return simulate(options);
}

/** After Ctrl-C the axes that are complete are still written; a second Ctrl-C ends the process as usual. */
async function simulate(options: SimulateOptions): Promise<number> {
  const { name, scenario, policies, seeds, axes, out } = options;
  let interrupted = false;
  const interrupt = () => {
    interrupted = true;
  };
  process.once('SIGINT', interrupt);
  const sweeps: Sweep[] = [];
  try {
    for (const axis of axes) {
      const sweep = await paced(runSweep(scenario, axis, policies, seeds), () => interrupted);
      if (sweep === null) break;
      sweeps.push(sweep);
      process.stdout.write(`\n${AXES[axis].title}\n\n${sweepTable(sweep, policies)}\n`);
      if (out === null) continue;
      await writeWhole(out, `${name}-${axis}.svg`, chartSvg(sweepChart(name, scenario, sweep, policies)));
      if (policies.includes('exact'))
        await writeWhole(out, `${name}-${axis}-relative.svg`, chartSvg(relativeChart(name, scenario, sweep, policies)));
    }
    const comparisons = answers(sweeps);
    if (comparisons.length > 0)
      process.stdout.write(`\nOver all draws, latency ratios\n\n${comparisonTable(comparisons)}\n`);
    if (out !== null && sweeps.length > 0) {
      const report = simulationJson(name, scenario, policies, seeds, sweeps);
      await writeWhole(out, `${name}.json`, `${layOutJson(report)}\n`);
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`tabloom simulate: the results could not be written: ${reason}\n`);
    return 1;
  } finally {
    process.off('SIGINT', interrupt);
  }
  if (!interrupted) return 0;
  process.stderr.write(`tabloom simulate: stopped; ${sweeps.length} of ${axes.length} axes are complete.\n`);
  return INTERRUPTED;
}

/** Runs a sweep, letting signals in between draws; null when it was stopped. */
async function paced(run: ReturnType<typeof runSweep>, stopped: () => boolean): Promise<Sweep | null> {
  const live = process.stderr.isTTY;
  for (;;) {
    const step = run.next();
    if (step.done) {
      if (live) process.stderr.write('\r\u001b[K');
      return step.value;
    }
    const { axis, done, total } = step.value;
    if (live) process.stderr.write(`\r\u001b[K${axis}: ${done} of ${total} draws`);
    else if (done === total) process.stderr.write(`${axis}: ${total} draws\n`);
    await nextTurn();
    if (stopped() && done < total) {
      if (live) process.stderr.write('\n');
      return null;
    }
  }
}

/** Under its name only once it is complete. */
async function writeWhole(folder: string, file: string, content: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, file);
  await writeFile(`${path}.part`, content);
  await rename(`${path}.part`, path);
}
