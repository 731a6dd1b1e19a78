/** What is used of Cloudflare's Workers and Durable Objects, as their documentation has it; nothing here is code of ours that runs. */

/** A socket that the platform keeps open while its object is put away. */
export interface ObjectSocket {
  readonly readyState: number;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  /** At most 2 KiB, kept with the socket. */
  serializeAttachment(data: unknown): void;
  deserializeAttachment(): unknown;
}

export interface SqlStorage {
  /** At once, within the event's transaction; what the object says afterwards waits until it is on disk. */
  exec(query: string, ...values: readonly (string | number)[]): Iterable<Record<string, unknown>>;
}

export interface ObjectStorage {
  readonly sql: SqlStorage;
  getAlarm(): Promise<number | null>;
  setAlarm(atMs: number): Promise<void>;
  deleteAll(): Promise<void>;
}

export interface ObjectState {
  readonly storage: ObjectStorage;
  acceptWebSocket(socket: ObjectSocket, tags?: readonly string[]): void;
  getWebSockets(tag?: string): readonly ObjectSocket[];
  blockConcurrencyWhile<T>(work: () => Promise<T>): Promise<T>;
}

export interface Fetcher {
  fetch(url: string | Request, init?: RequestInit): Promise<Response>;
}

export interface ObjectNamespace {
  idFromName(name: string): unknown;
  get(id: unknown): Fetcher;
}

/** One's own end and the visitor's, as `0` and `1`. */
export type SocketPair = new () => { readonly 0: ObjectSocket; readonly 1: ObjectSocket };

declare global {
  var WebSocketPair: SocketPair;
}

/** An answer that hands the visitor's end over. */
export function upgraded(socket: ObjectSocket): Response {
  const init: ResponseInit & { readonly webSocket: ObjectSocket } = { status: 101, webSocket: socket };
  return new Response(null, init);
}

/** What a deployment brings: bindings, and the words that a person sets (signaling/cloudflare/wrangler.json names them). */
export interface Environment {
  readonly ROOMS: ObjectNamespace;
  readonly ADDRESSES: ObjectNamespace;
  readonly PLANNER: Fetcher;
  /** The built page; absent where rooms alone are served. */
  readonly ASSETS?: Fetcher;
  /** At least 32 characters that nobody else knows. */
  readonly SECRET?: string;
  readonly TURN_SECRET?: string;
  /** ICE servers, as JSON. */
  readonly ICE_SERVERS?: string;
  /** Limits in place of the project's own, as JSON. */
  readonly LIMITS?: string;
  /** Origins of pages elsewhere that may connect, with spaces between. */
  readonly ALLOW_ORIGINS?: string;
  /** The header that says whom a request is from; Cloudflare's own unless given. */
  readonly ADDRESS_HEADER?: string;
  /** `always`: an object puts its core away before everything that happens, as the platform may at any time. For tests. */
  readonly EVICT?: string;
}
