import { median } from '../../signaling/protocol/median.ts';

const COPY_BYTES = 2 ** 24;
const COPIES = 5;

/** Bytes read and written in a second by copies of 16 MiB in the processor's memory, more than its caches hold; the median of a few. */
export function processorCopyRate(): number {
  const from = new Uint8Array(COPY_BYTES).fill(1);
  const to = new Uint8Array(COPY_BYTES).fill(2);
  const seconds = Array.from({ length: COPIES }, () => {
    const start = performance.now();
    to.set(from);
    return Math.max(1e-5, (performance.now() - start) / 1000);
  });
  return (2 * COPY_BYTES) / median(seconds);
}
