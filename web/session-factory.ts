import * as Comlink from 'comlink';
import { Peer } from 'peerjs';
import type { DeviceWorkerApi, HostWorkerApi } from '../worker/rpc.ts';
import type { SessionEnvironment, WorkerHandle } from './session/environment.ts';
import { OwnSession } from './session/host-session.ts';
import { JoinSession } from './session/join-session.ts';
import type { SessionFactory } from './session/view.ts';

/** What a tab may give to training; phones reload tabs that take much more, without a word. */
const TAB_MEMORY_BYTES = 1.5e9;

/** The real world for sessions in a browser tab. `origin` is the server that the page came from. */
export async function createSessionFactory(origin: string): Promise<SessionFactory> {
  const iceServers = await readIceServers(origin);
  const url = new URL(origin);
  const environment: SessionEnvironment = {
    kind: 'tab',
    origin,
    openSocket: (address) => new WebSocket(address),
    createPeer: (id) =>
      new Peer(id, {
        host: url.hostname,
        port: Number(url.port || (url.protocol === 'https:' ? 443 : 80)),
        path: '/peer',
        secure: url.protocol === 'https:',
        // PeerJS's own defaults are a public broker, STUN and TURN servers.
        config: { iceServers },
        debug: 0,
      }),
    startDeviceWorker: () =>
      handle<DeviceWorkerApi>(new Worker(new URL('../worker/device-worker.ts', import.meta.url), { type: 'module' })),
    startHostWorker: () =>
      handle<HostWorkerApi>(new Worker(new URL('../worker/host-worker.ts', import.meta.url), { type: 'module' })),
    randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
    memoryLimitBytes: TAB_MEMORY_BYTES,
    onHidden: (listener) => listenTo(document, 'visibilitychange', () => listener(document.hidden)),
    onLeaving: (listener) => listenTo(window, 'pagehide', () => listener()),
  };
  /** For questions that need no session. */
  const ask = async <Answer>(question: (api: HostWorkerApi) => Promise<Answer>): Promise<Answer> => {
    const { api, terminate } = environment.startHostWorker();
    try {
      return await question(api);
    } finally {
      terminate();
    }
  };
  return {
    host: (request, options) => new OwnSession(environment, request, options),
    join: (room, options) => new JoinSession(environment, room, options),
    saved: async () => [],
    resume: async () => {
      throw new Error('This session is not kept on this device any more.');
    },
    resumeFile: async () => {
      throw new Error('This file holds no session that can be gone on with.');
    },
    forget: async () => undefined,
    previewTable: (bytes) => ask((api) => api.previewTable(bytes)),
    preflight: (source) => ask((api) => api.preflight(source, origin, TAB_MEMORY_BYTES)),
  };
}

/** What the server's person configured; a server that does not say has none. */
async function readIceServers(origin: string): Promise<RTCIceServer[]> {
  const response = await fetch(`${origin}/config.json`);
  const config: unknown = response.ok ? await response.json() : null;
  const given = typeof config === 'object' && config !== null && 'iceServers' in config ? config.iceServers : [];
  return Array.isArray(given) ? given : [];
}

function handle<Api>(worker: Worker): WorkerHandle<Api> {
  // Comlink's Remote adds promises to methods that all return promises already.
  return { api: Comlink.wrap<Api>(worker) as unknown as Api, terminate: () => worker.terminate() };
}

function listenTo(target: EventTarget, type: string, listener: () => void): () => void {
  target.addEventListener(type, listener);
  return () => target.removeEventListener(type, listener);
}
