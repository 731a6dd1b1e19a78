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
import { randomModelFolder, SIZES } from './split/random-folder.ts';
import { stageLines } from './split/stage-lines.ts';

/**
 * A model of roberta-base's or roberta-large's size, with random weights, split over processes of which none may take more than so much
 * memory: what each stage was predicted to take and took, and how much memory its process had more than an idle one.
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

/** Resident megabytes of a process, now and at most; null where the system does not say. */
function resident(pid: number | 'self'): { readonly now: number; readonly most: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/status`, 'utf8');
    const read = (field: string): number => Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(text)?.[1] ?? 0) / 1000;
    return { now: read('VmRSS'), most: read('VmHWM') };
  } catch {
    return null;
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

/** By device: resident megabytes when it had measured itself and fetched nothing yet, and the most since. */
const memory = new Map<string, { idle: number; most: number }>();
function lookAtMemory(isIdle: (name: string) => boolean): void {
  for (const [pid, told] of descendants()) {
    const name = told === 'host' ? 'host' : / --name (device \d+) /.exec(told)?.[1];
    const found = name === undefined ? null : resident(pid);
    if (name === undefined || found === null) continue;
    const known = memory.get(name) ?? { idle: 0, most: 0 };
    // Of a device's processes the one that does the work is by far the largest.
    if (isIdle(name)) known.idle = Math.max(known.idle, found.now);
    known.most = Math.max(known.most, found.most);
    memory.set(name, known);
  }
}

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
  onLink: () => undefined,
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
const ticker = setInterval(() => {
  const devices = (last as SessionView | null)?.room?.devices ?? [];
  lookAtMemory((name) => devices.find((device) => device.name === name)?.status.kind === 'measured');
}, 1000);
try {
  const result = await runSession(demo);
  for (const [name, { idle, most }] of [...memory].sort())
    say(
      `${name}: ${idle.toFixed(0)} MB resident when measured, before it fetched anything; ${most.toFixed(0)} MB at most`,
    );
  for (const { round, loss, elapsedSeconds } of result.rounds)
    say(`round ${round}: loss ${loss.toFixed(4)}, ${elapsedSeconds.toFixed(1)} s`);
  const holds = (last as SessionView | null)?.room?.devices.map(
    ({ name, holds }) => `${name} ${holds?.from}-${holds?.to}`,
  );
  say(`held: ${holds?.join(', ')}`);
} finally {
  clearInterval(ticker);
  await server.close();
}
