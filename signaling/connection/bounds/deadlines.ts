/**
 * What has to be looked at, and when: a binary heap, earliest first, of equals the one that was added first. Nothing is taken back; whoever
 * is woken looks whether there still is something to do. As plain data it can be stored between two events.
 */
export interface Deadlines<T> {
  readonly heap: { readonly atMs: number; readonly order: number; readonly what: T }[];
  added: number;
}

export const noDeadlines = <T>(): Deadlines<T> => ({ heap: [], added: 0 });

export const earliestMs = <T>({ heap }: Deadlines<T>): number | null => heap[0]?.atMs ?? null;

/** Whether or not it is due. */
export const earliest = <T>({ heap }: Deadlines<T>): T | null => heap[0]?.what ?? null;

type Entry<T> = Deadlines<T>['heap'][number];

const isBefore = <T>(a: Entry<T>, b: Entry<T>): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

export function addDeadline<T>(deadlines: Deadlines<T>, atMs: number, what: T): void {
  const { heap } = deadlines;
  const entry = { atMs, order: deadlines.added, what };
  deadlines.added += 1;
  let hole = heap.length;
  heap.push(entry);
  while (hole > 0) {
    const parent = (hole - 1) >> 1;
    if (isBefore(heap[parent], entry)) break;
    heap[hole] = heap[parent];
    hole = parent;
  }
  heap[hole] = entry;
}

/** Takes the earliest out if it is due. */
export function takeDue<T>({ heap }: Deadlines<T>, nowMs: number): T | null {
  const first = heap[0];
  if (first === undefined || first.atMs > nowMs) return null;
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return first.what;
  let hole = 0;
  for (;;) {
    let child = 2 * hole + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) child += 1;
    if (isBefore(last, heap[child])) break;
    heap[hole] = heap[child];
    hole = child;
  }
  heap[hole] = last;
  return first.what;
}
