/** Plain data as the page derives it: no functions, no classes, no circles. */

const isPlain = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/**
 * `after`, with everything in it that is as it was before taken from `before`: what did not change keeps its identity, and what draws it can
 * see that at a glance. Costs a walk over the data, which is much less than a walk over the nodes that show it.
 */
export function shared<T>(before: T | undefined, after: T): T {
  if (Object.is(before, after) || !isPlain(before) || !isPlain(after)) return after;
  if (Array.isArray(before) !== Array.isArray(after)) return after;
  const keys = Object.keys(after);
  let same = keys.length === Object.keys(before).length;
  const out: Record<string, unknown> | unknown[] = Array.isArray(after) ? new Array(keys.length) : {};
  for (const key of keys) {
    const kept = shared(before[key], after[key]);
    if (!Object.is(kept, before[key]) || !(key in before)) same = false;
    Reflect.set(out, key, kept);
  }
  return same ? before : asOf(after, out);
}

/** The same keys with values of the same types. */
const asOf = <T>(_after: T, out: unknown): T => out as T;
