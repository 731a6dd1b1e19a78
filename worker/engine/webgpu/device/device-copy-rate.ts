import { type Gpu, whole } from './gpu.ts';

const COPY_BYTES = 2 ** 25;
const MAX_COPIES = 64;
/** Copies must take so many times as long as a wait for nothing, or the wait is what is measured. */
const TIMES_LATENCY = 8;

/** Bytes read and written in a second by copies of 32 MiB on the device. */
export async function timeCopies(gpu: Gpu): Promise<number> {
  const made = await gpu.allocated(() => [gpu.allocate('copy from', COPY_BYTES), gpu.allocate('copy to', COPY_BYTES)]);
  const [from, to] = [whole(made[0]!), whole(made[1]!)];
  const run = async (copies: number): Promise<number> => {
    const start = performance.now();
    for (let i = 0; i < copies; i++) gpu.copy(from, to, COPY_BYTES);
    await gpu.idle();
    return Math.max(1e-5, (performance.now() - start) / 1000);
  };
  try {
    gpu.clear(made[0]!);
    // The first copy may find memory that is not there yet.
    await run(1);
    const latency = await run(0);
    let copies = 1;
    let seconds = await run(copies);
    while (seconds < TIMES_LATENCY * latency && copies < MAX_COPIES) {
      copies *= 2;
      seconds = await run(copies);
    }
    return (2 * COPY_BYTES * copies) / seconds;
  } finally {
    for (const buffer of made) gpu.release(buffer);
  }
}
