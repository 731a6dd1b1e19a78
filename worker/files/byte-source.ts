import { SentenceError } from '../../signaling/protocol/text/sentence-error.ts';

/** Random access to the bytes of a file, wherever it lies. */
export interface ByteSource {
  /** Bytes of the whole file. */
  readonly size: number;
  /** Bytes `start` up to, not including, `end`; both within the file. The result may be a view of shared memory: do not write to it. */
  read(start: number, end: number): Promise<Uint8Array>;
  /** Changes when the file does, where whoever serves it says so. */
  readonly etag?: string | null;
  /** How many of these bytes this device keeps already; absent where it keeps none. */
  keptBytes?(start: number, end: number): number;
}

export class SourceError extends SentenceError {
  override readonly name: string = 'SourceError';
}

/** There is no such file, though whoever should have it answers. */
export class MissingFileError extends SourceError {
  override readonly name = 'MissingFileError';
}

export function bytesSource(bytes: Uint8Array): ByteSource {
  return { size: bytes.length, read: async (start, end) => bytes.subarray(start, end) };
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
