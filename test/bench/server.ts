import { type ChildProcess, fork, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { prepare, Workerd } from '../homes/workerd.ts';
import { BenchDevice, noCounts } from './server/device.ts';
import type { FleetOrder, FleetReport } from './server/fleet.ts';

/**
 * One server under everything that rooms in training say, and an empty one beside it on the same machine at the same time.
 *
 * The clients run in processes of their own; how much of the processors they take is printed, since on a small machine they are most of
 * the load. Round trips (a ping, its pong) are measured by this process, which does nothing else, over connections that sit in a room of
 * the loaded server and of the empty one, in turn. Memory is the server's resident set as the system tells it (Linux). With `--home objects`
 * rooms are Durable Objects on Cloudflare's engine.
 */
const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    devices: { type: 'string' },
    rooms: { type: 'string' },
    seconds: { type: 'string' },
    rounds: { type: 'string', default: '1' },
    comings: { type: 'string' },
    processes: { type: 'string', default: '2' },
    home: { type: 'string', default: 'node' },
    json: { type: 'boolean', default: false },
  },
});
const devices = Number(values.devices ?? (values.quick ? 500 : 5000));
const rooms = Number(values.rooms ?? (values.quick ? 20 : 200));
const seconds = Number(values.seconds ?? (values.quick ? 20 : 600));
const comings = Number(values.comings ?? devices / 250);
const processes = Number(values.processes);
const roundsPerSecond = Number(values.rounds);

const PROBES = 8;
const PROBE_EVERY_MS = 25;
const MOST_IN_ROOM = 64 - PROBES;
if (devices / rooms > MOST_IN_ROOM)
  throw new Error(`Rooms of more than ${MOST_IN_ROOM} devices have no place for the probes; open more rooms.`);
/** What the defaults would not let one address do. */
const LIMITS = [
  'rooms-of-address=100000',
  'connections-of-address=100000',
  'openings-of-address=100000',
  'messages-of-address=1000000',
];

interface Server {
  readonly pid: number;
  readonly port: number;
  close(): unknown;
}

/** The same limits, in the words of a deployment. */
async function startObjects(storage: string): Promise<Server> {
  const many = { perSecond: 1e6, burst: 1e6 };
  const limits = {
    roomsOfAddress: 1e5,
    connectionsOfAddress: 1e5,
    openingsOfAddress: many,
    messagesOfAddress: many,
  };
  const words = { SECRET: 'a secret that nobody has to keep', LIMITS: JSON.stringify(limits) };
  return Workerd.start({ words, storage, log: () => undefined });
}

async function startServer(folder: string): Promise<Server> {
  const program = fileURLToPath(new URL('../../signaling/tabloom.ts', import.meta.url));
  const limits = LIMITS.flatMap((limit) => ['--limit', limit]);
  const child = spawn(process.execPath, ['--import', 'tsx', program, 'serve', '--port', '0', ...limits], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, XDG_STATE_HOME: folder },
  });
  const port = await new Promise<number>((resolve, reject) => {
    let said = '';
    child.stdout.on('data', (data: Buffer) => {
      said += data.toString();
      const match = /open at\s+http:\/\/\S+:(\d+)/.exec(said);
      if (match !== null) resolve(Number(match[1]));
    });
    child.once('exit', () => reject(new Error(`The server ended: ${said}`)));
  });
  return { pid: child.pid ?? 0, port, close: () => child.kill() };
}

async function statusOf({ pid }: Server): Promise<{ bytes: number; cpuMs: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const stat = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1].split(' ');
  // In ticks of a hundredth of a second.
  return {
    bytes: 1024 * Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]),
    cpuMs: 10 * (Number(stat[11]) + Number(stat[12])),
  };
}

function startFleet(order: FleetOrder): { readonly child: ChildProcess; readonly ready: Promise<FleetReport> } {
  const child = fork(fileURLToPath(new URL('server/fleet.ts', import.meta.url)), { execArgv: ['--import', 'tsx'] });
  const ready = new Promise<FleetReport>((resolve, reject) => {
    child.once('message', (report: FleetReport) => resolve(report));
    child.once('exit', () => reject(new Error('A process of devices ended.')));
  });
  child.send(order);
  return { child, ready };
}

const reportOf = (child: ChildProcess): Promise<FleetReport> =>
  new Promise((resolve) => {
    child.once('message', (report: FleetReport) => resolve(report));
    child.send('counts');
  });

function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}

const summary = (times: readonly number[]) => {
  const sorted = [...times].sort((a, b) => a - b);
  return {
    count: sorted.length,
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
    maxMs: sorted.at(-1) ?? Number.NaN,
  };
};

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const line = (text: string): void => void process.stderr.write(`${text}\n`);
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

const folder = await mkdtemp(join(tmpdir(), 'tabloom-bench-'));
const isObjects = values.home === 'objects';
if (isObjects) await prepare();
const start = isObjects ? startObjects : startServer;
const [loaded, empty] = [await start(join(folder, 'a')), await start(join(folder, 'b'))];
const atStart = await statusOf(loaded);
const rampMs = performance.now();
const fleets = Array.from({ length: processes }, (_, i) =>
  startFleet({
    port: loaded.port,
    name: `fleet${i}`,
    rooms: Math.round((rooms * (i + 1)) / processes) - Math.round((rooms * i) / processes),
    devicesPerRoom: Math.round(devices / rooms),
    roundsPerSecond,
    comingsPerSecond: comings / processes,
  }),
);
const ready = await Promise.all(fleets.map((fleet) => fleet.ready));
line(`${devices} devices in ${rooms} rooms are in after ${((performance.now() - rampMs) / 1000).toFixed(0)} s.`);

const probeCounts = noCounts();
const host = new BenchDevice(empty.port, 'emptyempty', null, probeCounts);
const emptyRoom = await host.entered;
const probes = await Promise.all(
  Array.from({ length: PROBES }, async (_, i) => {
    const inLoaded = new BenchDevice(loaded.port, `probeloaded${i}`, ready[i % ready.length].room, probeCounts);
    const inEmpty = new BenchDevice(empty.port, `probeempty${i}`, emptyRoom, probeCounts);
    await Promise.all([inLoaded.entered, inEmpty.entered]);
    return { inLoaded, inEmpty };
  }),
);
await wait(3000);

const before = {
  server: await statusOf(loaded),
  fleets: await Promise.all(fleets.map(({ child }) => reportOf(child))),
};
const times = { loaded: [] as number[], empty: [] as number[] };
const memory: number[] = [before.server.bytes];
const startMs = performance.now();
let sampledMs = startMs;
for (let i = 0; performance.now() - startMs < 1000 * seconds; i++) {
  const { inLoaded, inEmpty } = probes[i % probes.length];
  times.loaded.push(await inLoaded.roundTrip());
  times.empty.push(await inEmpty.roundTrip());
  if (performance.now() - sampledMs > (1000 * seconds) / 10) {
    sampledMs = performance.now();
    memory.push((await statusOf(loaded)).bytes);
  }
  await wait(PROBE_EVERY_MS);
}
const elapsedSeconds = (performance.now() - startMs) / 1000;
const after = { server: await statusOf(loaded), fleets: await Promise.all(fleets.map(({ child }) => reportOf(child))) };
memory.push(after.server.bytes);

const sum = (reports: readonly FleetReport[], what: (report: FleetReport) => number): number =>
  reports.reduce((total, report) => total + what(report), 0);
const grown = (what: (report: FleetReport) => number): number => sum(after.fleets, what) - sum(before.fleets, what);
const result = {
  devices,
  rooms,
  seconds: elapsedSeconds,
  roundsPerSecond,
  comingsPerSecond: comings,
  loaded: summary(times.loaded),
  empty: summary(times.empty),
  serverBytesAtStart: atStart.bytes,
  serverBytes: memory,
  bytesPerDevice: (Math.max(...memory) - atStart.bytes) / devices,
  sentBytesPerSecond: grown(({ counts }) => counts.bytes) / elapsedSeconds,
  messagesPerSecond: grown(({ counts }) => counts.messages) / elapsedSeconds,
  lost: sum(after.fleets, ({ counts }) => counts.lost),
  refused: sum(after.fleets, ({ counts }) => counts.refused),
  serverProcessorShare: (after.server.cpuMs - before.server.cpuMs) / (1000 * elapsedSeconds),
  clientsProcessorShare: grown(({ cpuMs }) => cpuMs) / (1000 * elapsedSeconds),
};

if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
else {
  const row = ({ p50Ms, p99Ms, maxMs, count }: ReturnType<typeof summary>): string =>
    `p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, longest ${maxMs.toFixed(1)} ms (${count} round trips)`;
  process.stdout.write(
    `${[
      `${devices} devices in ${rooms} rooms, ${elapsedSeconds.toFixed(0)} s, ${roundsPerSecond} rounds a second in each room, ${comings} devices come and go a second`,
      `  this server    ${row(result.loaded)}`,
      `  an empty one   ${row(result.empty)}`,
      `  memory         ${memory.map(megabytes).join(', ')} (${megabytes(atStart.bytes)} before anybody came): ${(result.bytesPerDevice / 1000).toFixed(1)} KB a device`,
      `  sent           ${megabytes(result.sentBytesPerSecond)} and ${result.messagesPerSecond.toFixed(0)} messages a second`,
      `  connections    ${result.lost} lost, ${result.refused} messages refused`,
      `  processors     server ${result.serverProcessorShare.toFixed(2)}, clients ${result.clientsProcessorShare.toFixed(2)} (1 is one core)`,
    ].join('\n')}\n`,
  );
}
for (const { child } of fleets) child.kill();
for (const server of [loaded, empty]) await server.close();
await rm(folder, { recursive: true, force: true });
process.exit();
