import { memoryBytes } from '../../../signaling/protocol/cost-model.ts';
import type { SessionSettings } from '../../../signaling/protocol/settings.ts';
import type { DeviceWorkerApi } from '../../../worker/api/device-api.ts';
import type { WorkOrder } from '../../../worker/api/work.ts';
import type { Measured } from '../../session/rounds/model-worker.ts';
import type { WorkerHandle } from '../../session/world/environment.ts';
import type { Crumb } from './crumb.ts';

export interface Crumbs {
  drop(crumb: Omit<Crumb, 'hidden'> | null): void;
  wentWell(): void;
}

/** A device's worker that writes down what it is asked for before it does that, where it may be what a browser ends a tab for. */
export function carefulWorker(
  { api, terminate }: WorkerHandle<DeviceWorkerApi>,
  { drop, wentWell }: Crumbs,
): WorkerHandle<DeviceWorkerApi> {
  let model = '';
  let measurement: Measured | null = null;
  let layers = 0;
  let trained = false;
  let last: Omit<Crumb, 'hidden'> | null = null;
  const at = (what: Crumb['what'], bytes: number, samples = 0): void => {
    last = { what, model, bytes, samples };
    drop(last);
  };
  const nothing = (): void => {
    last = null;
    drop(null);
  };
  const during = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } finally {
      nothing();
    }
  };
  const know = ({ model: source, shape }: SessionSettings): void => {
    model = source.id;
    layers = shape.layers;
  };
  const measured = async (work: Promise<Measured>): Promise<Measured> => {
    const stated = await during(work);
    measurement = stated;
    return stated;
  };
  const changes: Partial<DeviceWorkerApi> = {
    load: (request) => {
      know(request.settings);
      at('load', request.memoryLimitBytes);
      return during(api.load(request));
    },
    loadPart: (request) => {
      know(request.settings);
      at('load', request.memoryLimitBytes);
      return during(api.loadPart(request));
    },
    measure: (request) => {
      know(request.settings);
      at('measure', request.memoryLimitBytes);
      return measured(api.measure(request));
    },
    profile: (request) => {
      at('measure', request.memoryLimitBytes);
      return measured(api.profile(request));
    },
    begin: (order) => {
      if (measurement !== null) {
        const [bytes, samples] = orderTakes(order, measurement, layers);
        // Until something else is done: a browser may end a tab long after it took the memory.
        if (last?.what !== 'train' || last.bytes !== bytes) at('train', bytes, samples);
      }
      return api.begin(order);
    },
    beginStage: (order) => {
      if (measurement !== null && last?.what !== 'train')
        at('train', measurement.memory.limitBytes, Math.max(...order.microBatchSizes));
      return api.beginStage(order);
    },
    next: async () => {
      const part = await api.next();
      trained ||= part.kind === 'done';
      return part;
    },
    nextOfStage: async () => {
      const part = await api.nextOfStage();
      trained ||= part.kind === 'done';
      return part;
    },
  };
  return {
    api: new Proxy(api, { get: (worker, name) => Reflect.get(changes, name) ?? Reflect.get(worker, name) }),
    terminate: () => {
      nothing();
      if (trained) wentWell();
      terminate();
    },
  };
}

/** Bytes of an order by the device's own coefficients, and how many samples it takes at a time. */
export function orderTakes(
  { batch, microBatch, microBatchSizes, layers: trained }: WorkOrder,
  measurement: Measured,
  layers: number,
): readonly [bytes: number, samples: number] {
  const samples = Math.min(batch.lengths.length, Math.max(microBatch, ...(microBatchSizes ?? [])));
  return [memoryBytes(measurement, samples, layers - (trained[0] ?? layers)), samples];
}
