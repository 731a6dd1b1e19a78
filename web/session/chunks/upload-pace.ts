import type { RoomView } from '../../../signaling/protocol/room-view.ts';
import type { SendPace } from '../links/message-link.ts';

/** Of a device's way out, while rounds run: all that it gives of the model together. */
const SHARE_BESIDE_ROUNDS = 0.25;
/** Where nobody has measured it yet. */
const UNKNOWN_BITS_PER_SECOND = 4e6;
const LEAST_BITS_PER_SECOND = 64e3;

/**
 * How fast a device may give a chunk over one of its links: as fast as it goes while the room gathers or rests, a share of the rate that
 * was measured while it trains. A host knows its own way out by what devices measured; the slowest of them counts.
 */
export function uploadPace(room: RoomView | null, self: string, links: number): SendPace | null {
  if (room?.phase !== 'training') return null;
  const measured = room.devices.flatMap(({ id, profile }) => {
    const isMeant = room.host === self ? id !== self : id === self;
    return isMeant && profile !== null ? [profile.linkBitsPerSecond] : [];
  });
  const bits = measured.length === 0 ? UNKNOWN_BITS_PER_SECOND : Math.min(...measured);
  return { bitsPerSecond: Math.max(LEAST_BITS_PER_SECOND, (SHARE_BESIDE_ROUNDS * bits) / Math.max(1, links)) };
}
