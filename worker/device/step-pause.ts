/** How many times slower a device is made; may change while it works. */
export interface Pace {
  readonly slowdown: number;
}

/**
 * After each step of work: lets messages in, waits as long as a device that is `slowdown` times slower would have gone on computing, and
 * stops where the order was given up.
 */
export function stepPause(pace: Pace, signal: AbortSignal): (seconds: number) => Promise<void> {
  let owedMs = 0;
  return async (seconds) => {
    owedMs += 1000 * seconds * (pace.slowdown - 1);
    // Timers are no finer than a few milliseconds: short waits are put together.
    if (owedMs >= 8) {
      const start = performance.now();
      await new Promise((resolve) => setTimeout(resolve, owedMs));
      owedMs -= performance.now() - start;
    } else await nextTask();
    signal.throwIfAborted();
  };
}

/** Lets the event loop take what has arrived, without the minimum delay of a timer. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
