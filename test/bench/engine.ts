/**
 * One LoRA training step on every engine and on the field's other libraries for the browser: `npm run bench:engine`, with `--json` for
 * machines. Method and figures: docs/benchmarks.md.
 *
 * All run in this process, in turns, so that ratios hold whatever else the machine does; WebGPU is Dawn's, on one adapter for all. A
 * figure counts only after the step's loss and gradient were found equal to the reference. The libraries are installed into a folder
 * outside the project when they are first needed.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from '../../signaling/protocol/median.ts';
import { relativeError } from '../../worker/check/golden-check.ts';
import { createOnnxEngine } from '../../worker/engine/onnx/engine.ts';
import { createWebGpuEngine } from '../../worker/engine/webgpu/engine.ts';
import { installNodeWebGpu } from '../../worker/node/node-webgpu.ts';
import { type BenchCase, CASES, type CaseName } from './engine/cases.ts';
import type { Contender, OpenContender, StepResult } from './engine/contender.ts';
import { countGpuBytes, forgetPeak, ownedBy, peakGpuBytes } from './engine/gpu-bytes.ts';
import { jax } from './engine/jax.ts';
import { own } from './engine/own.ts';
import { copySharedWrites } from './engine/shared-writes.ts';
import { tfjs } from './engine/tfjs.ts';
import { torch } from './engine/torch.ts';

const PEERS = {
  '@tensorflow/tfjs': '4.22.0',
  '@tensorflow/tfjs-backend-wasm': '4.22.0',
  '@tensorflow/tfjs-backend-webgpu': '4.22.0',
  '@jax-js/jax': '0.1.25',
};
const PEER_FOLDER = join(tmpdir(), 'tabloom-bench-peers');

/** Errors of a step over the largest value of loss and gradient: f32 in another order, half precision, and 8-bit codes of the weights. */
const TOLERANCE = 2e-3;
const HALF_TOLERANCE = 2e-2;
const CODES_TOLERANCE = 5e-2;
const toleranceOf = (id: string): number =>
  id.endsWith('f16') ? HALF_TOLERANCE : id.endsWith('int8') ? CODES_TOLERANCE : TOLERANCE;
/** A contender whose turns take longer gets fewer. */
const MAX_SECONDS_EACH = 120;

const { values: options } = parseArgs({
  options: {
    cases: { type: 'string', default: Object.keys(CASES).join() },
    only: { type: 'string' },
    turns: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});

function installPeers(): NodeJS.Require {
  const manifest = join(PEER_FOLDER, 'package.json');
  mkdirSync(PEER_FOLDER, { recursive: true });
  if (!existsSync(manifest)) writeFileSync(manifest, JSON.stringify({ private: true }));
  const missing = Object.entries(PEERS).filter(([name]) => !existsSync(join(PEER_FOLDER, 'node_modules', name)));
  if (missing.length > 0) {
    const packages = missing.map(([name, version]) => `${name}@${version}`);
    execFileSync('npm', ['install', '--no-audit', '--no-fund', ...packages], { cwd: PEER_FOLDER, stdio: 'ignore' });
  }
  return createRequire(manifest);
}

function contenders(load: NodeJS.Require): readonly Contender[] {
  const tensorflow = (backend: string) => async (): Promise<unknown> => {
    const tf: unknown = load('@tensorflow/tfjs');
    load(`@tensorflow/tfjs-backend-${backend}`);
    return tf;
  };
  const jaxModule = join(PEER_FOLDER, 'node_modules/@jax-js/jax/dist/index.js');
  const jaxJs = (): Promise<unknown> => import(pathToFileURL(jaxModule).href);
  return [
    own('webgpu', (request) => createWebGpuEngine(request)),
    own('webgpu-f16', (request) => createWebGpuEngine({ ...request, weightStorage: 'f16' })),
    own('webgpu-int8', (request) => createWebGpuEngine({ ...request, weightStorage: 'int8' })),
    tfjs('webgpu', tensorflow('webgpu')),
    jax('webgpu', jaxJs),
    own('onnx-webgpu', (request) => createOnnxEngine(request, 'webgpu')),
    own('onnx-wasm', (request) => createOnnxEngine(request, 'wasm')),
    tfjs('wasm', tensorflow('wasm')),
    jax('wasm', jaxJs),
    torch(),
  ];
}

interface Runner {
  readonly contender: Contender;
  readonly open: OpenContender;
  readonly firstMs: number;
  readonly error: number;
  readonly times: number[];
  /** Milliseconds of processor time, all threads together. */
  readonly cpuTimes: number[];
}

interface Row {
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
}

/** jax-js and TensorFlow.js keep their device for all cases. */
const ownerOf = ({ id }: Contender, benchCase: BenchCase): string =>
  id.startsWith('webgpu') ? `${id} ${benchCase.name}` : id;

async function run(benchCase: BenchCase, all: readonly Contender[], turns: number): Promise<Row[]> {
  const reference = await (await own('reference', (r) => createOnnxEngine(r, 'wasm')).open(benchCase)).step();
  const runners: Runner[] = [];
  for (const contender of all) {
    try {
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
    for (const { contender, open, times, cpuTimes } of runners) {
      if (times.reduce((sum, ms) => sum + ms, 0) > 1000 * MAX_SECONDS_EACH) continue;
      if (turn === 0) forgetPeak(ownerOf(contender, benchCase));
      const [before, cpuBefore] = [performance.now(), process.cpuUsage()];
      const { cpuSeconds } = await open.step();
      times.push(performance.now() - before);
      const { user, system } = process.cpuUsage(cpuBefore);
      cpuTimes.push(cpuSeconds === undefined ? (user + system) / 1000 : 1000 * cpuSeconds);
    }
  const rows = runners.map(({ contender, firstMs, error, times, cpuTimes }) => ({
    case: benchCase.name,
    contender: contender.id,
    firstMs,
    medianMs: median(times),
    cpuMs: median(cpuTimes),
    turns: times.length,
    error,
    peakGpuMiB: contender.id.includes('webgpu') ? peakGpuBytes(ownerOf(contender, benchCase)) / 2 ** 20 : null,
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
    if (!(error <= toleranceOf(contender.id))) throw new Error(`its result is off by ${error.toExponential(1)}`);
    return { contender, open, firstMs, error, times: [], cpuTimes: [] };
  });
}

function note(line: string): void {
  if (!options.json) process.stderr.write(`${line}\n`);
}

function print(rows: readonly Row[]): void {
  const base = rows.find(({ contender }) => contender === 'webgpu');
  const lines = rows.map((row) => [
    row.case,
    row.contender,
    row.medianMs.toFixed(0),
    base === undefined ? '' : (row.medianMs / base.medianMs).toFixed(2),
    row.cpuMs.toFixed(0),
    base === undefined ? '' : (row.cpuMs / base.cpuMs).toFixed(2),
    (row.firstMs / 1000).toFixed(1),
    row.peakGpuMiB === null ? '' : row.peakGpuMiB.toFixed(1),
    row.error.toExponential(1),
    String(row.turns),
  ]);
  const header = [
    'case',
    'contender',
    'ms',
    'of webgpu',
    'CPU ms',
    'of webgpu',
    'first s',
    'peak GPU MiB',
    'error',
    'turns',
  ];
  for (const line of [header, header.map(() => '---'), ...lines]) process.stdout.write(`| ${line.join(' | ')} |\n`);
}

const webGpu = await installNodeWebGpu();
if (webGpu.absent === null) {
  copySharedWrites();
  countGpuBytes();
  // jax-js looks at a browser's name, which Node 20 does not have.
  if (navigator.userAgent === undefined) Object.defineProperty(navigator, 'userAgent', { value: 'node' });
} else note(webGpu.absent);
const chosen = options.only?.split(',');
const all = contenders(installPeers()).filter(({ id }) => chosen === undefined || chosen.includes(id));
const rows: Row[] = [];
for (const name of options.cases.split(',')) {
  const make = CASES[name as CaseName];
  if (make === undefined) throw new Error(`There is no case "${name}"; there are ${Object.keys(CASES).join(' and ')}.`);
  const found = await run(await make(), all, Number(options.turns));
  rows.push(...found);
  if (!options.json) print(found);
}
if (options.json) process.stdout.write(`${JSON.stringify(rows)}\n`);
process.exit(0);
