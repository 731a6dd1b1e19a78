/**
 * What travels over an event stream, by which a client without WebSockets carries its connections: items, one a line. Both sides speak them,
 * the server as server-sent events, the client in the bodies of its requests.
 *
 *     1+           a connection to a room is to be opened (client), or is open (server)
 *     2+ID TOKEN   one for introductions, and who it says to be
 *     1:TEXT       a message
 *     1-           the connection is closed, or was refused
 */
export type StreamItem =
  | { readonly type: 'open'; readonly connection: number; readonly introduction: StreamIntroduction | null }
  | { readonly type: 'text'; readonly connection: number; readonly text: string }
  | { readonly type: 'close'; readonly connection: number };

export interface StreamIntroduction {
  readonly id: string;
  readonly token: string;
}

/** The first event of a stream: what the client's requests name it by, and nobody else knows. */
export const TOKEN_MARK = '=';
export const TOKEN_PATTERN = /^[\w-]{22}$/;
/** Connections are numbered from 0; a client that opened more begins a new stream. */
export const MAX_CONNECTION_NUMBER = 999_999;
/** Connections that a stream carries at once: a device has two, and looks at another session now and then. */
export const MAX_CONNECTIONS_OF_STREAM = 8;

const ITEM = /^(\d{1,6})([+:-])(.*)$/s;
const INTRODUCTION = /^([\w-]{1,64}) ([\w-]{1,64})$/;

/** Null for what is no item. A text is not looked at; it may be anything without a line break. */
export function parseStreamItem(line: string): StreamItem | null {
  const match = ITEM.exec(line);
  if (match === null) return null;
  const [, number, sign, rest] = match;
  const connection = Number(number);
  if (sign === ':') return { type: 'text', connection, text: rest };
  if (sign === '-') return rest === '' ? { type: 'close', connection } : null;
  if (rest === '') return { type: 'open', connection, introduction: null };
  const named = INTRODUCTION.exec(rest);
  return named === null ? null : { type: 'open', connection, introduction: { id: named[1], token: named[2] } };
}

/** A text with a line break in it would be two items; JSON as `JSON.stringify` writes it has none. */
export function streamItemText(item: StreamItem): string {
  switch (item.type) {
    case 'open': {
      const { connection, introduction } = item;
      return introduction === null ? `${connection}+` : `${connection}+${introduction.id} ${introduction.token}`;
    }
    case 'text':
      return `${item.connection}:${item.text}`;
    case 'close':
      return `${item.connection}-`;
    default:
      return item satisfies never;
  }
}
