import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { lossAndGradient } from '../../../worker/check/loss-and-gradient.ts';
import { layerFlops } from '../../../worker/device/calibration.ts';
import { createWebGpuEngine } from '../../../worker/engine/webgpu/engine.ts';
import { openBenchGpu } from '../engine/bench-gpu.ts';
import { type BenchCase, baseLayers, mini } from '../engine/cases.ts';
import type { Contender } from '../engine/contender.ts';
import { contenders } from '../engine/contenders.ts';
import { takeTurns } from '../engine/turns.ts';
import { checkGoldenFiles } from './golden.ts';
import { timedKernels, watchKernels } from './kernel-times.ts';
import { measurePeaks } from './peaks.ts';
import { type KernelReport, type PackReport, reportTable } from './report.ts';

/**
 * What the pack runs (`npm run pack:gpu` makes it; docs/benchmarks.md): golden files, steps against other libraries, kernels by the device's
 * own clock. One table on the terminal, one JSON in a file; ends with 1 where a result was wrong, and with 2 where there is no GPU.
 */

/** The whole takes less; what is not begun by then is left out, and said. */
const SECONDS = 420;
/** Times the seconds that were given: the end, whatever goes on. */
const LATEST = 1.12;
const OWN = ['webgpu', 'webgpu-f16', 'webgpu-int8'];
const OTHERS = ['tfjs-webgpu', 'jax-webgpu', 'onnx-webgpu', 'pytorch-cuda', 'pytorch-cuda-tf32', 'pytorch-cpu'];
/** Dawn rounds timestamps to a tenth of a millisecond, lest pages tell the time too well. */
const EXACT_CLOCK = ['disable-dawn-features=timestamp_quantization'];

const { values: options } = parseArgs({
  options: {
    small: { type: 'boolean', default: false },
    seconds: { type: 'string', default: String(SECONDS) },
    out: { type: 'string', default: 'tabloom-gpu.json' },
  },
});

/** This file lies three folders below the pack's own. */
const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');
const beganMs = performance.now();
const elapsed = (): number => (performance.now() - beganMs) / 1000;
/** Of all the time. */
const isOver = (share: number): boolean => elapsed() > share * Number(options.seconds);
const notes: string[] = [];
const note = (line: string): void => {
  process.stderr.write(`${elapsed().toFixed(0).padStart(4)} s  ${line}\n`);
  if (line.includes('left out')) notes.push(line);
};

const absent = await openBenchGpu(EXACT_CLOCK);
if (absent !== null) {
  process.stderr.write(`${absent} Install a Vulkan driver, or point VK_DRIVER_FILES at one.\n`);
  process.exit(2);
}
watchKernels();
const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
const { vendor = '', architecture = '', description = '', isFallbackAdapter = true } = adapter?.info ?? {};
const name = [vendor, architecture, description].filter((word) => word !== '').join(', ');
note(name);

const steps: PackReport['steps'][number][] = [];
const kernels: KernelReport[] = [];
/** Contenders of ours that have no result. */
let lacking = 0;
const golden = await checkGoldenFiles(join(root, 'golden'), ({ file, engine, ok }) =>
  note(`${file} on ${engine}: ${ok ? 'within the limits' : 'NOT within the limits'}`),
);
const peaks = await measurePeaks().catch((error: unknown) => {
  note(`peaks: left out, ${String(error)}`);
  return null;
});

const module = (file: string): Promise<Record<string, unknown>> =>
  import(pathToFileURL(join(root, 'peers', file)).href);
const all = contenders({
  tensorflow: async () => (await module('tfjs.mjs')).default,
  jax: () => module('jax.mjs'),
}).filter(({ id }) => [...OWN, ...OTHERS].includes(id));

/** Whatever is under way then is left. */
setTimeout(
  () => {
    note('what was under way when the time was over was left out');
    lacking += 1;
    finish();
  },
  1000 * LATEST * Number(options.seconds),
);

const small = options.small;
const cases: readonly (() => Promise<BenchCase>)[] = small
  ? [() => mini(2, 16), () => baseLayers(1, 1, 16), () => baseLayers(2, 1, 16)]
  : [() => mini(), () => baseLayers(), () => baseLayers(12, 16, 128)];
for (const [index, make] of cases.entries()) {
  if (isOver(1)) {
    note('a case was left out: there was no time left');
    continue;
  }
  // Peers get what their case has of the time, so that the last case's own contenders are not theirs to lose.
  const isLate = ({ id }: Contender): boolean => isOver(OWN.includes(id) ? 1.1 : (index + 1) / (cases.length + 1));
  const benchCase = await make();
  note(benchCase.name);
  const { shape } = benchCase.request;
  const { tokens, lengths } = benchCase.batch;
  const flops = shape.layers * lengths.length * layerFlops(shape, tokens);
  const rows = await takeTurns(benchCase, all, { turns: small ? 1 : 7, note, isLate });
  steps.push(...rows.map((row) => ({ ...row, flops })));
  lacking += OWN.filter((id) => !rows.some(({ contender }) => contender === id)).length;
  for (const storage of ['f32', 'f16'] as const) {
    if (isOver(1)) continue;
    const found = await kernelsOf(benchCase, storage);
    if (found === null) note(`kernels of ${benchCase.name}: left out, the device has no timestamps`);
    else kernels.push({ case: benchCase.name, contender: storage === 'f32' ? 'webgpu' : 'webgpu-f16', kernels: found });
  }
}

finish();

/** Of the second step: pipelines are made, and the pace is known. */
async function kernelsOf({ request, parameters, batch }: BenchCase, weightStorage: 'f32' | 'f16') {
  const engine = await createWebGpuEngine({ ...request, weightStorage });
  try {
    await engine.setParameters(parameters);
    const step = () => lossAndGradient(engine, batch);
    await step();
    const { hiddenSize: c } = request.shape;
    const pairs = batch.lengths.reduce((sum, length) => sum + length * length, 0);
    // Two products forward; backward the queries' kernel makes three, the keys' four.
    const products: Readonly<Record<string, number>> = {
      attention: 2,
      'attention backward, queries': 3,
      'attention backward, keys': 4,
    };
    return await timedKernels(step, (label) => {
      const count = products[label];
      return count === undefined ? null : 2 * count * pairs * c;
    });
  } finally {
    await engine.dispose();
  }
}

function finish(): never {
  const report: PackReport = {
    made: { node: process.version, adapter: name, isSoftware: isFallbackAdapter, small },
    ...{ seconds: elapsed(), golden, peaks, steps, kernels, notes },
    ok: golden.length > 0 && golden.every(({ ok }) => ok) && lacking === 0,
  };
  process.stdout.write(reportTable(report));
  writeFileSync(options.out, `${JSON.stringify(report)}\n`);
  process.stdout.write(`${options.out} has all of it as JSON.\n`);
  process.exit(report.ok ? 0 : 1);
}
