/** Why a process is to end, and the exit code that says so (128 and the signal's number, as shells have it). */
export interface Stop {
  readonly code: number;
  /** What nobody caught, and is ours to mend; null for a signal. */
  readonly error: Error | null;
}

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
/** An internal error (sysexits' EX_SOFTWARE). */
const INTERNAL = 70;

/**
 * Tells once of what would end the process: Ctrl-C, a request to end, a closed terminal, an error that nobody caught. A second signal ends
 * it as it always does, so that nobody has to wait. `off` gives the process back its own ways.
 */
export function onStop(stop: (why: Stop) => void): { readonly off: () => void } {
  const told = (why: Stop): void => {
    for (const [name, listener] of Object.entries(signals)) process.off(name, listener);
    stop(why);
  };
  const signals = Object.fromEntries(
    Object.entries(SIGNALS).map(([name, code]) => [name, () => told({ code, error: null })]),
  );
  const uncaught = (error: unknown): void =>
    told({ code: INTERNAL, error: error instanceof Error ? error : new Error(String(error)) });
  for (const [name, listener] of Object.entries(signals)) process.once(name, listener);
  process.on('uncaughtException', uncaught);
  process.on('unhandledRejection', uncaught);
  return {
    off: () => {
      for (const [name, listener] of Object.entries(signals)) process.off(name, listener);
      process.off('uncaughtException', uncaught);
      process.off('unhandledRejection', uncaught);
    },
  };
}
