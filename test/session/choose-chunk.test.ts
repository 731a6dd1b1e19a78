import { describe, expect, it } from 'vitest';
import { AgreedHashes } from '../../web/session/chunks/agreed-hashes.ts';
import { besideHost, type ChunkSource, type Gathering, nextAsk } from '../../web/session/chunks/choose-chunk.ts';

const FILE = 'model.safetensors';
const missing = (...chunks: number[]) =>
  chunks.map((chunk) => ({ file: FILE, chunk, isKnown: true, isFetched: false }));
const source = (device: string, chunks: number[], asked = 0): ChunkSource => ({
  device,
  isHost: device === 'host',
  holds: ({ file, chunk }) => file === FILE && chunks.includes(chunk),
  asked,
});
const idle = { isFree: false, isNeeded: false, beside: 0 };
const ask = (change: Partial<Gathering>) => nextAsk({ missing: [], sources: [], hub: idle, offset: 0, ...change });
const from = (device: string, chunk: number) => ({ from: { device }, place: { file: FILE, chunk } });
const fromHub = (chunk: number) => ({ from: 'hub', place: { file: FILE, chunk } });

describe('the next chunk', () => {
  it('is the one that the fewest devices have', () => {
    const sources = [source('host', [0, 1, 2]), source('ada', [0, 2]), source('ben', [0])];
    // Three, one and two have them.
    expect(ask({ missing: missing(0, 1, 2), sources })).toEqual(from('host', 1));
  });

  it('is, of equals, the next from a beginning of its own on, around the end', () => {
    const sources = [source('host', [3, 5, 8])];
    const chunks = missing(3, 5, 8);
    expect([0, 1, 2, 3, 4].map((offset) => ask({ missing: chunks, sources, offset })?.place.chunk)).toEqual([
      3, 5, 8, 3, 5,
    ]);
  });

  it('comes from a device rather than the host, and from the one that owes less', () => {
    const chunks = missing(4);
    expect(ask({ missing: chunks, sources: [source('host', [4]), source('zoe', [4], 1)] })).toEqual(from('zoe', 4));
    expect(ask({ missing: chunks, sources: [source('ada', [4], 1), source('zoe', [4])] })).toEqual(from('zoe', 4));
    expect(ask({ missing: chunks, sources: [source('zoe', [4]), source('ada', [4])] })).toEqual(from('ada', 4));
  });

  it('is not asked of who owes two, though they alone have it', () => {
    expect(ask({ missing: missing(4), sources: [source('host', [4], 2)] })).toBe(null);
    expect(ask({ missing: missing(4, 5), sources: [source('host', [4], 2), source('ada', [5])] })).toEqual(
      from('ada', 5),
    );
  });

  it('comes from no device while nobody knows what it hashes to', () => {
    const chunks = [{ file: FILE, chunk: 0, isKnown: false, isFetched: false }, ...missing(1)];
    const sources = [source('ada', [0, 1, 2])];
    expect(ask({ missing: chunks, sources })).toEqual(from('ada', 1));
    expect(ask({ missing: chunks.slice(0, 1), sources })).toBe(null);
  });

  it('comes from the hub where it is needed, and then what nobody else has', () => {
    const hub = { isFree: true, isNeeded: true, beside: 0 };
    expect(ask({ missing: missing(0, 1, 2), hub, offset: 1 })).toEqual(fromHub(1));
    const busy = [source('host', [0, 1], 2)];
    expect(ask({ missing: missing(0, 1, 2), sources: busy, hub })).toEqual(fromHub(2));
    expect(ask({ missing: missing(0, 1), sources: busy, hub })).toEqual(fromHub(0));
    expect(ask({ missing: missing(0, 1), sources: busy, hub: { ...hub, isFree: false } })).toBe(null);
    expect(ask({ hub })).toBe(null);
  });

  it('comes from the hub beside the host, from the end of what nobody has, as far as that is allowed', () => {
    const hub = { isFree: true, isNeeded: false, beside: 1 };
    const sources = [source('host', [0], 2)];
    expect(ask({ missing: missing(0, 1, 2, 3), sources, hub })).toEqual(fromHub(3));
    expect(ask({ missing: missing(0, 1, 2, 3), sources, hub: { ...hub, beside: 0 } })).toBe(null);
    expect(ask({ missing: missing(0), sources, hub })).toBe(null);
  });

  it('is not fetched from the hub while another device fetches it there', () => {
    const hub = { isFree: true, isNeeded: true, beside: 0 };
    const chunks = missing(0, 1, 2).map((place) => ({ ...place, isFetched: place.chunk !== 1 }));
    expect(ask({ missing: chunks, hub })).toEqual(fromHub(1));
    expect(ask({ missing: chunks.slice(2), hub })).toBe(null);
    expect(ask({ missing: chunks.slice(2), hub: { ...hub, isNeeded: false, beside: 1 } })).toBe(null);
    // From who has it, it comes all the same.
    expect(ask({ missing: chunks.slice(2), sources: [source('ada', [2])], hub })).toEqual(from('ada', 2));
  });

  it('is fetched beside the host by all devices together to three twentieths of the model', () => {
    expect([1, 2, 6, 63].map((devices) => besideHost(120, devices))).toEqual([18, 9, 3, 0]);
    expect(besideHost(120, 0)).toBe(18);
  });
});

describe('a hash that the host cannot make', () => {
  const place = { file: FILE, chunk: 3 };
  const [right, wrong] = ['a'.repeat(64), 'b'.repeat(64)];

  it('counts with the second device that says the same', () => {
    const hashes = new AgreedHashes();
    expect(hashes.says('ada', place, right)).toBe(false);
    expect(hashes.says('ben', place, wrong)).toBe(false);
    expect(hashes.says('cem', { ...place, chunk: 4 }, right)).toBe(false);
    expect(hashes.says('dee', place, right)).toBe(true);
    expect(hashes.says('eve', place, right)).toBe(false);
  });

  it('is not what one device says twice, nor what it says after something else', () => {
    const hashes = new AgreedHashes();
    hashes.says('ada', place, wrong);
    expect(hashes.says('ada', place, wrong)).toBe(false);
    expect(hashes.says('ben', place, right)).toBe(false);
    expect(hashes.says('ada', place, right)).toBe(false);
  });

  it('is kept of so many chunks and no more', () => {
    const hashes = new AgreedHashes();
    for (let chunk = 0; chunk < 1024; chunk++) hashes.says('ada', { file: FILE, chunk }, right);
    hashes.says('ada', { file: 'other.safetensors', chunk: 0 }, right);
    expect(hashes.says('ben', { file: 'other.safetensors', chunk: 0 }, right)).toBe(false);
    expect(hashes.says('ben', { file: FILE, chunk: 1023 }, right)).toBe(true);
  });
});
