import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import * as v from 'valibot';
import { DEFAULT_LIMITS, type Limits } from '../connection/bounds/limits.ts';
import type { Core } from '../connection/core.ts';
import { newCore } from '../connection/step.ts';
import { type IceServer, IceServerSchema } from '../protocol/messages.ts';
import type { Environment } from './platform.ts';

const MIN_SECRET_CHARACTERS = 32;

/** Why this deployment cannot serve, for whoever made it; null where it can. */
export function unset({ SECRET = '' }: Environment): string | null {
  return SECRET.length >= MIN_SECRET_CHARACTERS
    ? null
    : `This deployment has no secret yet. Give it one of ${MIN_SECRET_CHARACTERS} characters or more: npx wrangler secret put SECRET.`;
}

const number = v.pipe(v.number(), v.finite(), v.minValue(0));
const rate = v.strictObject({ perSecond: number, burst: number });
const LimitsSchema = v.partial(
  v.strictObject({
    roomsOfAddress: number,
    connectionsOfAddress: number,
    openingsOfAddress: rate,
    messagesOfConnection: rate,
    introductionsOfConnection: rate,
    messagesOfAddress: rate,
    messagesOfRoom: rate,
    looksOfAddress: rate,
    looksOfRoom: rate,
    wrongGuessesOfAddress: rate,
    wrongGuessesOfRoom: rate,
    seatsOfRoom: rate,
    introductionBytesOfDevice: rate,
    newsBytesOfRoomPerSecond: number,
    newsMessages: rate,
  } satisfies { [name in Exclude<keyof Limits, 'rooms' | 'connections'>]: unknown }),
);

/** Throws where a limit has another name or form. An object has one room; how many objects there are is the platform's matter. */
export function limitsOf({ LIMITS = '{}' }: Environment): Limits {
  const given = v.parse(LimitsSchema, JSON.parse(LIMITS));
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { ...DEFAULT_LIMITS, ...set, rooms: 1 };
}

const iceServersOf = ({ ICE_SERVERS = '[]' }: Environment): IceServer[] =>
  v.parse(v.array(IceServerSchema), JSON.parse(ICE_SERVERS));

/** A core for the room of this code alone. */
export function newRoomCore(environment: Environment, code: string): Core {
  const server = sha256(utf8ToBytes(environment.SECRET ?? ''));
  const secrets = { server, turn: environment.TURN_SECRET ?? null };
  return newCore(limitsOf(environment), secrets, iceServersOf(environment), { only: code });
}
