import { MAX_PROBE_VALUES } from '../../../signaling/protocol/limits.ts';
import { Emitter } from '../world/emitter.ts';
import { whileOpen } from '../world/ending.ts';
import type { MessageLink } from './message-link.ts';

const PROBE_TIMEOUT_MS = 20_000;
/** A transfer this long is measured well enough; shorter ones are tried again with more bytes. */
const LONG_ENOUGH_SECONDS = 0.15;
const FIRST_FLOATS = 32 * 1024;

/**
 * Rate in bit/s from here to the host with the whole link to itself: a timed transfer, less the round trip of an empty one.
 * The host answers probes with `answerProbes`. Rejects when the host does not answer in time, and as soon as the link closes.
 */
export async function measureLink(link: MessageLink): Promise<number> {
  const answers = new Emitter<number>();
  const off = link.onMessage(({ header }) => {
    if (header.type === 'probed') answers.emit(header.probe);
  });
  let probe = 0;
  const timed = async (floats: number): Promise<number> => {
    const id = ++probe;
    const startMs = performance.now();
    const answered = answerTo(answers, id);
    const tensors = floats === 0 ? [] : [new Float32Array(floats)];
    try {
      const sent = link.send({ header: { type: 'probe', probe: id }, tensors });
      await whileOpen(link.onClose, Promise.all([sent, answered.promise]));
    } finally {
      answered.stop();
    }
    return (performance.now() - startMs) / 1000;
  };
  try {
    await timed(0);
    const roundTripSeconds = await timed(0);
    for (let floats = FIRST_FLOATS; ; floats *= 4) {
      const elapsedSeconds = await timed(floats);
      if (elapsedSeconds >= LONG_ENOUGH_SECONDS || floats >= MAX_PROBE_VALUES)
        return (floats * 32) / Math.max(elapsedSeconds - roundTripSeconds, elapsedSeconds / 10);
    }
  } finally {
    off();
  }
}

/** Rejects after a while; `stop` ends the wait. */
function answerTo(answers: Emitter<number>, id: number): { promise: Promise<void>; stop: () => void } {
  let stop = (): void => undefined;
  const promise = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error('The host did not answer while the link was measured.')),
      PROBE_TIMEOUT_MS,
    );
    const off = answers.on((answer) => {
      if (answer === id) resolve();
    });
    stop = () => {
      clearTimeout(timer);
      off();
    };
  });
  return { promise, stop };
}

/** The host's side of `measureLink`. */
export function answerProbes(link: MessageLink): void {
  link.onMessage(({ header }) => {
    if (header.type === 'probe') void link.send({ header: { type: 'probed', probe: header.probe }, tensors: [] });
  });
}
