import { awaySentence } from '../../session/view/host-words.ts';
import type { SessionView } from '../../session/view/view.ts';
import * as say from '../../words/watch/cloth.ts';

/** What is told of a host that is away; null where it is not: it has lost the server, and this device has no link to it either. */
export function hostAway({ room, role, self, proofs, follows }: SessionView): { title: string; detail: string } | null {
  if (room === null || role === 'host' || room.phase === 'finished') return null;
  const host = room.devices.find(({ id }) => id === room.host);
  if (host === undefined || host.online || proofs[self] !== undefined) return null;
  return { title: say.theHostIsAway, detail: say.nothingIsLost(awaySentence(room, follows)) };
}
