import { passHashOf, passOf, secretOf } from '../../signaling/protocol/door/secret.ts';
import type { Door } from '../../signaling/protocol/door.ts';
import type { ClientMessage, ServerMessage } from '../../signaling/protocol/messages.ts';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { SETTINGS } from '../protocol/samples.ts';
import { device, Play } from './play.ts';

export const PASS = passOf(secretOf(new Uint8Array(16).fill(5)));
export const WRONG = passOf(secretOf(new Uint8Array(16).fill(6)));
export const passHash = passHashOf(PASS);

export const first = (said: readonly ServerMessage[]): string | undefined =>
  said.find(({ type }) => type !== 'hello' && type !== 'ping')?.type;
export const refusal = (said: readonly ServerMessage[]) => {
  const found = said.find((m) => m.type === 'error' || m.type === 'closed');
  return found?.type === 'error' ? { sentence: found.sentence, why: found.why } : { sentence: found?.sentence };
};
export const remarks = (said: readonly ServerMessage[]): string[] =>
  said.flatMap((m) => (m.type === 'error' && !m.refused ? [m.sentence] : []));
export const entrances = (said: readonly ServerMessage[]) =>
  said.flatMap((m) => (m.type === 'news' && m.entrance !== undefined ? [m.entrance] : []));

/** A session with this door, its host's connection, and what the host sees of it now. */
export function scene(door: Door, change: Partial<Extract<ClientMessage, { type: 'create' }>> = {}) {
  const play = new Play();
  const { connection: host, room } = play.host('hosthost', 'home', { passHash, door, ...change });
  const waiting = (): readonly string[] | undefined => {
    play.pass(100);
    return entrances(play.said(host))
      .at(-1)
      ?.waiting.map(({ id }) => id);
  };
  const inside = (): string[] => play.core.rooms.get(room)?.state.devices.map(({ id }) => id) ?? [];
  const say = (message: ClientMessage): void => play.send(host, message);
  return { play, host, room, waiting, inside, say };
}

export const creates = (id: string) =>
  ({ type: 'create', version: PROTOCOL_VERSION, device: device(id), settings: SETTINGS, cap: 64 }) as const;

/** What the host of a room was given to prove that its code is its own. */
export function hostClaimOf(play: Play, room: string): string {
  const connection = play.open('home');
  play.send(connection, { ...creates('hosthost'), room, passHash, door: 'link' });
  return play.said(connection).find((m) => m.type === 'welcome')?.claim ?? '';
}
