/**
 * A device that fails as a stage in one round: it does what `tabloom join` does until then.
 *
 *     tsx test/process/failing-stage.ts LINK NAME MEMORY HOW ROUND
 *
 * HOW is when its process is killed, before, between or after its passes of round ROUND; or `slow`: from that round on, everything takes it seconds.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { headlessEnvironment } from '../../signaling/node/node-environment.ts';
import { JoinSession } from '../../web/session/join-session.ts';
import { readInvitation } from '../../web/session/links/link-address.ts';
import type { WorkerHandle } from '../../web/session/world/environment.ts';
import type { DeviceWorkerApi } from '../../worker/api/device-api.ts';

export type Failing = 'before' | 'between' | 'after' | 'slow';

/** Passes that a stage has done when it is killed between them. */
const BETWEEN = 4;
/** Of each thing that a slow stage says; its whole part then takes far longer than the patience with it. */
const SLOW_MS = 3000;

function failing(
  { api, terminate }: WorkerHandle<DeviceWorkerApi>,
  how: Failing,
  from: number,
): WorkerHandle<DeviceWorkerApi> {
  let [round, passes] = [0, 0];
  const die = (): Promise<never> => {
    process.kill(process.pid, 'SIGKILL');
    return new Promise(() => undefined);
  };
  const changed: Partial<DeviceWorkerApi> = {
    beginStage: (order) => {
      [round, passes] = [order.round, 0];
      return how === 'before' && round >= from ? die() : api.beginStage(order);
    },
    nextOfStage: async () => {
      const part = await api.nextOfStage();
      if (round < from) return part;
      if (part.kind === 'passed') passes++;
      if (how === 'slow') await sleep(SLOW_MS);
      const ends = (how === 'between' && passes === BETWEEN) || (how === 'after' && part.kind === 'done');
      return ends ? die() : part;
    },
  };
  const proxy = new Proxy(api, {
    get: (target, key, receiver) => Reflect.get(changed, key) ?? Reflect.get(target, key, receiver),
  });
  return { api: proxy, terminate };
}

// Imported for its types alone elsewhere.
if (process.argv[1]?.endsWith('failing-stage.ts')) {
  const [link = '', name = '', memory = '', how = '', round = ''] = process.argv.slice(2);
  const invitation = readInvitation(link);
  if (!invitation.ok) throw new Error(invitation.sentence);
  const options = { memoryLimitBytes: Number(memory), allowPrivate: true };
  const environment = await headlessEnvironment(new URL(link).origin, options);
  const { startDeviceWorker } = environment;
  const session = new JoinSession(
    { ...environment, startDeviceWorker: () => failing(startDeviceWorker(), how as Failing, Number(round)) },
    invitation,
    { name, watch: false, slowdown: 1 },
  );
  session.subscribe(({ ended }) => {
    if (ended !== null) process.exit(0);
  });
}
