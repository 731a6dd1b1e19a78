import type { DeviceWorkerApi } from '../../worker/api/device-api.ts';
import type { ControlSocket } from '../session/transport/control-socket.ts';
import { ServerSockets } from '../session/transport/server-sockets.ts';
import type { WorkerHandle } from '../session/world/environment.ts';
import { savesData } from './saves-data.ts';
import { startDeviceWorker } from './workers.ts';

/** What a page reaches before a session begins: the server, and a device's worker. It loads nothing of the links between devices. */
export interface TabDoor {
  /** The server that the page came from. */
  readonly origin: string;
  openSocket(address: string): ControlSocket;
  startDeviceWorker(): WorkerHandle<DeviceWorkerApi>;
  /** Starts a device's worker before a session asks for one, unless the person saves data. `model`: the embedded model's name. */
  warmDevice(model: string | null): void;
}

/** A worker that was warmed for nobody is let go. */
const WARM_MS = 10 * 60_000;

export function tabDoor(origin: string): TabDoor {
  const sockets = new ServerSockets(origin, (address) => new WebSocket(address));
  let warm: WorkerHandle<DeviceWorkerApi> | null = null;
  return {
    origin,
    openSocket: (address) => sockets.open(address),
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
  };
}
