import { Peer } from 'peerjs';
import { peerOptions } from '../../session/links/peer-options.ts';
import { peerOver } from '../../session/transport/peer-over.ts';
import type { SessionEnvironment } from '../../session/world/environment.ts';
import { PageHome } from '../home/page-home.ts';
import { roomPlanner } from '../home/room-planner.ts';
import type { TabDoor } from '../tab-door.ts';
import { tabEnvironment } from '../tab-environment.ts';
import { startPlanWorker } from '../workers.ts';

/** The world of a session without a server: its room's home is this page, and nobody else comes in. */
export function aloneEnvironment(door: TabDoor): SessionEnvironment {
  const home = new PageHome(roomPlanner(startPlanWorker).ask);
  const openSocket = (url: string) => home.open(url, 'this device');
  return {
    ...tabEnvironment({ ...door, openSocket }),
    createPeer: (introduction) =>
      peerOver(openSocket, () => new Peer(introduction.id, peerOptions(door.origin, introduction))),
  };
}
