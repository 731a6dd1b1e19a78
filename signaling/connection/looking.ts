import type { Look } from '../protocol/door.ts';
import type { ClientMessage } from '../protocol/messages.ts';
import type { ModelSource } from '../protocol/settings.ts';
import { countWrongGuess, mayGuess, mayLook } from './addresses.ts';
import { type Connection, type OpenRoom, refuse, say, type Turn } from './core.ts';
import { LOCKED } from './door/admission.ts';
import { isPassOf } from './door/secrets.ts';

export const TOO_MANY_GUESSES = 'Too many codes, keys or links were wrong. Wait a minute, then try again.';
export const TOO_MANY_LOOKS =
  'Too many looked at this session, or came from your address, just now. Try again in a moment.';

/** Whether the pass that somebody showed is the room's; null where they showed none. */
export const passFor = (room: OpenRoom | undefined, pass: string | undefined): boolean | null =>
  pass === undefined ? null : room !== undefined && isPassOf(pass, room.entrance.passHash);

export const noSuchSession = (code: string): string =>
  `There is no session with the code ${code}. Check the code, or ask the host for a new link.`;

/** Somebody asks from outside what a session is: what a person has to know to decide, and nothing else. */
export function look(turn: Turn, connection: Connection, message: Extract<ClientMessage, { type: 'look' }>): void {
  const room = turn.core.rooms.get(message.room);
  const pass = passFor(room, message.pass);
  // A pass cannot be guessed: who shows the right one need not wait for those who guess.
  if (pass !== true && !mayGuess(turn, connection, room ?? null)) refuse(turn, connection, TOO_MANY_GUESSES);
  else if (!mayLook(turn, connection, room ?? null)) refuse(turn, connection, TOO_MANY_LOOKS);
  else if (room === undefined) {
    countWrongGuess(turn, connection, null);
    refuse(turn, connection, noSuchSession(message.room), 'code');
  } else {
    if (pass === false) countWrongGuess(turn, connection, room);
    if (room.entrance.door === 'locked' && pass !== true) refuse(turn, connection, LOCKED);
    else say(turn, [connection.id], { type: 'outside', look: lookOf(room, pass) });
  }
}

function lookOf({ state, entrance }: OpenRoom, pass: boolean | null): Look {
  const host = state.devices.find(({ id }) => id === state.host);
  const { task, model } = state.settings;
  return {
    door: entrance.door,
    pass: pass === null ? 'none' : pass ? 'right' : 'wrong',
    title: task.title,
    ownTable: task.id === 'own',
    model: modelName(model),
    hostName: host?.name ?? 'the host',
    hostAway: host?.online !== true,
    devices: state.devices.length,
    cap: entrance.cap,
    ...(entrance.downloadBytes !== null && { downloadBytes: entrance.downloadBytes }),
  };
}

const modelName = (model: ModelSource): string => model.id;
