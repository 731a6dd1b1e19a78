import type { DeviceWorkerApi } from '../../../worker/api/device-api.ts';
import type { WorkPart } from '../../../worker/api/work.ts';
import type { WorkerHandle } from '../../session/world/environment.ts';

/** A device's worker whose gradients are turned around while `lies()` is true; all else is its own. */
export function lyingWhere(lies: () => boolean, { api, terminate }: WorkerHandle<DeviceWorkerApi>) {
  const next = async (): Promise<WorkPart> => {
    const part = await api.next();
    if (part.kind !== 'gradient' || !lies()) return part;
    return { ...part, gradient: part.gradient.map((value) => -value) };
  };
  const changed: DeviceWorkerApi = new Proxy(api, {
    get: (worker, name) => (name === 'next' ? next : Reflect.get(worker, name)),
  });
  return { api: changed, terminate };
}
