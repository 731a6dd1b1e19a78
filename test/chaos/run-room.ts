import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import type { BrowserKind } from '../browser/find-browser.ts';
import { DEALT_RUNS } from '../process/dealt-plans.ts';
import { Network } from '../relay/network.ts';
import { ServerActor } from './actors.ts';
import { ChaosRoom } from './chaos-room.ts';
import { Conductor } from './conductor.ts';
import type { RoomRequest } from './member-request.ts';
import type { Planned } from './schedule.ts';
import type { Run } from './verdict.ts';

const STAGES = DEALT_RUNS.length;

export interface RunRequest {
  readonly room: RoomRequest;
  /** Beside the host. */
  readonly devices: number;
  /** And a tab in each of these. */
  readonly browsers: readonly BrowserKind[];
  /** Of them so many have a part before a fault strikes. */
  readonly leastDevices: number;
  /** Of the network between them. */
  readonly seed: number;
  readonly planned: readonly Planned[];
  /** The most that training may take on each. */
  readonly memoryBytes: number;
  readonly limitSeconds: number;
  /** Whether what members tell their people is logged, too. */
  readonly talk: boolean;
  readonly log: (line: string) => void;
}

/** A whole session with its faults, in processes that are gone afterwards. */
export async function runRoom(request: RunRequest): Promise<Run> {
  const { room: asked, devices, browsers, leastDevices, seed, planned, memoryBytes, limitSeconds, talk, log } = request;
  const folder = await mkdtemp(join(tmpdir(), 'tabloom-chaos-'));
  const page = join(folder, 'page');
  if (browsers.length > 0) await buildPage(page);
  const server = new ServerActor(browsers.length > 0 ? page : '');
  await server.start();
  const network = new Network(server.origin, { seed });
  const room = new ChaosRoom(server, network, folder, memoryBytes);
  try {
    const conductor = new Conductor(room, { rounds: asked.rounds, planned, leastDevices, limitSeconds, log });
    if (talk)
      room.onSaid(({ member, said }) => {
        if (said?.say === 'notice') log(`    ${member.name}: ${said.sentence}`);
      });
    await room.open(asked);
    for (let i = 0; i < devices; i++) await room.join();
    for (const browser of browsers) await room.join(browser);
    // Of a split room three have a part in the plan, and the others stand by.
    const first = asked.policy === 'split' ? STAGES - 1 : devices + browsers.length;
    await room.until('first devices', () => room.isPlanned && room.devices.length >= first);
    return await conductor.run();
  } finally {
    await room.close();
    await network.close();
    await server.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

async function buildPage(outDir: string): Promise<void> {
  const project = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
  const [configFile, root] = [project('vite.config.ts'), project('test/chaos/tab-page')];
  await build({ configFile, root, base: './', logLevel: 'error', build: { outDir, emptyOutDir: true } });
}
