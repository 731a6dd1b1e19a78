import { errorSentence } from '../../../signaling/protocol/text/plain-error.ts';

/** What `work` comes to; meanwhile `look` is called again and again. It may be looking when the work is done, which `isDone` tells. */
export async function withProgress<T>(
  work: Promise<T>,
  everyMs: number,
  look: (isDone: () => boolean) => Promise<void>,
): Promise<T> {
  let done = false;
  const settled = work.finally(() => {
    done = true;
  });
  const watch = async (): Promise<void> => {
    while (!done) {
      await look(() => done);
      if (!done) await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  };
  const [result] = await Promise.all([settled, watch()]);
  return result;
}

export const messageOf = (error: unknown): string => errorSentence(error, '');
