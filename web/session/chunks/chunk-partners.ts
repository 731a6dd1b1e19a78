import type { RoomView } from '../../../signaling/protocol/room-view.ts';

const isLoading = ({ status }: RoomView['devices'][number]): boolean =>
  status.kind === 'loading' || status.kind === 'joining';

/**
 * With whom a device exchanges chunks of the model, besides the host: the devices are a tree, each with the one above it and at most two below,
 * in the order in which the room has them; every device finds the same one. Two need no link any more when both have what they need.
 */
export function chunkPartners(
  room: RoomView,
  self: string,
): { readonly above: string | null; readonly below: readonly string[] } {
  const devices = room.devices.filter(({ id, online }) => id !== room.host && online);
  const index = devices.findIndex(({ id }) => id === self);
  const own = devices[index];
  if (own === undefined) return { above: null, below: [] };
  const open = (at: number) => devices.slice(at, at + 1).filter((other) => isLoading(own) || isLoading(other));
  return {
    above: index === 0 ? null : (open(Math.floor((index - 1) / 2))[0]?.id ?? null),
    below: [2 * index + 1, 2 * index + 2].flatMap(open).map(({ id }) => id),
  };
}
