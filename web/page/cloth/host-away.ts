import type { SessionView } from '../../session/view/view.ts';

export const HOST_AWAY = {
  title: 'The host is away',
  detail: 'Nothing is lost; this device waits until it comes back.',
} as const;

/** The host has lost the server, and this device has no link to it either; one that has goes on training meanwhile. */
export function isHostAway({ room, role, self, proofs }: SessionView): boolean {
  if (room === null || role === 'host' || room.phase === 'finished') return false;
  const host = room.devices.find(({ id }) => id === room.host);
  return host !== undefined && !host.online && proofs[self] === undefined;
}
