import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Network } from '../relay/network.ts';
import { ServerActor } from './actors.ts';
import { ChaosRoom } from './chaos-room.ts';
import { Conductor } from './conductor.ts';
import type { RoomRequest } from './member-request.ts';
import type { Planned } from './schedule.ts';
import type { Run } from './verdict.ts';

export interface RunRequest {
  readonly room: RoomRequest;
  /** Beside the host. */
  readonly devices: number;
  /** Of them so many have a part before a fault strikes. */
  readonly leastDevices: number;
  /** Of the network between them. */
  readonly seed: number;
  readonly planned: readonly Planned[];
  readonly limitSeconds: number;
  /** Whether what members tell their people is logged, too. */
  readonly talk: boolean;
  readonly log: (line: string) => void;
}

/** A whole session with its faults, in processes that are gone afterwards. */
export async function runRoom(request: RunRequest): Promise<Run> {
  const { room: asked, devices, leastDevices, seed, planned, limitSeconds, talk, log } = request;
  const folder = await mkdtemp(join(tmpdir(), 'tabloom-chaos-'));
  const server = new ServerActor();
  await server.start();
  const network = new Network(server.origin, { seed });
  const room = new ChaosRoom(server, network, folder);
  try {
    const conductor = new Conductor(room, { rounds: asked.rounds, planned, leastDevices, limitSeconds, log });
    if (talk)
      room.onSaid(({ member, said }) => {
        if (said?.say === 'notice') log(`    ${member.name}: ${said.sentence}`);
      });
    await room.open(asked);
    for (let i = 0; i < devices; i++) await room.join();
    await room.until('first devices', () => room.devices.length === devices);
    return await conductor.run();
  } finally {
    await room.close();
    await network.close();
    await server.kill();
    await rm(folder, { recursive: true, force: true });
  }
}
