import type { RoomView } from '../../../signaling/protocol/room-view.ts';
import { bytesText } from '../../../signaling/protocol/words/quantities.ts';
import type { OwnTaskRequest } from '../../../worker/api/tables.ts';
import * as say from '../../words/session/view.ts';

/** What to tell of the host after a room changed; null for nothing. `follows`: this device could go on in its place. */
export function hostNews(before: RoomView | null, after: RoomView | null, follows: boolean): string | null {
  if (after === null) return null;
  if (before !== null && before.host !== after.host) {
    const name = after.devices.find(({ id }) => id === after.host)?.name ?? say.anotherDevice;
    return say.theHostWentAwayLeads(name);
  }
  const [was, is] = [isAway(before), isAway(after)];
  if (was === is) return null;
  return is ? say.theHostIsAway(awaySentence(after, follows)) : say.theHostIsBack;
}

/** What happens while the host of a room is away, for somebody in it. */
export function awaySentence({ settings }: Pick<RoomView, 'settings'>, follows: boolean): string {
  if (follows) return say.ifItDoesNotCome;
  return settings.task.id === 'own' ? say.itsTableIsPrivate : say.ifItDoesNotComeBackWithin;
}

/** Told to the person at a device that was given a table. */
export function givenSentence({ title, train, dev }: Pick<OwnTaskRequest, 'title' | 'train' | 'dev'>): string {
  const bytes = train.bytes.length + (dev?.bytes.length ?? 0);
  return say.theHostGaveThisDevice(title, bytesText(bytes));
}

/** Whether the host has lost the server, or is gone. */
export const isAway = (room: Pick<RoomView, 'host' | 'devices'> | null): boolean =>
  room !== null && !room.devices.some(({ id, online }) => id === room.host && online);
