import * as Comlink from 'comlink';
import { Peer } from 'peerjs';
import type { DeviceWorkerApi } from '../../worker/api/device-api.ts';
import type { HostWorkerApi } from '../../worker/api/host-api.ts';
import { JoinSession } from '../session/join-session.ts';
import { OwnSession } from '../session/own-session.ts';
import { resumeSession } from '../session/resume-session.ts';
import type { SessionFactory } from '../session/view/view.ts';
import type { SessionEnvironment, WorkerHandle } from '../session/world/environment.ts';

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
      handle<DeviceWorkerApi>(
        new Worker(new URL('../../worker/device/device-worker.ts', import.meta.url), { type: 'module' }),
      ),
    startHostWorker: () =>
      handle<HostWorkerApi>(
        new Worker(new URL('../../worker/host/host-worker.ts', import.meta.url), { type: 'module' }),
      ),
    randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
    memoryLimitBytes: TAB_MEMORY_BYTES,
    nowMs: () => Date.now(),
    // Pages from another machine over plain http have no storage of their own.
    keep: 'storage' in navigator && 'getDirectory' in navigator.storage ? (host, ...kept) => host.keep(...kept) : null,
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
  const running = new Set<OwnSession>();
  const watched = (session: OwnSession): OwnSession => {
    running.add(session);
    const release = claim(session.view.self);
    const off = session.subscribe(({ ended }) => {
      if (ended === null) return;
      off();
      // What it kept last is on the disk then.
      void session.closed.then(() => {
        running.delete(session);
        void release.then((free) => free());
      });
    });
    return session;
  };
  const settled = async (): Promise<void> => {
    await Promise.all([...running].map((session) => (session.view.ended === null ? null : session.closed)));
  };
  return {
    host: (request, options) => watched(new OwnSession(environment, request, options)),
    join: (room, options) => new JoinSession(environment, room, options),
    keptSessions: async () => {
      if (environment.keep === null) return [];
      await settled();
      // A private window has the storage's functions, and refuses each of them.
      return ask((api) => api.keptSessions()).catch(() => []);
    },
    resume: async (id) => {
      await settled();
      await refuseOpen(id);
      return watched(await resumeSession(environment, await ask((api) => api.keptCheckpoint(id)), null));
    },
    resumeFile: async (bytes, options) => {
      await settled();
      return watched(await resumeSession(environment, bytes, options, refuseOpen));
    },
    forget: async (id) => {
      await settled();
      await refuseOpen(id);
      await ask((api) => api.forget(id));
    },
    previewTable: (bytes) => ask((api) => api.previewTable(bytes)),
    preflight: (source) => ask((api) => api.preflight(source, origin, TAB_MEMORY_BYTES)),
    keptModels: () => ask((api) => api.keptModels()),
    forgetModels: (name) => ask((api) => api.forgetModels(name)),
  };
}

const lockOf = (id: string): string => `tabloom-session-${id}`;

/** Marks a session as open in this browser until the function is called that it resolves with; the browser does that for a tab that goes. */
function claim(id: string): Promise<() => void> {
  return new Promise((resolve) => {
    if (navigator.locks === undefined) return resolve(() => undefined);
    void navigator.locks.request(lockOf(id), () => new Promise<void>((free) => resolve(free)));
  });
}

/** A tab that was just closed or loaded anew holds its session for about a second more. */
const LET_GO_MS = 4000;

/** Two tabs must not go on with one session. */
async function refuseOpen(id: string): Promise<void> {
  try {
    await navigator.locks?.request(lockOf(id), { signal: AbortSignal.timeout(LET_GO_MS) }, () => undefined);
  } catch {
    throw new Error('This session is open in a tab of this browser; end it there first.');
  }
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
