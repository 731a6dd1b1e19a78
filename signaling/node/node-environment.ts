import { randomBytes } from 'node:crypto';
import type { Worker } from 'node:worker_threads';
import * as Comlink from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { WebSocket as NodeSocket } from 'ws';
import { peerOptions } from '../../web/session/links/peer-options.ts';
import type { ControlSocket } from '../../web/session/transport/control-socket.ts';
import { peerOver } from '../../web/session/transport/peer-over.ts';
import { ServerSockets } from '../../web/session/transport/server-sockets.ts';
import { Emitter } from '../../web/session/world/emitter.ts';
import type { SessionEnvironment, WorkerHandle } from '../../web/session/world/environment.ts';
import { messageOf } from '../../web/session/world/with-progress.ts';
import type { DeviceWorkerApi } from '../../worker/api/device-api.ts';
import type { HostWorkerApi } from '../../worker/api/host-api.ts';
import type { EngineChoice } from '../protocol/words/engines.ts';
import { RunLogFile } from './run-log-file.ts';
import { startThread } from './start-thread.ts';
import { installWebRtc } from './webrtc.ts';
import { writeWhole } from './whole-file.ts';

export interface HeadlessEnvironment extends SessionEnvironment {
  /** Tells the sessions of this process that it is about to end. */
  leave(): void;
}

/** The real world for sessions in a Node process: wrtc under PeerJS, worker threads. `origin` is the server's address. */
export async function headlessEnvironment(
  origin: string,
  options: {
    readonly memoryLimitBytes: number;
    /** Where a host's checkpoint goes, and its key as `FILE.key`; nowhere without. */
    readonly checkpointFile?: string;
    /** Where a host's log goes, line by line; nowhere without. */
    readonly logFile?: string;
    /** Where models of a hub are kept; nowhere without. */
    readonly cacheFolder?: string | null;
    /** Read models from any address and file that the session names: where it is this process's own, or its person says so. */
    readonly allowPrivate?: boolean;
    /** Links go through the session's TURN servers alone. */
    readonly relayOnly?: boolean;
    readonly engine?: EngineChoice;
  },
): Promise<HeadlessEnvironment> {
  const Peer = await installWebRtc();
  const config: unknown = await (await fetch(`${origin}/config.json`)).json();
  if (typeof config !== 'object' || config === null || !('hubPath' in config))
    throw new Error('The server did not answer with its configuration. Is this the address of a Tabloom server?');
  const sockets = new ServerSockets(origin, (address) => new NodeSocket(address));
  const openSocket = (address: string): ControlSocket => sockets.open(address);
  const leaving = new Emitter<void>();
  const {
    checkpointFile,
    logFile,
    memoryLimitBytes,
    cacheFolder = null,
    allowPrivate = false,
    relayOnly = false,
    engine,
  } = options;
  const guardedBy = allowPrivate ? null : origin;
  const start = <Api>(entry: URL, isGuarded = true) =>
    handle<Api>(startThread(entry, { cacheFolder, guardedBy: isGuarded ? guardedBy : null, memoryLimitBytes }));
  return {
    kind: 'headless',
    origin,
    openSocket,
    createPeer: (introduction) =>
      peerOver(openSocket, () => new Peer(introduction.id, peerOptions(origin, introduction, relayOnly))),
    startDeviceWorker: () =>
      start<DeviceWorkerApi>(new URL('../../worker/node/device-worker-node.ts', import.meta.url)),
    startHostWorker: (inherited = false) =>
      start<HostWorkerApi>(new URL('../../worker/node/host-worker-node.ts', import.meta.url), inherited),
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
    memoryLimitBytes,
    ...(engine && { engine }),
    nowMs: () => Date.now(),
    seats: null,
    keep:
      checkpointFile === undefined
        ? null
        : async (host, { key }, note) => {
            const bytes = await host.checkpoint(note);
            // Whatever breaks off in between, the checkpoint that is there has its key.
            await writeKept(keyFileOf(checkpointFile), new TextEncoder().encode(key));
            await writeKept(checkpointFile, bytes);
          },
    runLog: logFile === undefined ? null : new RunLogFile(logFile),
    // A process has no background tab to be in.
    onHidden: () => () => undefined,
    onLeaving: leaving.on,
    leave: () => leaving.emit(),
  };
}

/** Whoever has this file and the checkpoint beside it is the session's host. */
export const keyFileOf = (checkpointFile: string): string => `${checkpointFile}.key`;

async function writeKept(path: string, bytes: Uint8Array): Promise<void> {
  await writeWhole(path, bytes).catch((error: unknown) => {
    throw new Error(`The checkpoint could not be written (${messageOf(error)}).`);
  });
}

function handle<Api>(worker: Worker): WorkerHandle<Api> {
  const endpoint = nodeEndpoint(worker);
  // Comlink's Remote adds promises to methods that all return promises already.
  return { api: Comlink.wrap<Api>(endpoint) as unknown as Api, terminate: () => void worker.terminate() };
}
