import type { RoomView } from '../../../signaling/protocol/room-view.ts';

/** What to tell of the host after a room changed; null for nothing. */
export function hostNews(before: RoomView | null, after: RoomView | null): string | null {
  if (before === null || after === null) return null;
  if (before.host !== after.host) {
    const name = after.devices.find(({ id }) => id === after.host)?.name ?? 'Another device';
    return `The host went away; ${name} leads the session now.`;
  }
  const [was, is] = [isAway(before), isAway(after)];
  if (was === is) return null;
  return is
    ? 'The host is away. Another device goes on in its place if it does not come back soon and one may; otherwise the session waits.'
    : 'The host is back.';
}

/** Whether the host has lost the server, or is gone. */
export const isAway = ({ host, devices }: Pick<RoomView, 'host' | 'devices'>): boolean =>
  devices.some(({ id, online }) => id === host && !online);
