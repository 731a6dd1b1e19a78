import * as v from 'valibot';
import { addressKey } from '../connection/addresses.ts';
import { headersFor } from '../page/headers.ts';
import { idFromBytes, ROOM_ID_ALPHABET, ROOM_ID_LENGTH, RoomIdSchema } from '../protocol/ids.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import { ask } from './address-object.ts';
import type { Environment } from './platform.ts';
import { callHeader } from './room-call.ts';
import { unset } from './settings.ts';

export { AddressObject } from './address-object.ts';
export { RoomObject } from './room-object.ts';

/** As at every home: the paths that pages and headless devices use. PeerJS's client names the room as its `key`. */
const ROOM_PATH = '/room';
const INTRODUCTION_PATH = '/peer/peerjs';
/** Codes tried for a new room: chance hits one that is taken once in a hundred thousand times. */
const CODES_TRIED = 4;
const HUBS = ['https://huggingface.co'];
const headers = headersFor(HUBS, null);

/** The outermost part: looks at whose request it is, leads it to the object of its room, and hands out the page. */
export default {
  async fetch(request: Request, environment: Environment): Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname === ROOM_PATH || url.pathname === INTRODUCTION_PATH) return connect(request, url, environment);
    const answer = await file(request, url, environment);
    const withHeaders = new Response(answer.body, answer);
    for (const [name, value] of Object.entries(headers({ path: url.pathname, headers: { host: url.host } })))
      withHeaders.headers.set(name, value);
    return withHeaders;
  },
};

async function file(request: Request, { pathname }: URL, environment: Environment): Promise<Response> {
  if (pathname === '/config.json')
    return Response.json({ version: PROTOCOL_VERSION, hubPath: null, models: [], addresses: [] });
  if (pathname === '/health') {
    const why = unset(environment);
    return Response.json({ ok: why === null, ...(why !== null && { why }) }, { status: why === null ? 200 : 503 });
  }
  return environment.ASSETS?.fetch(request) ?? refusal(404, 'Not found.');
}

async function connect(request: Request, url: URL, environment: Environment): Promise<Response> {
  const why = unset(environment);
  if (why !== null) return refusal(503, why);
  if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket') return refusal(426, 'A WebSocket is served here.');
  if (!isOwnPage(request, url, environment)) return refusal(403, 'Pages of other origins may not connect here.');
  const query = url.searchParams;
  const isRoom = url.pathname === ROOM_PATH;
  const named = v.safeParse(RoomIdSchema, query.get(isRoom ? 'room' : 'key'));
  if (!named.success && (!isRoom || query.has('room'))) return refusal(404, 'There is no such session.');
  const address = addressOf(request, environment);
  const introduction = isRoom ? null : { id: word(query.get('id')), token: word(query.get('token')) };
  for (let tried = 0; tried < CODES_TRIED; tried++) {
    const code = named.success ? named.output : newCode();
    const makes = !named.success;
    const { refused, standing } = await ask(environment, address, { type: 'knock', code, makes });
    if (refused !== null) return refusal(429, refused);
    const room = environment.ROOMS.get(environment.ROOMS.idFromName(code));
    const call = callHeader({ code, makes, address, introduction, standing });
    const answer = await room.fetch('https://room/', { headers: { Upgrade: 'websocket', ...call } });
    // Taken: another one.
    if (answer.status !== 409) return answer;
  }
  return refusal(503, 'No free code was found. Try again.');
}

const word = (text: string | null): string => (text ?? '').slice(0, 64);

const newCode = (): string => idFromBytes(crypto.getRandomValues(new Uint8Array(ROOM_ID_LENGTH)), ROOM_ID_ALPHABET);

/** What is no browser names no origin. */
function isOwnPage(request: Request, url: URL, { ALLOW_ORIGINS = '' }: Environment): boolean {
  const origin = request.headers.get('origin');
  const own = [`http://${url.host}`, `https://${url.host}`];
  return origin === null || own.includes(origin) || ALLOW_ORIGINS.split(/\s+/).includes(origin);
}

/** Whom limits count a request for: as Cloudflare says, or the last proxy that a deployment elsewhere names. */
function addressOf(request: Request, { ADDRESS_HEADER = 'cf-connecting-ip' }: Environment): string {
  return addressKey(request.headers.get(ADDRESS_HEADER)?.split(',').at(-1)?.trim() ?? '');
}

const refusal = (status: number, sentence: string): Response => new Response(sentence, { status });
