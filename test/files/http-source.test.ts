import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MissingFileError } from '../../worker/files/byte-source.ts';
import { httpSource } from '../../worker/files/http-source.ts';
import { quickTimers } from './quick-timers.ts';
import { RangeServer, servedBytes } from './range-server.ts';

const MEBIBYTE = 2 ** 20;
const bytes = Uint8Array.from({ length: 3 * MEBIBYTE + 77 }, (_, i) => (i * 31 + (i >> 9)) % 251);
const server = await new RangeServer().start();
afterAll(() => server.stop());
afterEach(() => void vi.unstubAllGlobals());
const url = `${server.url}/model`;

beforeEach(() => {
  Object.assign(server, {
    served: 0,
    cutAfter: Number.POSITIVE_INFINITY,
    busy: false,
    wholeOnly: false,
    wholeForAll: false,
    hidesRange: false,
  });
  server.onCut = () => undefined;
  server.requests.length = 0;
  server.files.clear();
  server.files.set('/model', servedBytes(bytes, '"one"'));
});

const readAll = async (step: number) => {
  const source = await httpSource(url);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < source.size; at += step) parts.push(await source.read(at, Math.min(at + step, source.size)));
  return Buffer.concat(parts);
};

describe('a file over HTTP', () => {
  it('says its size and version, and gives the bytes of any range in any order', async () => {
    const source = await httpSource(url);
    expect(source).toMatchObject({ size: bytes.length, etag: '"one"' });
    for (const [start, end] of [
      [10, 20],
      [2_000_000, 2_020_000],
      [20, 30],
      [bytes.length - 5, bytes.length],
      [7, 7],
    ] as const)
      expect(await source.read(start, end)).toEqual(bytes.subarray(start, end));
    const together = await Promise.all([source.read(5, 9), source.read(100, 20_000), source.read(0, 4)]);
    expect(together).toEqual([bytes.subarray(5, 9), bytes.subarray(100, 20_000), bytes.subarray(0, 4)]);
  });

  it.each(['-1', '1e9', '99999999999999999999', 'x'])('takes %s for no size', async (told) => {
    const answer = () => Promise.resolve(new Response('body', { status: 200, headers: { 'content-length': told } }));
    const source = await httpSource('https://hub.example/file', answer);
    expect(source.size).toBe(4);
    expect(new TextDecoder().decode(await source.read(0, 4))).toBe('body');
  });

  it('reads on from one answer while reads follow each other: ever fewer requests, no byte twice', async () => {
    expect(Buffer.compare(await readAll(64 * 1024), bytes)).toBe(0);
    // The probe, then requests that grow from one of 64 KiB.
    expect(server.requests.length).toBeLessThan(8);
    expect(server.served).toBe(bytes.length + 1);
  });

  it('goes on from the byte where the connection broke', async () => {
    server.cutAfter = 1_234_567;
    expect(Buffer.compare(await readAll(MEBIBYTE), bytes)).toBe(0);
    expect(server.served).toBeLessThan(bytes.length + 100);
    // What was on its way to a reader that had only begun may come again, no more.
    server.cutAfter = 1_000_000;
    expect(Buffer.compare(await readAll(4 * MEBIBYTE), bytes)).toBe(0);
  });

  it('waits for a server that is busy, and says when it stays so', async () => {
    quickTimers();
    server.cutAfter = MEBIBYTE;
    server.onCut = () => {
      server.busy = true;
      setTimeout(() => {
        server.busy = false;
      }, 300);
    };
    expect(Buffer.compare(await readAll(MEBIBYTE), bytes)).toBe(0);
    const source = await httpSource(url);
    server.busy = true;
    await expect(source.read(0, 10)).rejects.toThrow(/model cannot be reached \(it answers 503\)/);
  });

  it('takes servers that know no ranges, without holding the file', async () => {
    server.wholeOnly = true;
    const source = await httpSource(url);
    expect(source.size).toBe(bytes.length);
    expect(await source.read(2_000_000, 2_000_100)).toEqual(bytes.subarray(2_000_000, 2_000_100));
    expect(await source.read(2_500_000, 2_500_100)).toEqual(bytes.subarray(2_500_000, 2_500_100));
    expect(server.requests.filter((request) => request.startsWith('GET'))).toHaveLength(2);
    expect(await source.read(0, 100)).toEqual(bytes.subarray(0, 100));
    await expect(readAll(MEBIBYTE).then((read) => Buffer.compare(read, bytes))).resolves.toBe(0);
  });

  it('takes a server that answers with the file where all of it was asked for, and with a range elsewhere', async () => {
    server.wholeForAll = true;
    const small = bytes.subarray(0, 700);
    server.files.set('/small', servedBytes(small, '"small"'));
    const source = await httpSource(`${server.url}/small`);
    expect(await source.read(0, 700)).toEqual(small);
    expect(await source.read(300, 310)).toEqual(small.subarray(300, 310));
    expect(server.requests.at(-1)).toMatch(/bytes=300-/);
    // The same answer to a part is a fault.
    server.wholeOnly = true;
    await expect(source.read(10, 20)).rejects.toThrow(/no longer answers ranges/);
  });

  it('asks for the size where a server hides it, and reads by ranges all the same', async () => {
    server.hidesRange = true;
    const source = await httpSource(url);
    expect(source.size).toBe(bytes.length);
    server.served = 0;
    expect(await source.read(2_000_000, 2_000_100)).toEqual(bytes.subarray(2_000_000, 2_000_100));
    expect(server.served).toBe(100);
  });

  it('takes a file whose size nobody tells', async () => {
    server.other = (_, response) => {
      // Without Content-Length: in pieces, as a compressing server does.
      response.writeHead(200);
      response.write(bytes.subarray(0, 1000));
      response.end(bytes.subarray(1000, 3000));
    };
    const source = await httpSource(`${server.url}/in-pieces`);
    expect(source.size).toBe(3000);
    expect(await source.read(990, 1010)).toEqual(bytes.subarray(990, 1010));
    server.other = (_, response) => response.writeHead(404).end();
  });

  it('refuses a file that changed meanwhile', async () => {
    const source = await httpSource(url);
    server.files.set('/model', servedBytes(bytes, '"two"'));
    await expect(source.read(0, 10)).rejects.toThrow('changed on the server');
    server.files.set('/model', servedBytes(bytes.subarray(5), '"one"'));
    await expect(source.read(0, 10)).rejects.toThrow('changed on the server');
  });

  it('tells a file that is not there from a server that is not there', async () => {
    await expect(httpSource(`${server.url}/other`)).rejects.toThrow(MissingFileError);
    await expect(httpSource('http://127.0.0.1:1/x')).rejects.toThrow(/cannot be reached/);
    await expect(httpSource('http://127.0.0.1:1/x')).rejects.not.toThrow(MissingFileError);
  });
});
