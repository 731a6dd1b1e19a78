import { utf8Bytes } from '../protocol/text/plain-text.ts';
import { countWrongGuess } from './addresses.ts';
import { fullAllowance, spend } from './bounds/allowance.ts';
import { INTRODUCTION_SILENCE_MS } from './bounds/limits.ts';
import { close, open } from './connections.ts';
import type { Connection, ConnectionId, OpenRoom, Place, Turn } from './core.ts';
import { introductionOf, isSame } from './door/secrets.ts';
import { type IntroductionAnswer, parseIntroductionMessage } from './introduction-messages.ts';
import { change } from './telling.ts';

/**
 * Introduces devices of one room to each other, in the protocol of PeerJS's client, so that they can open links. Ids and tokens come from
 * the room (`introductionOf`); nothing waits here for anybody: who is not there cannot be reached, and the caller learns it at once.
 */

function answer({ effects }: Turn, { id }: Connection, message: IntroductionAnswer): void {
  effects.push({ type: 'send', to: [id], text: JSON.stringify(message) });
}

/** A connection for introductions, and who it says to be. A device has one; a newer one takes the place of an older one. */
export function openLine(
  turn: Turn,
  id: ConnectionId,
  address: string,
  { id: peerId, token }: { readonly id: string; readonly token: string },
): void {
  const { core, nowMs } = turn;
  const connection = open(turn, id, address, { kind: 'introductions', lookMs: INTRODUCTION_SILENCE_MS });
  const place = core.introductions.get(peerId);
  const room = place && core.rooms.get(place.room);
  const device = room?.state.devices.find((d) => d.id === place?.device);
  const isOwn = room && device && isSame(token, introductionOf(core.secrets.server, room.state.id, device).token);
  if (!place || !room || !device || !isOwn) {
    // Nobody guesses an id; who comes with one that is not known comes from a room that was forgotten.
    if (room !== undefined) countWrongGuess(turn, connection, room);
    const msg = 'This id is not known here, or belongs to another device.';
    answer(turn, connection, { type: device === undefined ? 'ERROR' : 'ID-TAKEN', payload: { msg } });
    close(turn, id);
    return;
  }
  const old = room.lines.get(device.id);
  if (old !== undefined) close(turn, old.connection);
  room.lines.set(device.id, { connection: id, inbox: fullAllowance(core.limits.introductionBytesOfDevice, nowMs) });
  connection.place = place;
  answer(turn, connection, { type: 'OPEN' });
  if (device.peerId !== peerId) change(turn, room, { type: 'address', device: device.id, peerId });
}

/** What somebody says over such a connection: it goes to a device of the same room, or nowhere. */
export function introduce(turn: Turn, room: OpenRoom, connection: Connection, from: Place, text: string): void {
  const { core, nowMs } = turn;
  const parsed = parseIntroductionMessage(text);
  // PeerJS would end its connection for an error; a message that is not one of its own is left out.
  if (!parsed.ok || parsed.value.type === 'HEARTBEAT' || parsed.value.type === 'EXPIRE') return;
  const { dst } = parsed.value;
  const self = room.state.devices.find(({ id }) => id === from.device);
  if (!self?.peerId) return;
  const src = self.peerId;
  const to = core.introductions.get(dst);
  const line = to?.room === from.room ? room.lines.get(to.device) : undefined;
  const message = JSON.stringify({ ...parsed.value, src });
  const inbox = line && spend(line.inbox, core.limits.introductionBytesOfDevice, nowMs, utf8Bytes(message));
  if (line !== undefined && inbox) {
    line.inbox = inbox;
    turn.effects.push({ type: 'send', to: [line.connection], text: message });
  } else if (parsed.value.type === 'OFFER') answer(turn, connection, { type: 'EXPIRE', src: dst, dst: src });
}
