import { Peer } from 'peerjs';
import type { DeviceWorkerApi } from '../../worker/api/device-api.ts';
import { peerOptions } from '../session/links/peer-options.ts';
import type { ControlSocket } from '../session/transport/control-socket.ts';
import { peerOver } from '../session/transport/peer-over.ts';
import { ServerSockets } from '../session/transport/server-sockets.ts';
import type { SeatStore, SessionEnvironment, WorkerHandle } from '../session/world/environment.ts';
import { keptClaim } from './tab-memory.ts';
import { startDeviceWorker, startHostWorker } from './workers.ts';

const SEAT_KEY = 'tabloom.seat';

/** Storage may be refused (private windows, blocked cookies); then a tab that is loaded again is a new device. */
const SEATS: SeatStore = {
  put: (text) => {
    try {
      sessionStorage.setItem(SEAT_KEY, text);
    } catch {
      return;
    }
  },
  take: () => {
    try {
      const text = sessionStorage.getItem(SEAT_KEY);
      sessionStorage.removeItem(SEAT_KEY);
      return text;
    } catch {
      return null;
    }
  },
};

export interface TabEnvironment extends SessionEnvironment {
  /** Starts a device's worker before a session asks for one, unless the person saves data. `model`: the embedded model's name. */
  warmDevice(model: string | null): void;
}

/** A worker that was warmed for nobody is let go. */
const WARM_MS = 10 * 60_000;

/** The real world for sessions in a browser tab. `origin` is the server that the page came from. */
export function tabEnvironment(origin: string): TabEnvironment {
  const sockets = new ServerSockets(origin, (address) => new WebSocket(address));
  const openSocket = (address: string): ControlSocket => sockets.open(address);
  let warm: WorkerHandle<DeviceWorkerApi> | null = null;
  return {
    kind: 'tab',
    origin,
    openSocket,
    createPeer: (introduction) =>
      peerOver(openSocket, () => new Peer(introduction.id, peerOptions(origin, introduction))),
    warmDevice: (model) => {
      if (warm !== null || savesData()) return;
      const started = startDeviceWorker();
      warm = started;
      void started.api.warm({ model, origin });
      setTimeout(() => {
        if (warm !== started) return;
        warm = null;
        started.terminate();
      }, WARM_MS);
    },
    startDeviceWorker: () => {
      const started = warm ?? startDeviceWorker();
      warm = null;
      return started;
    },
    startHostWorker,
    randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
    memoryLimitBytes: keptClaim(),
    nowMs: () => Date.now(),
    // Pages from another machine over plain http have no storage of their own.
    keep: 'storage' in navigator && 'getDirectory' in navigator.storage ? (host, ...kept) => host.keep(...kept) : null,
    seats: SEATS,
    runLog: null,
    onHidden: (listener) => listenTo(document, 'visibilitychange', () => listener(document.hidden)),
    onLeaving: (listener) => listenTo(window, 'pagehide', () => listener()),
  };
}

/** The person has asked the browser to fetch little. */
function savesData(): boolean {
  const connection: unknown = Reflect.get(navigator, 'connection');
  return typeof connection === 'object' && connection !== null && Reflect.get(connection, 'saveData') === true;
}

function listenTo(target: EventTarget, type: string, listener: () => void): () => void {
  target.addEventListener(type, listener);
  return () => target.removeEventListener(type, listener);
}
