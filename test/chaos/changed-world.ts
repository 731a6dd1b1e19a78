import type { SessionEnvironment, WorkerHandle } from '../../web/session/world/environment.ts';
import type { DeviceWorkerApi } from '../../worker/api/device-api.ts';
import type { HostWorkerApi } from '../../worker/api/host-api.ts';
import type { LieName } from '../process/lies.ts';
import { lyingWorker } from '../process/lying-worker.ts';
import type { Phase } from './cells.ts';
import type { Act } from './messages.ts';

/** As an engine says it that is refused what it asked for. */
export const NO_MEMORY = 'There is not enough memory for this on the device.';

/** Who decides what becomes of a session's calls to its workers. */
export interface Gate {
  /** Settles when the round may begin. */
  next(round: number): Promise<void>;
  /** Settles at once where nobody waits for this phase in this round. */
  at(phase: Phase, round: number): Promise<Act>;
  /** The device holds what was learned until after this round. */
  held(round: number): void;
}

/**
 * The world of a session in which a test may strike between any two calls to its workers: everything is as it is, but that calls may be held, take
 * their time, or be refused. Which phase the room is in shows in them:
 *
 * | phase | held is |
 * |---|---|
 * | order | a device that has an order and has not begun it; the host before it gives out a round's |
 * | parameters | a device that was given a step's gradient, or the whole state, and has not taken it |
 * | compute | a device before the first result of its order |
 * | upload | a device that has the first gradient of its order and has not sent it |
 * | merge | the host with all gradients of the round, before the optimiser's step |
 * | checkpoint | the host before it writes one |
 * | evaluation | a device that was given examples and has not answered |
 * | export | the host before the adapter's files |
 */
export class ChangedWorld {
  readonly environment: SessionEnvironment;
  readonly #gate: Gate;
  #round = 0;
  #lie: LieName | null = null;
  /** For the device's next calls. */
  #pending: Act = { act: 'go' };

  constructor(world: SessionEnvironment, gate: Gate) {
    this.#gate = gate;
    const { keep } = world;
    this.environment = {
      ...world,
      startDeviceWorker: () => this.#device(world.startDeviceWorker()),
      startHostWorker: (inherited) => this.#host(world.startHostWorker(inherited)),
      keep:
        keep &&
        (async (...kept) => {
          await this.#pass('checkpoint', this.#round);
          return keep(...kept);
        }),
    };
  }

  lie(lie: LieName): void {
    this.#lie = lie;
  }

  act(act: Act): void {
    this.#pending = act;
  }

  #device(handle: WorkerHandle<DeviceWorkerApi>): WorkerHandle<DeviceWorkerApi> {
    const { api, terminate } = lyingWorker(handle, () => this.#lie);
    let round = 0;
    let version = 0;
    let parts: 'none' | 'asked' | 'told' = 'none';
    const changed: Partial<DeviceWorkerApi> = {
      hold: async (state) => {
        version = state.version;
        await this.#do('parameters', version);
        const digest = await api.hold(state);
        this.#gate.held(version);
        return digest;
      },
      advance: async (update) => {
        version++;
        await this.#do('parameters', version);
        const digest = await api.advance(update);
        this.#gate.held(version);
        return digest;
      },
      begin: async (order) => {
        round = order.round;
        parts = 'none';
        await this.#do('order', round);
        return api.begin(order);
      },
      next: async () => {
        if (parts === 'none') {
          parts = 'asked';
          await this.#do('compute', round);
        }
        const part = await api.next();
        if (parts === 'asked' && part.kind === 'gradient') {
          parts = 'told';
          await this.#do('upload', round);
        }
        return part;
      },
      evaluate: async (batch) => {
        await this.#do('evaluation', round);
        return api.evaluate(batch);
      },
      setStageParameters: async (parameters) => {
        await this.#do('parameters', round);
        return api.setStageParameters(parameters);
      },
      beginStage: async (order) => {
        round = order.round;
        parts = 'none';
        await this.#do('order', round);
        return api.beginStage(order);
      },
      nextOfStage: async () => {
        if (parts === 'none') {
          parts = 'asked';
          await this.#do('compute', round);
        }
        const part = await api.nextOfStage();
        if (parts === 'asked' && part.kind === 'gradient') {
          parts = 'told';
          await this.#do('upload', round);
        }
        return part;
      },
      evaluateStage: async (chunk) => {
        await this.#do('evaluation', round);
        return api.evaluateStage(chunk);
      },
    };
    return { api: withChanged(api, changed), terminate };
  }

  #host({ api, terminate }: WorkerHandle<HostWorkerApi>): WorkerHandle<HostWorkerApi> {
    const changed: Partial<HostWorkerApi> = {
      roundBatch: async (round, ranges) => {
        await this.#gate.next(round);
        return api.roundBatch(round, ranges);
      },
      step: async (request) => {
        this.#round = request.round;
        await this.#pass('merge', request.round);
        return api.step(request);
      },
      exportAdapter: async (which) => {
        await this.#pass('export', this.#round);
        return api.exportAdapter(which);
      },
    };
    return { api: withChanged(api, changed), terminate };
  }

  /** A call of the device: what was kept for the next one happens to it, too. */
  async #do(phase: Phase, round: number): Promise<void> {
    const pending = this.#pending;
    this.#pending =
      pending.act === 'refuse' && pending.times > 1 ? { ...pending, times: pending.times - 1 } : { act: 'go' };
    await carryOut(pending);
    const act = await this.#gate.at(phase, round);
    if (act.act === 'refuse' && act.times > 1) this.#pending = { ...act, times: act.times - 1 };
    await carryOut(act);
  }

  async #pass(phase: Phase, round: number): Promise<void> {
    await carryOut(await this.#gate.at(phase, round));
  }
}

function withChanged<Api extends object>(api: Api, changed: Partial<Api>): Api {
  return new Proxy(api, {
    get: (target, key, receiver) => Reflect.get(changed, key) ?? Reflect.get(target, key, receiver),
  });
}

async function carryOut(act: Act): Promise<void> {
  if (act.act === 'stall') await new Promise((resolve) => setTimeout(resolve, 1000 * act.seconds));
  if (act.act === 'refuse') throw new Error(NO_MEMORY);
}
