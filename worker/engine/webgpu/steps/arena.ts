/** Steps of a fixed order of work, both ends included. */
export interface Interval {
  readonly first: number;
  readonly last: number;
}

/** A tensor of a pass and when it is needed. */
export interface Lifetime {
  readonly name: string;
  readonly bytes: number;
  readonly needed: readonly Interval[];
}

export interface ArenaPlan {
  /** Bytes of each slot; a slot becomes a buffer. */
  readonly slots: readonly number[];
  readonly slotOf: ReadonlyMap<string, number>;
}

export const overlap = (a: Lifetime, b: Lifetime): boolean =>
  a.needed.some((x) => b.needed.some((y) => x.first <= y.last && y.first <= x.last));

/**
 * Gives every tensor a slot such that no two tensors of one slot are needed at a time. Largest first, each into the smallest slot that
 * is free for its lifetime: slots never grow, and a small tensor does not hold up a large slot where a smaller one will do.
 */
export function planArena(tensors: readonly Lifetime[]): ArenaPlan {
  const slots: { bytes: number; tenants: Lifetime[] }[] = [];
  const slotOf = new Map<string, number>();
  const order = tensors.toSorted(
    (a, b) => b.bytes - a.bytes || a.needed[0]!.first - b.needed[0]!.first || (a.name < b.name ? -1 : 1),
  );
  for (const tensor of order) {
    let best: number | undefined;
    slots.forEach(({ bytes, tenants }, index) => {
      if (tenants.some((tenant) => overlap(tenant, tensor))) return;
      if (best === undefined || bytes < slots[best]!.bytes) best = index;
    });
    if (best === undefined) best = slots.push({ bytes: tensor.bytes, tenants: [] }) - 1;
    slots[best]!.tenants.push(tensor);
    slotOf.set(tensor.name, best);
  }
  return { slots: slots.map(({ bytes }) => bytes), slotOf };
}
