/** Random access to the bytes of a file, wherever it lies. */
export interface ByteSource {
  /** Bytes of the whole file. */
  readonly size: number;
  /** Bytes `start` up to, not including, `end`; both within the file. The result may be a view of shared memory: do not write to it. */
  read(start: number, end: number): Promise<Uint8Array>;
}

export class SourceError extends Error {
  override readonly name = 'SourceError';
}

export function bytesSource(bytes: Uint8Array): ByteSource {
  return { size: bytes.length, read: async (start, end) => bytes.subarray(start, end) };
}

/**
 * A file behind HTTP, read by range requests. A server that answers a range with the whole file is read once, into memory.
 * @throws SourceError when the server refuses, or sends other bytes than it was asked for.
 */
export async function httpSource(url: string): Promise<ByteSource> {
  const first = await get(url, 'bytes=0-0');
  if (first.status === 200) return bytesSource(new Uint8Array(await first.arrayBuffer()));
  // Drained, so that the connection can be used again.
  await first.arrayBuffer();
  const size = Number(/\/(\d+)$/.exec(first.headers.get('content-range') ?? '')?.[1]);
  // Across origins the server may hide Content-Range.
  if (!Number.isSafeInteger(size)) return bytesSource(new Uint8Array(await (await get(url)).arrayBuffer()));
  return {
    size,
    read: async (start, end) => {
      if (start === end) return new Uint8Array(0);
      const response = await get(url, `bytes=${start}-${end - 1}`);
      const bytes = new Uint8Array(await response.arrayBuffer());
      const wanted = response.status === 206 ? bytes : bytes.subarray(start, end);
      if (wanted.length !== end - start)
        throw new SourceError(`${url}: ${wanted.length} bytes came for a range of ${end - start}; try again.`);
      return wanted;
    },
  };
}

async function get(url: string, range?: string): Promise<Response> {
  let response: Response;
  try {
    // `identity`: a compressed answer would make ranges meaningless.
    response = await fetch(
      url,
      range === undefined ? {} : { headers: { Range: range, 'Accept-Encoding': 'identity' } },
    );
  } catch (error) {
    throw new SourceError(`${url} cannot be reached (${error instanceof Error ? error.message : String(error)}).`);
  }
  if (!response.ok)
    throw new SourceError(`${url} answers ${response.status}${response.status === 404 ? ' (not found)' : ''}.`);
  return response;
}

/**
 * Serves small reads from one window that is read ahead, so that the hundreds of tensors of a file cost a few requests.
 * Reads of a window's size or more go straight through.
 */
export function readAhead(source: ByteSource, windowBytes = 4 * 1024 * 1024): ByteSource {
  let windowStart = 0;
  let windowEnd = 0;
  let window: Promise<Uint8Array> | undefined;
  return {
    size: source.size,
    read: async (start, end) => {
      if (window !== undefined && start >= windowStart && end <= windowEnd) {
        const from = windowStart;
        return (await window).subarray(start - from, end - from);
      }
      if (end - start >= windowBytes) return source.read(start, end);
      windowStart = start;
      windowEnd = Math.min(start + windowBytes, source.size);
      const reading = source.read(windowStart, windowEnd);
      window = reading;
      reading.catch(() => {
        if (window === reading) window = undefined;
      });
      return (await reading).subarray(0, end - start);
    },
  };
}
