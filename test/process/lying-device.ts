/**
 * A device whose worker was changed: it does what `tabloom join` does, but for what it says of its samples.
 *
 *     tsx test/process/lying-device.ts LINK NAME LIE FROM
 *
 * It lies from round FROM on, in its own parts and in those that it computes again for others.
 */
import { headlessEnvironment } from '../../signaling/node/node-environment.ts';
import { JoinSession } from '../../web/session/join-session.ts';
import { readInvitation } from '../../web/session/links/link-address.ts';
import type { WorkerHandle } from '../../web/session/world/environment.ts';
import type { TokenBatch } from '../../worker/api/batch.ts';
import type { DeviceWorkerApi } from '../../worker/api/device-api.ts';
import type { WorkOrder, WorkPart } from '../../worker/api/work.ts';
import type { LieName } from './lies.ts';

const [link = '', name = 'liar', lie = 'scaled', from = '1'] = process.argv.slice(2);
/** The worker with `lie` in place of what it computes; see `LIES`. */
function changed({ api, terminate }: WorkerHandle<DeviceWorkerApi>, lie: LieName): WorkerHandle<DeviceWorkerApi> {
  let round = 0;
  let before: TokenBatch | null = null;
  const lies = (): boolean => round >= Number(from);
  const begun = (order: WorkOrder): WorkOrder => {
    const { batch } = order;
    const other = before;
    before = batch;
    if (lie === 'other samples' && other !== null) return { ...order, batch: other };
    if (lie === 'flipped labels')
      return { ...order, batch: { ...batch, labels: batch.labels.map((label) => 1 - label) } };
    return order;
  };
  const said = (part: WorkPart): WorkPart => {
    if (part.kind === 'done') return lie === 'false loss' ? { ...part, lossSum: 0.9 * part.lossSum } : part;
    return { ...part, gradient: falsified(part.gradient, lie) };
  };
  const liar: Partial<DeviceWorkerApi> = {
    // The device keeps up with the session and sets what it holds before each order: this one goes on with what was set last.
    setHeldParameters: () => (lie === 'old parameters' && lies() ? Promise.resolve() : api.setHeldParameters()),
    setParameters: (values) => (lie === 'old parameters' && lies() ? Promise.resolve() : api.setParameters(values)),
    begin: (order) => {
      round = Math.max(round, order.round);
      return api.begin(lies() ? begun(order) : order);
    },
    next: async () => {
      const part = await api.next();
      return lies() ? said(part) : part;
    },
  };
  const honest = new Proxy(api, {
    get: (target, key, receiver) => Reflect.get(liar, key) ?? Reflect.get(target, key, receiver),
  });
  return { api: honest, terminate };
}

function falsified(gradient: Float32Array, lie: LieName): Float32Array {
  switch (lie) {
    case 'scaled by 1.05':
      return gradient.map((x) => 1.05 * x);
    case 'sign flipped':
      return gradient.map((x) => -x);
    case 'zeroed':
      return gradient.map(() => 0);
    case 'noise of a tenth': {
      const noise = gradient.map(() => Math.random() - 0.5);
      const norm = (values: Float32Array) => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));
      const factor = (0.1 * norm(gradient)) / norm(noise);
      return gradient.map((x, i) => x + factor * noise[i]);
    }
    default:
      return gradient;
  }
}

const invitation = readInvitation(link);
if (!invitation.ok) throw new Error(invitation.sentence);
const environment = await headlessEnvironment(new URL(link).origin, { memoryLimitBytes: 2e9, allowPrivate: true });
const { startDeviceWorker } = environment;
const session = new JoinSession(
  { ...environment, startDeviceWorker: () => changed(startDeviceWorker(), lie as LieName) },
  invitation,
  { name, watch: false, slowdown: 1 },
);
session.subscribe(({ ended }) => {
  if (ended !== null) process.exit(0);
});
process.once('disconnect', () => session.leave());
