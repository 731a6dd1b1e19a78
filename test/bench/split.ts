import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type DemoSession, runSession } from '../../signaling/cli/demo/demo-session.ts';
import { PLAIN_TRAINING, WEIGHT_STORAGES, type WeightStorage } from '../../signaling/protocol/settings.ts';
import { bytesText } from '../../signaling/protocol/words/quantities.ts';
import { localModelId } from '../../signaling/server/page.ts';
import { startServer } from '../../signaling/server/server.ts';
import type { SessionView } from '../../web/session/view/view.ts';
import { allocated, countingOptions } from './split/allocations.ts';
import { randomModelFolder, SIZES } from './split/random-folder.ts';
import { stageLines } from './split/stage-lines.ts';

/**
 * A model of roberta-base's or roberta-large's size, with random weights, split over processes of which none may take more than so much
 * memory: what each stage was predicted to take and took; how much the engine's thread allocated, counted from outside
 * (`split/count-allocations.mjs`); and how much memory its process had more than an idle device's, one that has joined and done nothing.
 *
 *     npx tsx test/bench/split.ts --size large --weights f16 --devices 4 --memory 300 --rounds 2
 */
const { values } = parseArgs({
  options: {
    size: { type: 'string', default: 'large' },
    weights: { type: 'string', default: 'f16' },
    devices: { type: 'string', default: '4' },
    /** Megabytes, of each. */
    memory: { type: 'string', default: '300' },
    rounds: { type: 'string', default: '2' },
    samples: { type: 'string', default: '8' },
    tokens: { type: 'string', default: '32' },
    folder: { type: 'string', default: join(tmpdir(), 'tabloom-random-models') },
  },
});
const size = Object.keys(SIZES).find((one): one is keyof typeof SIZES => one === values.size);
const weights: WeightStorage | undefined = WEIGHT_STORAGES.find((one) => one === values.weights);
if (size === undefined || weights === undefined) throw new Error('There is no such size or storage.');
const memoryBytes = Number(values.memory) * 1e6;
const folder = await randomModelFolder(size, values.folder);
const words = ['plot', 'cast', 'score', 'ending', 'pace', 'script', 'light', 'cut'];
const table = (name: string, rows: number) => ({
  name,
  bytes: new TextEncoder().encode(
    `text,label\n${Array.from({ length: rows }, (_, i) => `the ${words[i % 8]} of film ${i} is ${i % 2 ? 'good' : 'bad'} and it is long\\,${i % 2}`.replace('\\', '')).join('\n')}\n`,
  ),
});

/** The most megabytes of a process that were resident; 0 where the system does not say. */
function mostResident(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1000;
  } catch {
    return 0;
  }
}

/** The processes that this one and its own have started, with what they were told. */
function descendants(): ReadonlyMap<number, string> {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((one) => /^\d+$/.test(one)))
    try {
      const parent = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[1];
      parents.set(Number(name), Number(parent));
    } catch {
      // It has ended meanwhile.
    }
  const own = new Set([process.pid]);
  for (let size = 0; size < own.size; ) {
    size = own.size;
    for (const [pid, parent] of parents) if (own.has(parent)) own.add(pid);
  }
  const told = (pid: number): string => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    } catch {
      return '';
    }
  };
  return new Map([...own].map((pid) => [pid, pid === process.pid ? 'host' : told(pid)]));
}

/** By device: the most resident megabytes so far. */
const resident = new Map<string, number>();
function lookAtMemory(): void {
  for (const [pid, told] of descendants()) {
    const name = told === 'host' ? 'host' : / --name (device \d+|idle) /.exec(told)?.[1];
    // Of a device's processes the one that does the work is by far the largest.
    if (name !== undefined) resident.set(name, Math.max(resident.get(name) ?? 0, mostResident(pid)));
  }
}

/** A device that has joined and only looks on: what a process takes before it measures, fetches or holds anything. */
function startIdle(link: string): ChildProcess {
  const program = fileURLToPath(new URL('../../signaling/tabloom.mjs', import.meta.url));
  return spawn(process.execPath, [program, 'join', link, '--name', 'idle', '--watch'], { stdio: 'ignore' });
}

/** Before any process is started: each of them, and each of its threads, counts. */
const counts = mkdtempSync(join(tmpdir(), 'tabloom-split-counts-'));
Object.assign(process.env, countingOptions(counts));
// This process is the host, and was started before.
await import(`${new URL('./split/count-allocations.mjs', import.meta.url)}`);

const server = await startServer({
  port: 0,
  host: '127.0.0.1',
  pageFolder: null,
  modelsFolder: fileURLToPath(new URL('../../models', import.meta.url)),
  hubFolder: null,
  modelFolder: folder,
  iceServers: [],
  log: () => undefined,
});
const origin = `http://127.0.0.1:${server.port}`;
let shown = 0;
const idle: { process: ChildProcess | null } = { process: null };
let last: SessionView | null = null;
const lines: string[] = [];
const say = (line: string): void => {
  lines.push(line);
  process.stdout.write(`${line}\n`);
};
const demo: DemoSession = {
  origin,
  session: {
    kind: 'fresh',
    policy: 'split',
    patience: 0,
    request: {
      model: { kind: 'hub', id: localModelId(folder), endpoint: `${origin}/hub`, revision: 'main' },
      weights,
      task: {
        id: 'own',
        endpoint: '',
        own: {
          title: 'Films',
          train: table('train.csv', 64),
          dev: table('dev.csv', 8),
          columns: { text: 'text', pair: null, label: 'label' },
          kind: 'classification',
        },
      },
      lora: { rank: 8, alpha: 16, targets: ['query', 'value'] },
      training: {
        ...PLAIN_TRAINING,
        rounds: Number(values.rounds),
        samplesPerRound: Number(values.samples),
        maxTokens: Number(values.tokens),
        learningRate: 1e-4,
        weightDecay: 0.01,
        warmupFraction: 0,
        dropout: 0.1,
        evaluateEvery: 0,
        seed: 1,
      },
      origin,
    },
  },
  devices: Array.from({ length: Number(values.devices) - 1 }, (_, i) => ({
    name: `device ${i + 2}`,
    slowdown: 1,
    memoryBytes,
  })),
  memoryBytes,
  exports: null,
  cacheFolder: mkdtempSync(join(tmpdir(), 'tabloom-split-cache-')),
  checkpointFile: null,
  logFile: null,
  door: { door: 'link', cap: null, admitAll: true },
  onDoor: () => undefined,
  onLink: (link) => {
    idle.process = startIdle(link);
  },
  onView: (view) => {
    last = view;
    const { passes, room } = view;
    if (passes === null || room?.plan == null || passes.round <= shown) return;
    shown = passes.round;
    for (const line of stageLines(room, passes, view.rounds)) say(line);
  },
  signal: new AbortController().signal,
};
say(`${size} with random weights in ${weights}, ${values.devices} processes of ${bytesText(memoryBytes)} each`);
const ticker = setInterval(lookAtMemory, 1000);
try {
  const result = await runSession(demo);
  lookAtMemory();
  const idleMb = resident.get('idle') ?? 0;
  say(`idle, joined and looking on: ${idleMb.toFixed(0)} MB resident`);
  for (const [name, { wasm, buffers }] of [...allocated(counts)].sort())
    if (name !== 'idle')
      say(
        `${name}: its engine's thread allocated ${((wasm + buffers) / 1e6).toFixed(0)} MB at most, ${(wasm / 1e6).toFixed(0)} of them WebAssembly memory, which never shrinks, the others buffers; ${((resident.get(name) ?? 0) - idleMb).toFixed(0)} MB more resident than an idle device`,
      );
  for (const { round, loss, elapsedSeconds } of result.rounds)
    say(`round ${round}: loss ${loss.toFixed(4)}, ${elapsedSeconds.toFixed(1)} s`);
  const holds = (last as SessionView | null)?.room?.devices.map(
    ({ name, holds }) => `${name} ${holds?.from}-${holds?.to}`,
  );
  say(`held: ${holds?.join(', ')}`);
} finally {
  clearInterval(ticker);
  idle.process?.kill();
  await server.close();
}
