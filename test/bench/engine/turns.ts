import { median } from '../../../signaling/protocol/median.ts';
import { relativeError } from '../../../worker/check/golden-check.ts';
import type { BenchCase } from './cases.ts';
import type { Contender, OpenContender, StepResult } from './contender.ts';
import { forgetPeak, ownedBy, peakGpuBytes } from './gpu-bytes.ts';
import { type GpuWork, takeGpuWork } from './gpu-work.ts';
import { referenceStep } from './own.ts';

/** Errors of a step over the largest value of loss and gradient: f32 in another order, half precision, and 8-bit codes of the weights. */
const TOLERANCE = 2e-3;
const HALF_TOLERANCE = 2e-2;
const CODES_TOLERANCE = 5e-2;
const toleranceOf = (id: string, { roundingFactor = 1 }: BenchCase): number =>
  id.endsWith('f16') || id.endsWith('tf32')
    ? HALF_TOLERANCE * roundingFactor
    : id.endsWith('int8')
      ? CODES_TOLERANCE * roundingFactor
      : TOLERANCE;
/** A contender whose turns take longer gets fewer. */
const MAX_SECONDS_EACH = 120;

interface Runner {
  readonly contender: Contender;
  readonly open: OpenContender;
  readonly firstMs: number;
  readonly error: number;
  readonly times: number[];
  /** Milliseconds of processor time, all threads together. */
  readonly cpuTimes: number[];
  work: GpuWork | null;
}

export interface Row {
  readonly case: string;
  readonly contender: string;
  readonly firstMs: number;
  readonly medianMs: number;
  /** Median processor time of a step, all threads: on a driver in software what counts on a machine that does other things, too. */
  readonly cpuMs: number;
  readonly turns: number;
  readonly error: number;
  /** The most GPU memory at a time in a warm step, weights included. */
  readonly peakGpuMiB: number | null;
  /** What a warm step asks of the GPU; null of contenders that use none. */
  readonly work: GpuWork | null;
}

const usesWebGpu = ({ id }: Contender): boolean => id.includes('webgpu');

/** jax-js and TensorFlow.js keep their device for all cases. */
const ownerOf = ({ id }: Contender, benchCase: BenchCase): string =>
  id.startsWith('webgpu') ? `${id} ${benchCase.name}` : id;

export interface Turns {
  readonly turns: number;
  /** What happens, a line at a time. */
  readonly note: (line: string) => void;
  /** Whether a contender is not begun any more, or takes no further turn. */
  readonly isLate?: (contender: Contender) => boolean;
}

/** Every contender's first step is checked, then all take turns. */
export async function takeTurns(
  benchCase: BenchCase,
  all: readonly Contender[],
  { turns, note, isLate = () => false }: Turns,
): Promise<Row[]> {
  const reference = await referenceStep(benchCase);
  const runners: Runner[] = [];
  for (const contender of all) {
    try {
      if (isLate(contender)) throw new Error('there was no time left for it');
      const runner = await start(contender, benchCase, reference);
      runners.push(runner);
      note(
        `${contender.id}: first step ${(runner.firstMs / 1000).toFixed(1)} s, error ${runner.error.toExponential(1)}`,
      );
    } catch (error) {
      note(`${contender.id}: left out, ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  for (let turn = 0; turn < turns; turn++)
    for (const runner of runners) {
      const { contender, open, times, cpuTimes } = runner;
      if (times.reduce((sum, ms) => sum + ms, 0) > 1000 * MAX_SECONDS_EACH) continue;
      if (turn > 0 && isLate(contender)) continue;
      if (turn === 0) forgetPeak(ownerOf(contender, benchCase));
      takeGpuWork();
      const [before, cpuBefore] = [performance.now(), process.cpuUsage()];
      const { cpuSeconds, wallMs } = await open.step();
      times.push(wallMs ?? performance.now() - before);
      runner.work = takeGpuWork();
      const { user, system } = process.cpuUsage(cpuBefore);
      cpuTimes.push(cpuSeconds === undefined ? (user + system) / 1000 : 1000 * cpuSeconds);
    }
  const rows = runners.map(({ contender, firstMs, error, times, cpuTimes, work }) => ({
    case: benchCase.name,
    contender: contender.id,
    firstMs,
    medianMs: median(times),
    cpuMs: median(cpuTimes),
    turns: times.length,
    error,
    peakGpuMiB: usesWebGpu(contender) ? peakGpuBytes(ownerOf(contender, benchCase)) / 2 ** 20 : null,
    work: usesWebGpu(contender) ? work : null,
  }));
  for (const { open } of runners) await open.close();
  return rows;
}

async function start(contender: Contender, benchCase: BenchCase, reference: StepResult): Promise<Runner> {
  return ownedBy(ownerOf(contender, benchCase), async () => {
    const open = await contender.open(benchCase);
    const before = performance.now();
    const first = await open.step();
    const firstMs = performance.now() - before;
    // One more, warm, not counted either.
    await open.step();
    const error = Math.max(
      relativeError(first.gradient, reference.gradient),
      Math.abs(first.lossSum / reference.lossSum - 1),
    );
    const tolerance = toleranceOf(contender.id, benchCase);
    if (!(error <= tolerance)) throw new Error(`its result is off by ${error.toExponential(1)}`);
    return { contender, open, firstMs, error, times: [], cpuTimes: [], work: null };
  });
}
