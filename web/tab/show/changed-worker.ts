import type { DeviceWorkerApi } from '../../../worker/api/device-api.ts';
import type { WorkPart } from '../../../worker/api/work.ts';
import type { Measured } from '../../session/rounds/model-worker.ts';
import type { WorkerHandle } from '../../session/world/environment.ts';

/** Whoever has not loaded its model by then is not waited for. */
const LOADING_MS = 15_000;

/**
 * The devices of one page run on one computer. It is measured once, when all have loaded and none computes, and what was measured holds for
 * each of them: measured side by side they would tell how they get in each other's way.
 */
export class OneComputer {
  #left: number;
  #loaded: () => void = () => undefined;
  readonly #all: Promise<void>;
  #measured: Promise<Measured> | null = null;
  readonly #onMeasured: (measured: Measured) => void;

  /** `onMeasured` is called before any device states what it is; `known` is what was measured already. */
  constructor(devices: number, onMeasured: (measured: Measured) => void, known: Measured | null = null) {
    this.#left = devices;
    this.#onMeasured = onMeasured;
    if (known !== null) this.#measured = Promise.resolve(known);
    this.#all = new Promise((resolve) => {
      this.#loaded = resolve;
    });
  }

  loaded(): void {
    this.#left -= 1;
    if (this.#left <= 0) this.#loaded();
  }

  measured(measure: () => Promise<Measured>): Promise<Measured> {
    this.#measured ??= this.#measure(measure);
    return this.#measured;
  }

  async #measure(measure: () => Promise<Measured>): Promise<Measured> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LOADING_MS);
    });
    await Promise.race([this.#all, late]);
    clearTimeout(timer);
    try {
      const measured = await measure();
      this.#onMeasured(measured);
      return measured;
    } catch (error) {
      this.#measured = null;
      throw error;
    }
  }
}

/** A device's worker on a computer that others share, whose gradients are turned around while `lies()` is true. */
export function changedWorker(
  { api, terminate }: WorkerHandle<DeviceWorkerApi>,
  computer: OneComputer,
  lies: () => boolean,
): WorkerHandle<DeviceWorkerApi> {
  const changes: Partial<DeviceWorkerApi> = {
    load: async (request) => {
      try {
        return await api.load(request);
      } finally {
        computer.loaded();
      }
    },
    profile: async ({ memoryLimitBytes }) => {
      const measured = await computer.measured(() => api.profile({ memoryLimitBytes }));
      return (await api.pretend({ slowdown: 1, share: 1, memoryLimitBytes, measured })) ?? measured;
    },
    next: async (): Promise<WorkPart> => {
      const part = await api.next();
      if (part.kind !== 'gradient' || !lies()) return part;
      return { ...part, gradient: part.gradient.map((value) => -value) };
    },
  };
  return {
    api: new Proxy(api, { get: (worker, name) => Reflect.get(changes, name) ?? Reflect.get(worker, name) }),
    terminate,
  };
}
