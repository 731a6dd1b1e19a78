import { awaySentence } from '../../session/view/host-words.ts';
import type { SessionView } from '../../session/view/view.ts';

/** What is told of a host that is away; null where it is not: it has lost the server, and this device has no link to it either. */
export function hostAway({ room, role, self, proofs, follows }: SessionView): { title: string; detail: string } | null {
  if (room === null || role === 'host' || room.phase === 'finished') return null;
  const host = room.devices.find(({ id }) => id === room.host);
  if (host === undefined || host.online || proofs[self] !== undefined) return null;
  return { title: 'The host is away', detail: `Nothing is lost. ${awaySentence(room, follows)}` };
}
