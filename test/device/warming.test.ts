import { describe, expect, it } from 'vitest';
import { Warmth } from '../../worker/device/warming.ts';
import { type ByteSource, MissingFileError } from '../../worker/files/byte-source.ts';
import { cachedSource } from '../../worker/files/cached-source.ts';
import type { ChunkStore } from '../../worker/files/chunk-store.ts';

const ORIGIN = 'https://page.example';
const URL_OF_WEIGHTS = `${ORIGIN}/models/tiny/model.safetensors`;
const BYTES = Uint8Array.from({ length: 5 * 2 ** 20 }, (_, i) => (i * 7) % 251);

/** A server that counts what it gave. */
function served(size = BYTES.length) {
  const given = { bytes: 0, opened: 0 };
  const open = async (url: string): Promise<ByteSource> => {
    if (url !== URL_OF_WEIGHTS) throw new MissingFileError(`no file ${url}`);
    given.opened += 1;
    return {
      size,
      etag: '"one"',
      read: async (start, end) => {
        given.bytes += end - start;
        return BYTES.subarray(start, end);
      },
    };
  };
  return { given, open };
}

function store(): ChunkStore {
  const entries = new Map<string, Uint8Array>();
  return {
    ofOrigin: true,
    get: async (key) => entries.get(key) ?? null,
    put: async (key, parts) => void entries.set(key, new Uint8Array(await new Blob([...parts]).arrayBuffer())),
    delete: async (keys) => {
      for (const key of keys) entries.delete(key);
    },
    list: async (prefix) =>
      [...entries].filter(([key]) => key.startsWith(prefix)).map(([key, bytes]) => ({ key, bytes: bytes.length })),
    clear: async () => entries.clear(),
  };
}

/** Reads the whole of it, as loading does. */
async function load(warmth: Warmth, kept: ChunkStore | null): Promise<Uint8Array> {
  const source =
    kept === null ? await warmth.open(URL_OF_WEIGHTS) : await cachedSource(URL_OF_WEIGHTS, warmth.open, kept);
  return source.read(0, source.size);
}

describe('a device that is warmed', () => {
  it.each([
    ['keeps nothing', null],
    ['keeps what it fetched', store()],
  ])('fetches the weights once, and %s', async (_what, kept) => {
    const { given, open } = served();
    const warmth = new Warmth(open, kept);
    await warmth.begin('tiny', ORIGIN);
    await warmth.begin('tiny', ORIGIN);
    expect(given.bytes).toBe(BYTES.length);
    expect(Buffer.compare(await load(warmth, kept), BYTES)).toBe(0);
    expect(given.bytes).toBe(BYTES.length);
    warmth.release();
    if (kept === null) {
      await load(warmth, null);
      expect(given.bytes).toBe(2 * BYTES.length);
      return;
    }
    // The next visit finds all of it: the version is the server's own.
    await expect.poll(async () => (await kept.list('')).length).toBe(3);
    const next = new Warmth(open, kept);
    await next.begin('tiny', ORIGIN);
    expect(Buffer.compare(await load(next, kept), BYTES)).toBe(0);
    expect(given.bytes).toBe(BYTES.length);
  });

  it('leaves a model that is large to those who join, and one that cannot be had, and none', async () => {
    const large = served(33 * 2 ** 20);
    await new Warmth(large.open, null).begin('tiny', ORIGIN);
    expect(large.given.bytes).toBe(0);
    const missing = served();
    const warmth = new Warmth(missing.open, null);
    await warmth.begin('none', ORIGIN);
    await expect(warmth.open(`${ORIGIN}/models/none/model.safetensors`)).rejects.toThrow('no file');
    const none = served();
    await new Warmth(none.open, null).begin(null, ORIGIN);
    expect([missing.given.opened, none.given.opened]).toEqual([0, 0]);
  });

  it('tries an engine once, and tells everybody who asks what came of it', async () => {
    const warmth = new Warmth(served().open, null);
    let made = 0;
    const broken = {
      id: 'reference',
      precision: 'single',
      slower: async () => '',
      absent: async () => null,
      create: async () => {
        made += 1;
        throw new Error('broken');
      },
    } as const;
    for (let again = 0; again < 2; again++) await expect(warmth.test(broken, 'f32')).rejects.toThrow('broken');
    expect(made).toBe(1);
    await expect(warmth.test(broken, 'f16')).rejects.toThrow('broken');
    expect(made).toBe(2);
  });
});
