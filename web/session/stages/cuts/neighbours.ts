import type { RoomPlan } from '../../../../signaling/protocol/plan.ts';

/** Towards the embeddings, or towards the head. */
export type Side = 'below' | 'above';

/** The device on each side; null where there is none. */
export type Beside = Readonly<Record<Side, string | null>>;

/** A device's neighbours in a plan's pipelines. */
export function besideInPlan(plan: RoomPlan | null, self: string): Beside {
  const own = plan?.assignments.find(({ device }) => device === self)?.stage;
  const at = (index: number): string | null =>
    plan?.assignments.find(({ stage }) => stage?.pipeline === own?.pipeline && stage?.index === index)?.device ?? null;
  return own === undefined ? { below: null, above: null } : { below: at(own.index - 1), above: at(own.index + 1) };
}

/** Which devices are to be linked, and on which side they are; to those above this device opens the link, those below open it. */
export function wantedLinks(
  beside: readonly Beside[],
  { self, host }: { readonly self: string; readonly host: string },
): ReadonlyMap<string, Side> {
  const wanted = new Map<string, Side>();
  for (const one of beside)
    for (const side of ['below', 'above'] as const) {
      const device = one[side];
      // What is for the host goes over the link that there is.
      if (device !== null && device !== self && device !== host && self !== host) wanted.set(device, side);
    }
  return wanted;
}
