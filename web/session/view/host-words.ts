import type { RoomView } from '../../../signaling/protocol/room-view.ts';

/** What to tell of the host after a room changed; null for nothing. */
export function hostNews(before: RoomView | null, after: RoomView | null): string | null {
  if (after === null) return null;
  if (before !== null && before.host !== after.host) {
    const name = after.devices.find(({ id }) => id === after.host)?.name ?? 'Another device';
    return `The host went away; ${name} leads the session now.`;
  }
  const [was, is] = [isAway(before), isAway(after)];
  if (was === is) return null;
  return is
    ? 'The host is away. If it does not come back soon, another device goes on in its place, or the session waits for it.'
    : 'The host is back.';
}

/** Whether the host has lost the server, or is gone. */
export const isAway = (room: Pick<RoomView, 'host' | 'devices'> | null): boolean =>
  room !== null && !room.devices.some(({ id, online }) => id === room.host && online);
