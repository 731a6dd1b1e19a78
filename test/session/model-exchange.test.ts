import { afterEach, describe, expect, it, vi } from 'vitest';
import { MODEL_CHUNK_BYTES } from '../../signaling/protocol/exchange/model-messages.ts';
import type { RoomView } from '../../signaling/protocol/room-view.ts';
import { ModelExchange } from '../../web/session/chunks/model-exchange.ts';
import { localLinkPair, type MessageLink } from '../../web/session/links/message-link.ts';
import { SETTINGS } from '../protocol/samples.ts';
import { ALL, BYTES, COUNT, Disk, FILE, MODEL, sha256 } from './chunk-disk.ts';

interface Member {
  readonly id: string;
  readonly disk: Disk;
  readonly exchange: ModelExchange;
}

const IDS = ['host', 'ada', 'ben', 'cem'];
const open = new Set<ModelExchange>();
afterEach(() => {
  for (const exchange of open) exchange.close();
  open.clear();
  vi.useRealTimers();
});

function member(id: string): Member {
  const devices = IDS.map((name) => ({ id: name, profile: null }));
  const room = { host: 'host', devices, phase: 'gathering' } as never as RoomView;
  const disk = new Disk();
  const settings = {
    ...SETTINGS,
    policy: 'crunch' as const,
    model: { kind: 'hub' as const, id: 'some/model', endpoint: 'https://hub.example', revision: 'main' },
  };
  const exchange = new ModelExchange({
    self: id,
    settings,
    origin: '',
    chunks: disk,
    room: () => room,
    isHost: () => id === 'host',
  });
  open.add(exchange);
  return { id, disk, exchange };
}

function link(a: Member, b: Member): [MessageLink, MessageLink] {
  const ends = localLinkPair();
  a.exchange.attach(b.id, ends[0]);
  b.exchange.attach(a.id, ends[1]);
  return ends;
}

/** The host has read the model, or a part of it. */
async function read({ disk, exchange }: Member, chunks: readonly number[] = ALL): Promise<void> {
  for (const chunk of chunks) await disk.fetch(FILE, chunk);
  await exchange.look();
}

const run = { from: 0, to: 2 };
const isWhole = ({ disk }: Member): void => {
  expect([...disk.kept.keys()].sort()).toEqual(ALL);
  for (const [chunk, bytes] of disk.kept) expect(sha256(bytes)).toBe(sha256(MODEL[chunk]!));
};

describe('the model from other devices', () => {
  it('comes from the host whole, and nothing from the hub', async () => {
    const [host, ada] = [member('host'), member('ada')];
    await read(host);
    link(host, ada);
    await ada.exchange.gather(run);
    isWhole(ada);
    expect(ada.disk.fetched).toEqual([]);
    expect(host.exchange.givenBytes).toBe(BYTES);
    expect(ada.exchange.takenBytes).toBe(BYTES);
    expect(ada.exchange.progress).toEqual({ done: BYTES, total: BYTES });
  });

  it('comes as the host reads it, chunk by chunk', async () => {
    const [host, ada] = [member('host'), member('ada')];
    link(host, ada);
    const gathered = ada.exchange.gather(run);
    for (const chunk of ALL) {
      await read(host, [chunk]);
      await vi.waitFor(() => expect(ada.disk.kept.size).toBe(chunk + 1));
    }
    await gathered;
    isWhole(ada);
    expect(ada.disk.fetched).toEqual([]);
  });

  it('comes whole though the host kept the last of it after it had loaded it', async () => {
    const [host, ada] = [member('host'), member('ada')];
    link(host, ada);
    await read(host, [0, 1]);
    const gathered = ada.exchange.gather(run);
    await vi.waitFor(() => expect(ada.disk.kept.size).toBe(2));
    // Nobody looks again.
    for (const chunk of [2, 3]) await host.disk.fetch(FILE, chunk);
    await gathered;
    isWhole(ada);
    expect(ada.disk.fetched).toEqual([]);
  });

  it('comes from a neighbour that has it, not from the host', async () => {
    const [host, ada, ben] = [member('host'), member('ada'), member('ben')];
    await read(host);
    link(host, ada);
    await ada.exchange.gather(run);
    link(host, ben);
    link(ada, ben);
    host.disk.given.length = 0;
    await ben.exchange.gather(run);
    isWhole(ben);
    // Two at a time are asked of each.
    expect(ada.disk.given.length).toBeGreaterThanOrEqual(host.disk.given.length);
    expect(ada.exchange.givenBytes + host.exchange.givenBytes).toBe(2 * BYTES);
  });

  it('is not kept where a neighbour changed it: it comes from elsewhere, and the neighbour is not asked again', async () => {
    const [host, ada, ben] = [member('host'), member('ada'), member('ben')];
    await read(host);
    link(host, ada);
    await ada.exchange.gather(run);
    for (const chunk of ALL) ada.disk.kept.set(chunk, MODEL[chunk]!.slice().fill(99, 2));
    link(host, ben);
    link(ada, ben);
    await ben.exchange.gather(run);
    isWhole(ben);
    expect(ben.disk.refused.length).toBeGreaterThanOrEqual(1);
    expect(ben.disk.refused.length).toBeLessThanOrEqual(2);
    expect(ada.disk.given.length).toBeLessThanOrEqual(2);
    expect(ben.disk.fetched).toEqual([]);
  });

  it('is what the host says, and nobody else', async () => {
    const [ada, ben] = [member('ada'), member('ben')];
    await read(ada);
    const [end] = link(ada, ben);
    const hash = new Uint8Array(32 * COUNT);
    await end.send({ header: { type: 'model-hashes', file: FILE, bytes: BYTES, first: 0 }, tensors: [hash] });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const gathered = ben.exchange.gather(run);
    await vi.advanceTimersByTimeAsync(8000);
    await gathered;
    isWhole(ben);
    expect(ada.disk.given).toEqual([]);
    expect(ben.disk.refused).toEqual([]);
    expect(ben.disk.fetched.toSorted()).toEqual(ALL);
  });

  it('comes from the hub where nobody has it, after a while and not before', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const ada = member('ada');
    const gathered = ada.exchange.gather(run);
    await vi.advanceTimersByTimeAsync(5900);
    expect(ada.disk.fetched).toEqual([]);
    await vi.advanceTimersByTimeAsync(2000);
    await gathered;
    isWhole(ada);
  });

  it('is left to whoever loads it where the hub does not serve it either', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const ada = member('ada');
    ada.disk.hubIsThere = false;
    const gathered = ada.exchange.gather(run);
    await vi.advanceTimersByTimeAsync(10_000);
    await gathered;
    expect(ada.disk.kept.size).toBe(0);
  });

  it('is fetched from the hub once by two devices that are linked, each what the other does not fetch', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const [host, ada, ben] = [member('host'), member('ada'), member('ben')];
    link(host, ada);
    link(host, ben);
    link(ada, ben);
    // A hub of a second a chunk, and a host that has it all, but gives nothing of it.
    for (const { disk } of [ada, ben]) {
      const fetch = disk.fetch.bind(disk);
      disk.fetch = async (file, chunk) => {
        await new Promise((resolve) => setTimeout(resolve, 1000));
        await fetch(file, chunk);
      };
    }
    host.disk.read = async () => null;
    await read(host);
    const gathered = Promise.all([ada.exchange.gather(run), ben.exchange.gather(run)]);
    await vi.advanceTimersByTimeAsync(20_000);
    await gathered;
    isWhole(ada);
    isWhole(ben);
    expect([...ada.disk.fetched, ...ben.disk.fetched].toSorted()).toEqual(ALL);
  });

  it('is given by a host that was asked for it before it had a room', async () => {
    const [host, ada] = [member('host'), member('ada')];
    let opened = false;
    const open = host.disk.open;
    host.disk.open = async (request) => {
      opened = true;
      return open(request);
    };
    // What is not opened as the model's own cannot be read.
    const readChunk = host.disk.read.bind(host.disk);
    host.disk.read = async (file, chunk) => (opened ? readChunk(file, chunk) : null);
    await host.exchange.gather(run);
    expect(host.disk.fetched).toEqual([]);
    await read(host);
    link(host, ada);
    await ada.exchange.gather(run);
    isWhole(ada);
    expect(ada.disk.fetched).toEqual([]);
  });

  it('that the host does not hold counts when two devices fetched the same', async () => {
    const [host, ada, ben, cem] = IDS.map(member) as [Member, Member, Member, Member];
    for (const device of [ada, ben, cem]) link(host, device);
    link(ada, cem);
    ada.disk.hubBytes = (chunk) => (chunk === 1 ? Uint8Array.of(1) : MODEL[chunk]!);
    await read(ada, [0, 1]);
    await read(ben, [0, 1]);
    const gathered = cem.exchange.gather(run);
    await vi.waitFor(() => expect(cem.disk.kept.get(0)?.[0]).toBe(1));
    expect([...cem.disk.kept.keys()]).toEqual([0]);
    expect(cem.disk.fetched).toEqual([]);
    cem.exchange.close();
    await gathered;
  });

  it('goes on where it was when a link is lost on the way', async () => {
    const [host, ada] = [member('host'), member('ada')];
    await read(host, [0, 1]);
    const [end] = link(host, ada);
    const gathered = ada.exchange.gather(run);
    await vi.waitFor(() => expect(ada.disk.kept.size).toBe(2));
    end.close();
    await read(host, [2, 3]);
    link(host, ada);
    await gathered;
    isWhole(ada);
    expect(host.exchange.givenBytes).toBe(BYTES);
  });

  it('is given to a device a few times over at most', async () => {
    const [host, ada] = [member('host'), member('ada')];
    await read(host);
    const [, end] = link(host, ada);
    const lacking: number[] = [];
    end.onMessage(({ header }) => {
      if (header.type === 'model-lacking') lacking.push(header.chunk);
    });
    for (let i = 0; i < 30; i++) {
      const before = host.exchange.givenBytes + lacking.length;
      void end.send({ header: { type: 'model-wanted', file: FILE, chunk: i % 3 }, tensors: [] });
      await vi.waitFor(() => expect(host.exchange.givenBytes + lacking.length).toBeGreaterThan(before));
      await vi.waitFor(() => expect(host.exchange.givenBytes % MODEL_CHUNK_BYTES).toBe(0));
    }
    expect(host.exchange.givenBytes).toBe(13 * MODEL_CHUNK_BYTES);
    expect(lacking).toHaveLength(17);
    // What it does not have, it does not read.
    host.disk.given.length = 0;
    void end.send({ header: { type: 'model-wanted', file: 'config.json', chunk: 0 }, tensors: [] });
    await vi.waitFor(() => expect(lacking).toHaveLength(18));
    expect(host.disk.given).toEqual([]);
  });
});
