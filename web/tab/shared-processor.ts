import type { DevicePretence, SessionView } from '../session/view/view.ts';
import { processorShare, processorsFor, threadsOf } from '../session/world/processor-share.ts';

/** Each device of this browser that computes holds a lock of such a name: it goes with its tab, however that ends. */
const LOCK = 'tabloom.computing.';
/** Says to the other tabs that there is one more, or one less. */
const CHANNEL = 'tabloom.computing';
/** A tab that was ended says nothing. */
const LOOK_MS = 10_000;

interface Computing {
  readonly view: SessionView;
  subscribe(listener: (view: SessionView) => void): () => void;
  pretend(pretence: DevicePretence): Promise<void>;
}

/**
 * Has a device of this tab state how much longer everything takes while other tabs of this browser compute on the same processor: it measured
 * itself alone. Nothing where a browser has no locks.
 */
export function countProcessor(
  session: Computing,
  { slowdown, memoryLimitBytes }: Pick<DevicePretence, 'slowdown' | 'memoryLimitBytes'>,
): void {
  if (navigator.locks === undefined || typeof BroadcastChannel === 'undefined') return;
  const { locks, hardwareConcurrency } = navigator;
  const channel = new BroadcastChannel(CHANNEL);
  let stated = 1;
  const look = async (): Promise<void> => {
    const { held = [] } = await locks.query();
    const count = held.filter(({ name }) => name?.startsWith(LOCK)).length;
    const { room, self, ended } = session.view;
    const engine = room?.devices.find(({ id }) => id === self)?.profile?.engine ?? 'onnx';
    const wanted = Array.from({ length: count }, () => 1 / threadsOf(engine, hardwareConcurrency, crossOriginIsolated));
    const share = processorShare(wanted, processorsFor(engine, hardwareConcurrency));
    if (share === stated || ended !== null) return;
    stated = share;
    await session.pretend({ slowdown, share, memoryLimitBytes, uplinkBitsPerSecond: Number.POSITIVE_INFINITY });
  };
  const lookNow = (): void => void look().catch(() => undefined);
  const timer = setInterval(lookNow, LOOK_MS);
  channel.onmessage = lookNow;
  void locks.request(
    `${LOCK}${crypto.randomUUID()}`,
    () =>
      new Promise<void>((release) => {
        channel.postMessage('more');
        lookNow();
        const off = session.subscribe(({ ended }) => {
          if (ended === null) return;
          off();
          clearInterval(timer);
          release();
          // When the lock is free; whoever looks too early looks again.
          setTimeout(() => {
            channel.postMessage('less');
            channel.close();
          });
        });
      }),
  );
}
