import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { dataOf, textOf } from '../../signaling/connection/kept/text.ts';
import { drawsFrom } from '../../signaling/planner/algorithms/random.ts';
import type { RoomPlanAnswer, RoomProblem } from '../../signaling/planner/room-plan.ts';
import { MAX_DEVICES_IN_ROOM } from '../../signaling/protocol/limits.ts';
import type { Policy } from '../../signaling/protocol/settings.ts';
import { prepare, Workerd } from '../homes/workerd.ts';
import { profile } from '../protocol/samples.ts';

/**
 * Whether what `npm run deploy:build` made can be deployed on Cloudflare: `npm run deploy:check`. Sizes against the platform's limits, the
 * processor time of the planner on the largest rooms against its own, and Wrangler's dry run, which reads the configuration. Needs no
 * account; fetches Wrangler from npm's registry.
 */

const project = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const WRANGLER = 'wrangler@4';
const CONFIGURATIONS = ['wrangler.json', 'wrangler.planner.json'];

/** Workers' and assets' limits (developers.cloudflare.com/workers/platform/limits), the free plan's where they differ. */
const MAX_WORKER_BYTES = 3 * 2 ** 20;
const MAX_ASSET_BYTES = 25 * 2 ** 20;
const MAX_ASSETS = 20_000;
/** Of the planner's processor time, what the hardest room found here may take: another machine may be slower. */
const SHARE_OF_LIMIT = 0.25;
/**
 * What is not sent there: the platform packs by itself, and ONNX Runtime with WebGPU, larger than an asset may be, is there to be compared
 * with; no device trains with it.
 */
const SPARED = [
  { pattern: '*.br', is: /\.br$/ },
  { pattern: '*.gz', is: /\.gz$/ },
  { pattern: 'ort-wasm-simd-threaded.asyncify-*.wasm', is: /^ort-wasm-simd-threaded\.asyncify-.*\.wasm$/ },
];

const failures: string[] = [];
const check = (isFine: boolean, what: string): void => {
  process.stdout.write(`${isFine ? '  fine  ' : '  NOT   '}${what}\n`);
  if (!isFine) failures.push(what);
};
const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(2)} MiB`;

function checkSizes(): void {
  for (const name of ['worker', 'planner']) {
    const code = readFileSync(project(`out/cloudflare/${name}.js`));
    const bytes = gzipSync(code).length;
    check(bytes <= MAX_WORKER_BYTES, `${name}.js: ${megabytes(bytes)} packed, of ${megabytes(MAX_WORKER_BYTES)}`);
    check(!/from\s*["']node:/.test(code.toString()), `${name}.js imports nothing that only Node has`);
  }
  writeFileSync(project('dist/.assetsignore'), SPARED.map(({ pattern }) => `${pattern}\n`).join(''));
  const files = readdirSync(project('dist'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !SPARED.some(({ is }) => is.test(entry.name)))
    .map((entry) => join(entry.parentPath, entry.name));
  const sizes = files.map((path) => statSync(path).size);
  const most = Math.max(...sizes);
  check(
    most <= MAX_ASSET_BYTES,
    `the largest of ${files.length} files of the page: ${megabytes(most)}, of ${megabytes(MAX_ASSET_BYTES)}`,
  );
  check(files.length <= MAX_ASSETS, `${files.length} files of the page, of ${MAX_ASSETS}`);
  check(
    files.some((path) => path.endsWith('index.html')),
    'the page is built',
  );
}

/** What a device must know of single layers for a split room. */
const PARTS = {
  fixedSeconds: { embed: 1e-4, forwardPerLayer: 4e-4, backwardPerLayer: 8e-4, head: 2e-4 },
  embeddingBytes: 2e7,
  layerBytes: 4.5e6,
  headBytes: 3e6,
};

/** Rooms as large as there may be, of devices of all paces. */
function room(policy: Policy, layers: number, seed: number): RoomProblem {
  const draw = drawsFrom(seed);
  const samples = 64;
  const devices = Array.from({ length: MAX_DEVICES_IN_ROOM }, (_, i) => {
    const measured = profile(0.5 + 4 * draw.uniform(), 10 ** (6 + 2 * draw.uniform()));
    return {
      id: `device${String(i).padStart(2, '0')}`,
      name: `device ${i}`,
      profile: { ...measured, parts: PARTS },
      holds: null,
    };
  });
  const bits = 5e5;
  const units = Array.from({ length: layers }, () => bits);
  const model = {
    layers,
    samples,
    trainedLayers: layers,
    hiddenBits: 64 * 128 * 32,
    headCutBits: 128 * 32,
    messageBits: 4096,
    layerUploadBits: units,
    headUploadBits: 6e5,
    replayBytesPerSample: 64 * 128 * 4,
  };
  return {
    layers,
    samples,
    layerUploadBits: bits,
    headUploadBits: 6e5,
    devices,
    hostId: 'device00',
    policy,
    seed,
    split: { model, roundsLeft: 1000 },
  };
}

/** Of the whole engine, in ticks of a hundredth of a second: its own clock stands still for a Worker that computes. */
function processorMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return 10 * (Number(stat[11]) + Number(stat[12]));
}

async function checkPlanner(): Promise<void> {
  const { limits } = JSON.parse(readFileSync(project('signaling/cloudflare/wrangler.planner.json'), 'utf8'));
  const limitMs = Number(limits.cpu_ms);
  const engine = await Workerd.start({ words: { SECRET: 'a secret that nobody has to keep' }, log: () => undefined });
  try {
    for (const policy of ['crunch', 'teams', 'auto', 'split'] as const)
      for (const layers of [6, 24]) {
        const beforeMs = processorMs(engine.pid);
        const body = textOf(room(policy, layers, 1));
        const response = await fetch(`http://127.0.0.1:${engine.plannerPort}/`, { method: 'POST', body });
        const answer = dataOf(await response.text()) as RoomPlanAnswer;
        const tookMs = processorMs(engine.pid) - beforeMs;
        const what = answer.feasible ? 'planned' : `no plan (${answer.reason})`;
        check(
          response.ok && tookMs <= SHARE_OF_LIMIT * limitMs,
          `${policy}, ${MAX_DEVICES_IN_ROOM} devices, ${layers} layers: ${what} in ${tookMs} ms of processor, of ${limitMs}`,
        );
      }
  } finally {
    await engine.close();
  }
}

function dryRun(): void {
  for (const configuration of CONFIGURATIONS) {
    const args = [
      '--yes',
      WRANGLER,
      'deploy',
      '--dry-run',
      '--config',
      configuration,
      '--outdir',
      project('out/dry-run'),
    ];
    try {
      const text = execFileSync('npx', args, {
        cwd: project('signaling/cloudflare'),
        env: { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: '1' },
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      check(/--dry-run: exiting now/.test(text), `Wrangler would deploy ${configuration}`);
      process.stdout.write(text.replace(/^(?=.)/gm, '        '));
    } catch (error) {
      check(false, `Wrangler would deploy ${configuration}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

await prepare();
checkSizes();
await checkPlanner();
dryRun();
process.stdout.write(
  failures.length === 0
    ? 'It can be deployed.\n'
    : `It cannot be deployed: ${failures.length} of these are not fine.\n`,
);
process.exitCode = failures.length === 0 ? 0 : 1;
