import * as v from 'valibot';
import { PeerIdSchema } from '../protocol/ids.ts';
import { type Parsed, parse } from '../protocol/messages.ts';

/**
 * PeerJS's signalling protocol as its client speaks it. Only data connections exist here; what the client does not need to be told is not
 * passed on, and a serialization that it does not know would throw in it.
 */

/** One message as JSON text, in UTF-16 code units: a description of a connection takes one to three thousand. */
export const MAX_INTRODUCTION_CHARACTERS = 16 * 1024;

const connectionId = v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/, 'a connection id'));
const type = v.literal('data');
const description = (kind: 'offer' | 'answer') =>
  v.object({ type: v.literal(kind), sdp: v.pipe(v.string(), v.maxLength(MAX_INTRODUCTION_CHARACTERS)) });

const dst = PeerIdSchema;
const MessageSchema = v.variant('type', [
  v.object({ type: v.literal('HEARTBEAT') }),
  v.object({
    type: v.literal('OFFER'),
    dst,
    payload: v.object({
      sdp: description('offer'),
      type,
      connectionId,
      label: v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/)),
      reliable: v.boolean(),
      serialization: v.picklist(['binary', 'json', 'raw', 'default']),
    }),
  }),
  v.object({ type: v.literal('ANSWER'), dst, payload: v.object({ sdp: description('answer'), type, connectionId }) }),
  v.object({
    type: v.literal('CANDIDATE'),
    dst,
    payload: v.object({
      candidate: v.object({
        candidate: v.pipe(v.string(), v.maxLength(1024)),
        sdpMid: v.optional(v.nullable(v.pipe(v.string(), v.maxLength(64)))),
        sdpMLineIndex: v.optional(v.nullable(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(255)))),
        usernameFragment: v.optional(v.nullable(v.pipe(v.string(), v.maxLength(256)))),
      }),
      type,
      connectionId,
    }),
  }),
  v.object({ type: v.literal('LEAVE'), dst }),
  v.object({ type: v.literal('EXPIRE'), dst }),
]);
export type IntroductionMessage = v.InferOutput<typeof MessageSchema>;

export function parseIntroductionMessage(text: string): Parsed<IntroductionMessage> {
  if (text.length > MAX_INTRODUCTION_CHARACTERS) return { ok: false, sentence: 'The message is too long.' };
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return { ok: false, sentence: 'The message is not JSON.' };
  }
  return parse(MessageSchema, data, 'message');
}

/** What this side says: to whoever opens a connection, and instead of somebody who cannot be reached. */
export type IntroductionAnswer =
  | { readonly type: 'OPEN' }
  | { readonly type: 'ERROR' | 'ID-TAKEN'; readonly payload: { readonly msg: string } }
  /** The offer reached nobody. */
  | { readonly type: 'EXPIRE'; readonly src: string; readonly dst: string };
