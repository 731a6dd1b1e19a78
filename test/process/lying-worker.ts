import type { WorkerHandle } from '../../web/session/world/environment.ts';
import type { TokenBatch } from '../../worker/api/batch.ts';
import type { DeviceWorkerApi } from '../../worker/api/device-api.ts';
import type { StagePart } from '../../worker/api/stage-api.ts';
import type { WorkOrder, WorkPart } from '../../worker/api/work.ts';
import type { LieName } from './lies.ts';

/** The worker with a lie in place of what it computes, in rounds for which `lieIn` has one; see `LIES`. */
export function lyingWorker(
  { api, terminate }: WorkerHandle<DeviceWorkerApi>,
  lieIn: (round: number) => LieName | null,
): WorkerHandle<DeviceWorkerApi> {
  let round = 0;
  let before: TokenBatch | null = null;
  const isOld = (): boolean => lieIn(round) === 'old parameters';
  const liar: Partial<DeviceWorkerApi> = {
    // The device keeps up with the session and sets what it holds before each order: this one goes on with what was set last.
    setHeldParameters: () => (isOld() ? Promise.resolve() : api.setHeldParameters()),
    setParameters: (values) => (isOld() ? Promise.resolve() : api.setParameters(values)),
    begin: (order) => {
      round = Math.max(round, order.round);
      const lie = lieIn(round);
      const other = before;
      before = lie === null ? null : order.batch;
      return api.begin(lie === null ? order : begun(order, lie, other));
    },
    next: async () => {
      const part = await api.next();
      const lie = lieIn(round);
      return lie === null ? part : said(part, lie);
    },
    evaluate: async (batch) => {
      const logits = await api.evaluate(batch);
      return lieIn(round) === 'false scores' ? logits.map((x) => -x) : logits;
    },
    setStageParameters: (values) => (isOld() ? Promise.resolve() : api.setStageParameters(values)),
    beginStage: (order) => {
      round = Math.max(round, order.round);
      const { labels } = order;
      const isTurned = lieIn(round) === 'flipped labels' && labels !== null;
      return api.beginStage(isTurned ? { ...order, labels: labels.map((label) => 1 - label) } : order);
    },
    nextOfStage: async () => {
      const part = await api.nextOfStage();
      const lie = lieIn(round);
      return lie === null ? part : saidOfStage(part, lie);
    },
  };
  const changed = new Proxy(api, {
    get: (target, key, receiver) => Reflect.get(liar, key) ?? Reflect.get(target, key, receiver),
  });
  return { api: changed, terminate };
}

function begun(order: WorkOrder, lie: LieName, other: TokenBatch | null): WorkOrder {
  const { batch } = order;
  if (lie === 'other samples' && other !== null) return { ...order, batch: other };
  if (lie !== 'flipped labels') return order;
  return { ...order, batch: { ...batch, labels: batch.labels.map((label) => 1 - label) } };
}

function said(part: WorkPart, lie: LieName): WorkPart {
  if (part.kind === 'done') return lie === 'false loss' ? { ...part, lossSum: 0.9 * part.lossSum } : part;
  return { ...part, gradient: falsified(part.gradient, lie) };
}

function saidOfStage(part: StagePart, lie: LieName): StagePart {
  switch (part.kind) {
    case 'passed':
      return part;
    case 'hidden':
      return lie === 'false hidden states' || lie === 'false cuts'
        ? { ...part, values: falsified(part.values, 'noise of a tenth') }
        : part;
    case 'dHidden':
      return lie === 'false gradients down' || lie === 'false cuts'
        ? { ...part, values: falsified(part.values, 'scaled by 1.05') }
        : part;
    default:
      return said(part, lie);
  }
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
