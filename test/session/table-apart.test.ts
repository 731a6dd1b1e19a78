import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { previewApart } from '../../web/session/world/table-apart.ts';
import type { TablePreview } from '../../worker/api/tables.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const FILE = { name: 'a\u0007.parquet', bytes: new Uint8Array(1_000_000) };

/** A worker whose reader does as it is told, and that counts its ends. */
function worker(previewTable: () => Promise<TablePreview>) {
  let ended = 0;
  return {
    start: () => ({
      api: { previewTable },
      terminate: () => {
        ended += 1;
      },
    }),
    ended: () => ended,
  };
}

it('ends the worker of a file that is never read, with a sentence', async () => {
  const { start, ended } = worker(() => new Promise(() => undefined));
  const preview = previewApart(start, FILE, 2).catch((error: Error) => error.message);
  // Half a minute, and two seconds a megabyte.
  await vi.advanceTimersByTimeAsync(31_999);
  expect(ended()).toBe(0);
  await vi.advanceTimersByTimeAsync(1);
  expect(await preview).toBe(
    'a\\u0007.parquet was not read within 32 seconds; it may be damaged. Save it again, as CSV for example.',
  );
  expect(ended()).toBe(1);
});

it('ends the worker of a file that was read, or is no table, and leaves no timer behind', async () => {
  const none = worker(() => Promise.reject(new Error('It is a picture.')));
  await expect(previewApart(none.start, FILE, 1)).rejects.toThrow('It is a picture.');
  expect([none.ended(), vi.getTimerCount()]).toEqual([1, 0]);
});
