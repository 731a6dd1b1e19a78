import v8 from 'node:v8';
import vm from 'node:vm';

/** Within so many bytes of the limit what is garbage is collected at once; the library's own memory, which is not seen here, is 63 MB of them. */
const NEAR_BYTES = 96e6;
/** So much more than after the last collection is worth another. */
const WORTH_BYTES = 3e6;
const EVERY_MS = 5;

/**
 * Keeps a thread to its memory limit: left alone, Node lets 30 to 40 MB of array buffers that nobody uses any more pile up before it looks for
 * them. A collection takes 0.2 ms where they died young and some milliseconds else, and none happens while the limit is far.
 */
export function collectNearLimit(limitBytes: number): void {
  v8.setFlagsFromString('--expose-gc');
  const collect: unknown = vm.runInNewContext('gc');
  if (typeof collect !== 'function') return;
  const now = (): number => process.memoryUsage().arrayBuffers;
  let afterYoung = 0;
  let afterOld = 0;
  setInterval(() => {
    let bytes = now();
    if (bytes < limitBytes - NEAR_BYTES || bytes < afterYoung + WORTH_BYTES) {
      afterYoung = Math.min(afterYoung, bytes);
      afterOld = Math.min(afterOld, bytes);
      return;
    }
    collect({ type: 'minor' });
    bytes = now();
    if (bytes >= afterOld + WORTH_BYTES) {
      collect();
      bytes = now();
      afterOld = bytes;
    }
    afterYoung = bytes;
  }, EVERY_MS).unref();
}
