import { type ByteSource, bytesSource, MissingFileError, SourceError } from './byte-source.ts';

/** A connection that delivers nothing for so long is given up and opened again. */
const STALL_MS = 20_000;
/** Attempts in a row without a byte before a read fails, and the wait before the second of them, which then doubles. */
const ATTEMPTS = 5;
/** The first request of a file gets fewer: an address that nobody answers at is most likely mistyped. */
const FIRST_ATTEMPTS = 2;
const FIRST_WAIT_MS = 250;
/** A request grows to this while reads follow each other: few requests, and little wasted where a reader jumps. */
const MAX_REQUEST_BYTES = 64 * 2 ** 20;
/** Passing over so many bytes is quicker than a new request. */
const SKIP_BYTES = 256 * 1024;
/** An answer that nobody reads on for so long is let go. */
const IDLE_MS = 3_000;

/** Of a server that tells no size, as it goes for small files. */
const MAX_UNTOLD_BYTES = 64 * 2 ** 20;

/** What of `fetch` is used here; a headless device brings one that looks at where it connects to (guarded-fetch.ts). */
export type Fetch = (
  url: string,
  options: {
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal;
  },
) => Promise<Response>;

/** `no-store`: large files would drive all else from the browser's cache. */
const plainFetch: Fetch = (url, options) => fetch(url, { ...options, cache: 'no-store' });

/** The connection broke or the server is busy: the same request may succeed a little later. */
class Interruption extends Error {}

/** An answer that is being read. */
interface Body {
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly stop: AbortController;
  /** Where in the file its next byte lies, and where it should end. */
  at: number;
  readonly end: number;
  /** Bytes that have arrived and not been taken. */
  left: Uint8Array;
}

/**
 * A file behind HTTP. Reads that follow each other are served from one answer as it arrives; no more than the system's own buffers is
 * held ahead of the reader. A connection that breaks is opened again from the byte where it broke. Servers that do not know ranges work
 * as well, at the price of reading past what was skipped.
 * @throws SourceError when the server refuses, sends other bytes than it was asked for, or cannot be reached for some seconds.
 */
export async function httpSource(url: string, fetcher: Fetch = plainFetch): Promise<ByteSource> {
  const get: Get = (headers, method, signal) => request(fetcher, url, headers, method, signal);
  const probe = await patiently(url, () => get({ Range: 'bytes=0-0' }), FIRST_ATTEMPTS);
  const etag = probe.headers.get('etag') ?? probe.headers.get('x-repo-commit');
  const [size, hasRanges] = await fileSize(url, probe, get);
  if (size === null) return bytesSource(await wholeBody(url, await get({})));
  return new HttpSource(url, size, etag, hasRanges, get);
}

/** The file's size where the server tells it, and whether it knows ranges. */
async function fileSize(url: string, probe: Response, get: Get): Promise<[number | null, boolean]> {
  const hasRanges = probe.status === 206;
  const told = hasRanges ? /\/(\d+)$/.exec(probe.headers.get('content-range') ?? '')?.[1] : contentLength(probe);
  await probe.body?.cancel();
  const size = sizeOf(told);
  if (size !== null) return [size, hasRanges];
  // Across origins a server may hide Content-Range, but not Content-Length.
  const head = await patiently(url, () => get({}, 'HEAD'));
  return [sizeOf(contentLength(head)) || null, hasRanges];
}

/** What a server tells for a size, if it is one. */
const sizeOf = (told: string | undefined): number | null =>
  told !== undefined && /^\d{1,15}$/.test(told) ? Number(told) : null;

/** All that an answer without a size brings. */
async function wholeBody(url: string, { body }: Response): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  const reader = body?.getReader();
  try {
    for (let part = await reader?.read(); part?.value !== undefined; part = await withinTime(reader!.read())) {
      bytes += part.value.length;
      if (bytes > MAX_UNTOLD_BYTES)
        throw new SourceError(`${url} tells no size and goes on beyond ${MAX_UNTOLD_BYTES} bytes; it is not read.`);
      parts.push(part.value);
    }
  } finally {
    await reader?.cancel().catch(() => undefined);
  }
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Undefined where the length is that of a compressed answer. */
function contentLength({ headers }: Response): string | undefined {
  return headers.has('content-encoding') ? undefined : (headers.get('content-length') ?? undefined);
}

class HttpSource implements ByteSource {
  readonly size: number;
  readonly etag: string | null;
  readonly #url: string;
  readonly #hasRanges: boolean;
  readonly #get: Get;
  #body: Body | null = null;
  #requestBytes = 0;
  #readTo = -1;
  /** Settles when the reads before have ended: they share one answer. */
  #turn: Promise<unknown> = Promise.resolve();
  #idle: ReturnType<typeof setTimeout> | undefined;

  constructor(url: string, size: number, etag: string | null, hasRanges: boolean, get: Get) {
    this.#get = get;
    this.#url = url;
    this.size = size;
    this.etag = etag;
    this.#hasRanges = hasRanges;
  }

  read(start: number, end: number): Promise<Uint8Array> {
    const reading = this.#turn.then(() => this.#read(start, end));
    this.#turn = reading.catch(() => undefined);
    return reading;
  }

  async #read(start: number, end: number): Promise<Uint8Array> {
    clearTimeout(this.#idle);
    this.#requestBytes = start === this.#readTo ? Math.min(2 * this.#requestBytes, MAX_REQUEST_BYTES) : 0;
    this.#requestBytes = Math.max(this.#requestBytes, end - start);
    const out = new Uint8Array(end - start);
    let filled = 0;
    while (filled < out.length)
      await patiently(this.#url, async () => {
        const body = await this.#bodyAt(start + filled);
        const taken = body.left.subarray(0, out.length - filled);
        out.set(taken, filled);
        filled += taken.length;
        body.at += taken.length;
        body.left = body.left.subarray(taken.length);
        if (body.at === body.end) this.#close();
      }).catch((error: unknown) => {
        this.#close();
        throw error;
      });
    this.#readTo = end;
    this.#idle = setTimeout(() => this.#close(), IDLE_MS);
    return out;
  }

  /** An answer whose next byte is the file's byte `at`, with at least one byte there. */
  async #bodyAt(at: number): Promise<Body> {
    const reachable = this.#hasRanges ? SKIP_BYTES : Number.POSITIVE_INFINITY;
    if (this.#body !== null && (at < this.#body.at || at - this.#body.at > reachable)) this.#close();
    this.#body ??= await this.#request(at);
    const body = this.#body;
    try {
      while (body.at < at || body.left.length === 0) {
        const skipped = Math.min(body.left.length, at - body.at);
        body.at += skipped;
        body.left = body.left.subarray(skipped);
        if (body.left.length > 0) break;
        const { value, done } = await withinTime(body.reader.read());
        if (done) throw new Interruption(`ended at byte ${body.at} of ${body.end}`);
        if (body.at + value.length > body.end)
          throw new SourceError(`${this.#url} sends more bytes than it was asked for; the server is at fault.`);
        body.left = value;
      }
      return body;
    } catch (error) {
      this.#close();
      if (error instanceof SourceError) throw error;
      throw new Interruption(error instanceof Error ? error.message : String(error));
    }
  }

  async #request(from: number): Promise<Body> {
    const end = this.#hasRanges ? Math.min(this.size, from + this.#requestBytes) : this.size;
    const stop = new AbortController();
    const range = { Range: `bytes=${from}-${end - 1}` };
    const response = await this.#get(this.#hasRanges ? range : {}, 'GET', stop.signal);
    const { headers, status, body } = response;
    const told = /bytes (\d+)-\d+\/(\d+)$/.exec(headers.get('content-range') ?? '');
    const etag = headers.get('etag');
    if ((told && Number(told[2]) !== this.size) || (etag && this.etag && etag !== this.etag))
      throw new SourceError(`${this.#url} changed on the server while it was being read; start again.`);
    // A range that is the whole file may be answered as such.
    const isWhole = status === 200 && from === 0 && end === this.size;
    if (this.#hasRanges && !isWhole && (status !== 206 || (told && Number(told[1]) !== from)))
      throw new SourceError(`${this.#url}: the server no longer answers ranges as it did; start again.`);
    if (body === null) throw new Interruption('has no bytes');
    return { reader: body.getReader(), stop, at: this.#hasRanges ? from : 0, end, left: new Uint8Array(0) };
  }

  #close(): void {
    this.#body?.reader.cancel().catch(() => undefined);
    this.#body?.stop.abort();
    this.#body = null;
  }
}

/** Tries again while it is interrupted, waiting longer each time. */
async function patiently<T>(url: string, work: () => Promise<T>, attempts = ATTEMPTS): Promise<T> {
  for (let attempt = 1; ; attempt++)
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Interruption)) throw error;
      if (attempt === attempts) throw new SourceError(`${url} cannot be reached (${error.message}).`);
      await new Promise((resolve) => setTimeout(resolve, FIRST_WAIT_MS * 2 ** (attempt - 1)));
    }
}

async function withinTime<T>(work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Interruption(`nothing came for ${STALL_MS / 1000} seconds`)), STALL_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

type Get = (headers: Readonly<Record<string, string>>, method?: string, signal?: AbortSignal) => Promise<Response>;

async function request(
  fetcher: Fetch,
  url: string,
  headers: Readonly<Record<string, string>>,
  method = 'GET',
  signal?: AbortSignal,
): Promise<Response> {
  let response: Response;
  try {
    // `identity`: a compressed answer would make ranges meaningless.
    const asked = { ...headers, 'Accept-Encoding': 'identity' };
    response = await withinTime(fetcher(url, { method, headers: asked, ...(signal && { signal }) }));
  } catch (error) {
    if (error instanceof SourceError) throw error;
    const { message, cause } = error instanceof Error ? error : { message: String(error), cause: undefined };
    throw new Interruption(cause instanceof Error ? `${message}: ${cause.message}` : message);
  }
  if (response.ok) return response;
  await response.body?.cancel();
  const { status } = response;
  if (status === 404) throw new MissingFileError(`${url} answers 404 (not found).`);
  if (status === 401 || status === 403)
    throw new SourceError(`${url} answers ${status}: it is private or gated, and cannot be read without an account.`);
  if (status === 408 || status === 429 || status >= 500) throw new Interruption(`it answers ${status}`);
  throw new SourceError(`${url} answers ${status}.`);
}
