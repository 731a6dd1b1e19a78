import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';

/** What `count-allocations.mjs` writes: bytes at the moment when one thread of a process had most. */
const CountSchema = v.object({
  /** Of the device, as its process was told; `host` for the one that was told none. */
  name: v.string(),
  threadId: v.number(),
  wasm: v.number(),
  buffers: v.number(),
});
export type Count = v.InferOutput<typeof CountSchema>;

/** The environment with which every process started from here, and every thread of theirs, counts into `folder`. */
export const countingOptions = (folder: string): Readonly<Record<string, string>> => ({
  TABLOOM_COUNT: folder,
  NODE_OPTIONS:
    `${process.env.NODE_OPTIONS ?? ''} --import ${fileURLToPath(new URL('./count-allocations.mjs', import.meta.url))}`.trim(),
});

/** By device: the thread that allocated most, which is its engine's. */
export function allocated(folder: string): ReadonlyMap<string, Count> {
  const most = new Map<string, Count>();
  for (const file of readdirSync(folder)) {
    const count = v.parse(CountSchema, JSON.parse(readFileSync(join(folder, file), 'utf8')));
    const known = most.get(count.name);
    if (known === undefined || known.wasm + known.buffers < count.wasm + count.buffers) most.set(count.name, count);
  }
  return most;
}
