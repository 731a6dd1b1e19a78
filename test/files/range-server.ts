import { createServer, type ServerResponse } from 'node:http';

/** A file as a server has it: its bytes may be made when they are asked for. */
export interface ServedFile {
  readonly size: number;
  readonly etag?: string;
  bytes(start: number, end: number): Uint8Array;
}

export function servedBytes(bytes: Uint8Array, etag?: string): ServedFile {
  return { size: bytes.length, bytes: (start, end) => bytes.subarray(start, end), ...(etag ? { etag } : {}) };
}

/** What hubs let pages of other origins see. */
const CROSS_ORIGIN = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'ETag, Accept-Ranges, Content-Range',
};

const PIECE_BYTES = 256 * 1024;

/** Serves files by range, as hubs do, and breaks off where it is told to. */
export class RangeServer {
  readonly files = new Map<string, ServedFile>();
  /** Bytes of bodies that were written, and the requests, in order. */
  served = 0;
  readonly requests: string[] = [];
  /** Connections are cut once so many more bytes were written; then `onCut` is called. */
  cutAfter = Number.POSITIVE_INFINITY;
  onCut: () => void = () => undefined;
  /** Answers 503 to everything. */
  busy = false;
  /** Answers with whole files only. */
  wholeOnly = false;
  /** Answers a range that is the whole file as if none had been asked for. */
  wholeForAll = false;
  /** Keeps Content-Range to itself, as servers do towards pages that they do not expose it to. */
  hidesRange = false;
  /** Of all answers together, as where everybody has one line. */
  bitsPerSecond = Number.POSITIVE_INFINITY;
  #freeMs = 0;
  /** Answers whatever else was asked for, as a page that is served with the files is. */
  other: (path: string, response: ServerResponse) => void = (_, response) => response.writeHead(404).end();
  url = '';
  readonly #server = createServer((request, response) => {
    const path = decodeURI(request.url ?? '').split('?')[0]!;
    const file = this.files.get(path);
    if (file === undefined) return this.other(path, response);
    this.requests.push(`${request.method} ${path} ${request.headers.range ?? 'all'}`);
    void this.#answer(file, this.wholeOnly ? undefined : request.headers.range, request.method === 'HEAD', response);
  });

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    this.url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
    return this;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** Until the line has taken so many bytes, after all that were written before. */
  #passed(bytes: number): Promise<void> {
    this.#freeMs = Math.max(this.#freeMs, performance.now()) + (8000 * bytes) / this.bitsPerSecond;
    const waitMs = this.#freeMs - performance.now();
    return new Promise((resolve) => setTimeout(resolve, waitMs));
  }

  async #answer(file: ServedFile, range: string | undefined, headOnly: boolean, response: ServerResponse) {
    if (this.busy) return response.writeHead(503, CROSS_ORIGIN).end();
    const isAll = this.wholeForAll && range === `bytes=0-${file.size - 1}`;
    const asked = isAll ? null : /^bytes=(\d+)-(\d*)$/.exec(range ?? '');
    const start = asked === null ? 0 : Number(asked[1]);
    const end = asked?.[2] ? Math.min(Number(asked[2]) + 1, file.size) : file.size;
    response.writeHead(asked === null ? 200 : 206, {
      ...CROSS_ORIGIN,
      'Content-Length': end - start,
      ...(asked === null || this.hidesRange ? {} : { 'Content-Range': `bytes ${start}-${end - 1}/${file.size}` }),
      ...(file.etag === undefined ? {} : { ETag: file.etag }),
    });
    if (headOnly) return response.end();
    for (let at = start; at < end; at += PIECE_BYTES) {
      const piece = file.bytes(at, Math.min(at + PIECE_BYTES, end));
      if (this.cutAfter < piece.length) {
        // What was written before goes out first.
        await new Promise((resolve) => response.write(piece.subarray(0, this.cutAfter), resolve));
        this.served += this.cutAfter;
        this.cutAfter = Number.POSITIVE_INFINITY;
        this.onCut();
        return response.destroy();
      }
      this.cutAfter -= piece.length;
      this.served += piece.length;
      const room = response.write(piece);
      if (response.destroyed) return;
      if (!room) await drained(response);
      if (Number.isFinite(this.bitsPerSecond)) await this.#passed(piece.length);
    }
    return response.end();
  }
}

/** Until there is room again, or nobody to write to. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}
