/**
 * What a round takes beside what its plan predicted and its lower bound, and how long each device has nothing to do:
 *
 *   npm run bench:rounds -- [--model mini|base] [--devices 2] [--rounds 40] [--task grammar|sst2 --hub FOLDER] [--policy auto] [--each] [--json]
 *
 * `base` is a model of roberta-base's size with random weights, made when it is first needed.
 *
 * The host is this process; every other device is a process of its own over WebRTC, as `tabloom join` starts it. Where `taskset` is there,
 * each has a core to itself, the host the first. The first rounds, in which code is compiled, do not count. A device is idle while it computes
 * nothing: from its order's start to the round's end less its compute seconds, as it reports them. What is on the critical path is told
 * in the mean over the rounds: compute and upload of the device that was done last, and what is left of the round (drawing, merging,
 * stepping, messages). More devices than cores share them, and state so. Memory is what each process has over one that joined nothing (Node, the program,
 * WebRTC and ONNX Runtime: `rounds/idle-device.ts`), beside what its profile states for the work that the plan gives it. The host's process holds the
 * server, the task and the optimiser besides.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { headlessEnvironment } from '../../signaling/node/node-environment.ts';
import { memoryBytes } from '../../signaling/protocol/cost-model.ts';
import { median } from '../../signaling/protocol/median.ts';
import type { RoomPlan } from '../../signaling/protocol/plan.ts';
import type { RoundReport } from '../../signaling/protocol/room-view.ts';
import { POLICIES } from '../../signaling/protocol/settings.ts';
import { bytesText } from '../../signaling/protocol/words/quantities.ts';
import { recipeFor } from '../../signaling/protocol/words/recipes.ts';
import { localModelId } from '../../signaling/server/page.ts';
import { startServer } from '../../signaling/server/server.ts';
import { OwnSession } from '../../web/session/own-session.ts';
import type { SessionView } from '../../web/session/view/view.ts';
import { processorShare } from '../../web/session/world/processor-share.ts';
import { residentBytes } from './room-of-tabs/renderer.ts';
import { randomModelFolder } from './split/random-folder.ts';

const GATHER_MS = 120_000;
const MEMORY_LIMIT_BYTES = 2e9;
const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'mini' },
    folder: { type: 'string', default: join(tmpdir(), 'tabloom-random-models') },
    devices: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '40' },
    task: { type: 'string', default: 'grammar' },
    hub: { type: 'string', default: '../shared/hub' },
    policy: { type: 'string', default: 'auto' },
    /** Every round in a line: seconds down, of computing, up. */
    each: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const isBase = values.model === 'base';
/** In which code is compiled. */
const WARM_UP_ROUNDS = isBase ? 1 : 5;
const beganMs = performance.now();
const devices = Number(values.devices);
const rounds = Number(values.rounds) + WARM_UP_ROUNDS;
const policy = POLICIES.find((one) => one === values.policy) ?? 'auto';
const project = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

const canPin = ((): boolean => {
  try {
    execFileSync('taskset', ['-a', '-c', '-p', '0', String(process.pid)], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

const folder = isBase ? await randomModelFolder('base', values.folder) : null;
const share = processorShare(
  Array.from({ length: devices }, () => 1),
  cpus().length,
);
const server = await startServer({
  port: 0,
  host: '127.0.0.1',
  pageFolder: null,
  modelsFolder: project('models'),
  hubFolder: null,
  modelFolder: folder,
  iceServers: [],
  log: () => undefined,
});
const origin = `http://127.0.0.1:${server.port}`;
const recipe = recipeFor(values.task, isBase ? 'base' : 'mini');
const session = new OwnSession(
  await headlessEnvironment(origin, { memoryLimitBytes: MEMORY_LIMIT_BYTES, allowPrivate: true }),
  {
    model:
      folder === null
        ? { kind: 'embedded', id: 'roberta-mini' }
        : { kind: 'hub', id: localModelId(folder), endpoint: `${origin}/hub`, revision: 'main' },
    weights: 'f32',
    task: { id: values.task, endpoint: pathToFileURL(resolve(values.hub)).href },
    lora: recipe.lora,
    training: { ...recipe.training, rounds, evaluateEvery: 0, seed: 1 },
    origin,
  },
  { name: 'host', policy, slowdown: 1, patience: 0 },
);
if (share > 1) void session.pretend({ slowdown: 1, share, memoryLimitBytes: MEMORY_LIMIT_BYTES });

function until(satisfied: (view: SessionView) => boolean): Promise<SessionView> {
  return new Promise((done, reject) => {
    const timer = setTimeout(() => reject(new Error('Devices did not come in time.')), GATHER_MS + 20_000 * rounds);
    const off = session.subscribe(look);
    look(session.view);
    function look(view: SessionView): void {
      if (view.ended !== null) reject(new Error(view.ended));
      if (!satisfied(view)) return;
      clearTimeout(timer);
      off();
      done(view);
    }
  });
}

/** What a process has that joined nothing. */
const idleBytes = await new Promise<number | null>((done) => {
  const args = ['--import', 'tsx', project('test/bench/rounds/idle-device.ts'), origin];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout?.once('data', () => {
    done(child.pid === undefined ? null : residentBytes(child.pid));
    child.kill('SIGKILL');
  });
  child.once('exit', () => done(null));
});

const children: ChildProcess[] = [];
const plans = new Map<number, RoomPlan>();
const ready = (count: number) =>
  until(({ room }) => room?.plan != null && room.devices.filter((d) => d.profile !== null && d.linked).length >= count);
try {
  const { invitation } = await until((view) => view.invitation !== null);
  await ready(1);
  for (let i = 1; i < devices; i++) {
    const own = [
      '--import',
      'tsx',
      project('signaling/tabloom.ts'),
      'join',
      invitation?.link ?? '',
      '--name',
      `d${i}`,
      '--processor-share',
      String(share),
      '--cache',
      'none',
    ];
    const core = String(i % cpus().length);
    const [program, args] = canPin ? ['taskset', ['-c', core, process.execPath, ...own]] : [process.execPath, own];
    children.push(spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] }));
    await ready(i + 1);
  }
  process.stderr.write(`${devices} devices are ready after ${((performance.now() - beganMs) / 1000).toFixed(0)} s\n`);
  session.subscribe((seen) => {
    if (seen.room?.plan != null) plans.set(seen.room.plan.version, seen.room.plan);
  });
  session.start();
  // The score before training is measured beside the first rounds: what is measured is the end of the run. The last score is not waited for.
  const view = await until(({ rounds: done }) => (done.at(-1)?.round ?? 0) >= rounds);
  tell(view);
} finally {
  session.leave();
  await session.closed;
  for (const child of children) child.kill();
  await server.close();
}

function tell({ rounds: all, room }: SessionView): void {
  const plan = room?.plan;
  if (room === null || plan == null) throw new Error('There was no plan at the end.');
  const counted = all.slice(WARM_UP_ROUNDS);
  /** Each round beside the plan that it ran by. */
  const over = (of: (plan: RoomPlan) => number): number =>
    median(
      counted.flatMap(({ planVersion, elapsedSeconds }) => {
        const by = plans.get(planVersion);
        return by === undefined ? [] : [elapsedSeconds / of(by)];
      }),
    );
  const seconds = median(counted.map(({ elapsedSeconds }) => elapsedSeconds));
  const mean = (of: (report: RoundReport) => number) => counted.reduce((sum, one) => sum + of(one), 0) / counted.length;
  const last = (report: RoundReport) =>
    report.devices.reduce((a, b) => (b.computeSeconds + b.uploadSeconds > a.computeSeconds + a.uploadSeconds ? b : a));
  const own = (report: RoundReport, id: string) =>
    report.devices.filter(({ device }) => device === id).reduce((sum, { computeSeconds }) => sum + computeSeconds, 0);
  const told = {
    devices,
    pinned: canPin,
    rounds: counted.length,
    policy: plan.policy,
    roundSeconds: seconds,
    predictedSeconds: plan.latencySeconds,
    overPredicted: over(({ latencySeconds }) => latencySeconds),
    overBound: over(({ lowerBoundSeconds }) => lowerBoundSeconds),
    criticalPath: {
      compute: mean((report) => last(report).computeSeconds),
      upload: mean((report) => last(report).uploadSeconds),
      rest: mean((report) => report.elapsedSeconds - last(report).computeSeconds - last(report).uploadSeconds),
    },
    memory: Object.fromEntries(
      room.devices.map(({ id, name, profile }, i) => {
        const pid = i === 0 ? process.pid : children[i - 1]?.pid;
        const { microBatch = 1 } = plan.assignments.find(({ device }) => device === id) ?? {};
        const statedBytes = profile === null ? null : memoryBytes(profile, microBatch, room.settings.shape.layers);
        return [name, { statedBytes, residentBytes: pid === undefined ? null : residentBytes(pid) }];
      }),
    ),
    idle: Object.fromEntries(
      room.devices.map(({ id, name }) => [name, 1 - mean((report) => own(report, id)) / mean((r) => r.elapsedSeconds)]),
    ),
  };
  const overIdle = (resident: number, stated: number): string =>
    idleBytes === null
      ? ''
      : `, ${bytesText(Math.max(0, resident - idleBytes))} over one that joined nothing (${bytesText(idleBytes)}): ${((resident - idleBytes) / stated).toFixed(2)}`;
  if (values.each)
    for (const { round, planVersion, elapsedSeconds, stepSeconds = 0, devices: seen } of all) {
      const own = seen.map(({ device, samples, downSeconds = 0, computeSeconds, uploadSeconds }) => {
        const name = room.devices.find(({ id }) => id === device)?.name ?? device;
        const parts = [downSeconds, computeSeconds, uploadSeconds].map((part) => part.toFixed(3)).join(' + ');
        return `${name} ${samples} samples ${parts}`;
      });
      const { latencySeconds: predicted = Number.NaN, lowerBoundSeconds: bound = Number.NaN } =
        plans.get(planVersion) ?? {};
      console.log(
        `round ${round}, plan ${planVersion} (${predicted.toFixed(3)} s, bound ${bound.toFixed(3)}): ${elapsedSeconds.toFixed(3)} s, step ${stepSeconds.toFixed(3)}: ${own.join(', ')}`,
      );
    }
  if (values.json) console.log(JSON.stringify(told));
  else {
    const { criticalPath: path, idle } = told;
    const ms = (value: number) => `${(1000 * value).toFixed(0)} ms`;
    console.log(
      `${values.task}, ${devices} devices${canPin ? ', a core each' : ''}, ${told.policy}, ${told.rounds} rounds`,
    );
    console.log(
      `a round ${ms(seconds)}: ${told.overPredicted.toFixed(2)} of the prediction, ${told.overBound.toFixed(2)} of the lower bound`,
    );
    console.log(`critical path: compute ${ms(path.compute)}, upload ${ms(path.upload)}, the rest ${ms(path.rest)}`);
    for (const [name, share] of Object.entries(idle)) console.log(`${name} idle ${(100 * share).toFixed(0)} %`);
    for (const [name, { statedBytes, residentBytes: resident }] of Object.entries(told.memory))
      if (statedBytes !== null && resident !== null)
        console.log(
          `${name} states ${bytesText(statedBytes)}, its process has ${bytesText(resident)}${overIdle(resident, statedBytes)}`,
        );
  }
}
process.exit(0);
