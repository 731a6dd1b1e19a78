import * as Comlink from 'comlink';
import type { DeviceWorkerApi } from '../../worker/api/device-api.ts';
import type { HostWorkerApi } from '../../worker/api/host-api.ts';
import type { WorkerHandle } from '../session/world/environment.ts';

/** The workers of a page, each named in one place so that it is built once. */

export const startDeviceWorker = (): WorkerHandle<DeviceWorkerApi> =>
  handle(new Worker(new URL('../../worker/device/device-worker.ts', import.meta.url), { type: 'module' }));

export const startHostWorker = (): WorkerHandle<HostWorkerApi> =>
  handle(new Worker(new URL('../../worker/host/host-worker.ts', import.meta.url), { type: 'module' }));

export const startPlanWorker = (): Worker =>
  new Worker(new URL('./plan-worker.ts', import.meta.url), { type: 'module' });

function handle<Api>(worker: Worker): WorkerHandle<Api> {
  // Comlink's Remote adds promises to methods that all return promises already.
  return { api: Comlink.wrap<Api>(worker) as unknown as Api, terminate: () => worker.terminate() };
}
