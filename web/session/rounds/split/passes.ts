import { operationsOf } from '../../../../signaling/protocol/pipeline/schedule.ts';
import type { Order } from '../round.ts';
import { neighbourOf, type Places, stageOf } from './places.ts';

/** Passes that ended, by giving out of an order (`number.epoch`). */
type Passes = ReadonlyMap<string, readonly { readonly microBatch: number; readonly direction: 'up' | 'down' }[]>;

const has = (passes: Passes, order: Order, microBatch: number, direction: 'up' | 'down'): boolean =>
  passes
    .get(`${order.number}.${order.epoch}`)
    ?.some((pass) => pass.microBatch === microBatch && pass.direction === direction) ?? false;

/**
 * Whether a stage has what its next pass needs, as far as its neighbours said that they made it; or is done with all of them and has only to
 * send. Then it is itself that the others wait for.
 */
export function waitsForNobody(places: Places, passes: Passes, order: Order): boolean {
  const { microBatches, window } = stageOf(order);
  const next = operationsOf(microBatches, window).find(
    ({ kind, microBatch }) => !has(passes, order, microBatch, kind === 'forward' ? 'up' : 'down'),
  );
  if (next === undefined) return true;
  const forward = next.kind === 'forward';
  const from = neighbourOf(places, order, forward ? 'below' : 'above');
  return from === null || has(passes, from, next.microBatch, forward ? 'up' : 'down');
}
