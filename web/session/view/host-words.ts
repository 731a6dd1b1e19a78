import type { RoomView } from '../../../signaling/protocol/room-view.ts';
import { bytesText } from '../../../signaling/protocol/words/quantities.ts';
import type { OwnTaskRequest } from '../../../worker/api/tables.ts';

/** What to tell of the host after a room changed; null for nothing. `follows`: this device could go on in its place. */
export function hostNews(before: RoomView | null, after: RoomView | null, follows: boolean): string | null {
  if (after === null) return null;
  if (before !== null && before.host !== after.host) {
    const name = after.devices.find(({ id }) => id === after.host)?.name ?? 'Another device';
    return `The host went away; ${name} leads the session now.`;
  }
  const [was, is] = [isAway(before), isAway(after)];
  if (was === is) return null;
  return is ? `The host is away. ${awaySentence(after, follows)}` : 'The host is back.';
}

/** What happens while the host of a room is away, for somebody in it. */
export function awaySentence({ settings }: Pick<RoomView, 'settings'>, follows: boolean): string {
  if (follows) return 'If it does not come back within seconds, this device or another one goes on in its place.';
  return settings.task.id === 'own'
    ? 'Its table is private: the session waits for it, unless it gave the table to another device, which goes on then.'
    : 'If it does not come back within seconds, another device goes on in its place, or the session waits for it.';
}

/** Told to the person at a device that was given a table. */
export function givenSentence({ title, train, dev }: Pick<OwnTaskRequest, 'title' | 'train' | 'dev'>): string {
  const bytes = train.bytes.length + (dev?.bytes.length ?? 0);
  return `The host gave this device its whole table, “${title}” (${bytesText(bytes)}): it can go on when the host is gone.`;
}

/** Whether the host has lost the server, or is gone. */
export const isAway = (room: Pick<RoomView, 'host' | 'devices'> | null): boolean =>
  room !== null && !room.devices.some(({ id, online }) => id === room.host && online);
