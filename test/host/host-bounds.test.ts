import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { HostRequest } from '../../worker/api/host-api.ts';
import { decodeCheckpoint } from '../../worker/host/checkpoint.ts';
import { Host } from '../../worker/host/host.ts';
import { type Drawer, KeptSessions } from '../../worker/host/kept-sessions.ts';
import { encodeSafetensors, type NamedTensor } from '../../worker/model/safetensors.ts';
import { fileChunkStore } from '../../worker/node/file-chunk-store.ts';
import { openFileOrHttp } from '../../worker/node/file-source.ts';
import { SMALL_REQUEST, withoutRound } from './node-host.ts';

/** What a host answers at the edges of what may be asked. */
afterEach(() => void vi.useRealTimers());

const encode = (text: string) => new TextEncoder().encode(text);

function own(train: string, dev: string, pair: string | null = null): HostRequest {
  const columns = { text: 'text', pair, label: 'label' };
  const file = (name: string, rows: string) => ({ name, bytes: encode(rows) });
  const files = { train: file('train.csv', train), dev: file('dev.csv', dev) };
  return {
    ...SMALL_REQUEST,
    task: { id: 'own', endpoint: '', own: { title: 'Small', ...files, columns, kind: 'classification' } },
  };
}

async function open(request: HostRequest = SMALL_REQUEST) {
  const host = new Host(openFileOrHttp);
  return { host, info: await host.open(request) };
}

describe('the end of training', () => {
  it('may be set before the first round, is what a checkpoint says, and stays from then on', async () => {
    const { host, info } = await open();
    await host.setExtent({ rounds: 62, evaluateEvery: 10 });
    const { request } = decodeCheckpoint(await host.checkpoint(''));
    expect(request.training).toEqual({ ...SMALL_REQUEST.training, rounds: 62, evaluateEvery: 10 });
    expect(info.training.rounds).toBe(SMALL_REQUEST.training.rounds);
    await withoutRound(host, 1);
    await expect(host.setExtent({ rounds: 9, evaluateEvery: 0 })).rejects.toThrow('cannot be changed any more');
  });
});

describe('samples', () => {
  it('are asked for within what is there', async () => {
    const { host } = await open();
    expect((await host.devBatch(0, 80)).lengths).toHaveLength(80);
    expect((await host.devBatch(79, 1)).lengths).toHaveLength(1);
    expect((await host.devChunk('first', 0, 80)).lengths).toHaveLength(80);
    for (const [start, count] of [
      [0, 81],
      [79, 2],
      [-1, 1],
      [0, 0],
      [0.5, 1],
      [0, 1.5],
    ] as const) {
      const why = `examples 0 to 79; ${count} from ${start} were asked for`;
      await expect(host.devBatch(start, count)).rejects.toThrow(why);
      await expect(host.devChunk('first', start, count)).rejects.toThrow(why);
    }
    for (const round of [0, -1, 1.5]) await expect(host.roundBatch(round)).rejects.toThrow(`no round ${round}`);
    expect((await host.roundBatch(1)).lengths).toHaveLength(8);
  });

  it('of a second dev set, where there is none, are none', async () => {
    const { host } = await open();
    expect(await host.devLengths('second')).toEqual(new Int32Array(0));
  });

  it('are as long as the first 256 of the dev set on average', async () => {
    const train = 'text,label\nfine,good\nawful,bad\n';
    const rows = Array.from({ length: 300 }, (_, i) => `${i < 256 ? 'fine' : 'fine '.repeat(40)},good\n`);
    const { host, info } = await open(own(train, `text,label\n${rows.join('')}`));
    const lengths = await host.devLengths('first');
    // Sorted: the shortest of them is one of the first 256, the longest is not.
    expect(lengths[255]).toBe(lengths[0]);
    expect(lengths[299]).toBeGreaterThan(30);
    expect(info.task.devTokens).toBe(lengths[0]);
  });
});

describe('rounds', () => {
  it('are skipped one after the other', async () => {
    const { host } = await open();
    await expect(withoutRound(host, 2)).rejects.toThrow('Round 2 cannot be applied: round 1 is next.');
    await withoutRound(host, 1);
    await expect(withoutRound(host, 1)).rejects.toThrow('round 2 is next');
    expect((await host.parameters()).version).toBe(1);
  });

  it('hand out parameters that nobody changes from outside', async () => {
    const { host } = await open();
    const { values } = await host.parameters();
    const was = values.slice();
    values.fill(7);
    expect((await host.parameters()).values).toEqual(was);
  });
});

describe('texts that are tried', () => {
  const pairs = () => open(own('text,other,label\na,b,good\nc,d,bad\n', 'text,other,label\na,b,good\n', 'other'));

  it('are there, and one or two as the task has them', async () => {
    const { host } = await open();
    for (const text of ['', '  ']) await expect(host.textBatch(text, null)).rejects.toThrow('There is no text to try');
    await expect(host.textBatch('a', 'b')).rejects.toThrow('leave the second one out');
    expect((await host.textBatch('a', null)).lengths).toHaveLength(1);
    const two = await pairs();
    expect(two.info.pairs).toBe(true);
    for (const pair of [null, '', ' '])
      await expect(two.host.textBatch('a', pair)).rejects.toThrow('type the second one');
    expect((await two.host.textBatch('a', 'b')).lengths).toHaveLength(1);
  });

  it('have the labels of nothing, as many as a sample of the task has', async () => {
    const plain = own('text,label\na,good\nb,bad\n', 'text,label\na,good\n');
    const { host } = await open(plain);
    expect((await host.textBatch('a', null)).labels).toEqual(Float32Array.of(0));
    const { id, endpoint, own: files } = own('text,label\na,x|y\nb,z\n', 'text,label\na,x\n').task;
    const several = await open({ ...plain, task: { id, endpoint, own: { ...files!, kind: 'multi-label' } } });
    expect(several.info.task).toMatchObject({ kind: 'multi-label', classNames: ['x', 'y', 'z'] });
    expect((await several.host.textBatch('a', null)).labels).toEqual(new Float32Array(3));
  });

  it('come out of a file once one is open', async () => {
    const { host } = await pairs();
    await expect(host.nextTexts()).rejects.toThrow('No file is open');
    const file = { name: 'a.csv', bytes: encode('text,other\na,b\n') };
    await expect(host.openTexts(file, { text: 'text', pair: null })).rejects.toThrow(
      'which column holds the second one',
    );
    expect((await host.openTexts(file, { text: 'text', pair: 'other' })).rows).toBe(1);
  });
});

describe('what a host has not', () => {
  it('is said: no session, no score, no place to keep anything', async () => {
    const host = new Host(openFileOrHttp);
    await expect(host.parameters()).rejects.toThrow('open one first');
    await host.open(SMALL_REQUEST);
    await expect(host.report()).rejects.toThrow('Nothing has been scored');
    await expect(host.keptSessions()).rejects.toThrow('Sessions are not kept on this device.');
    expect(await host.keptModels()).toEqual([]);
    await host.forgetModels(null);
    expect(await host.deleteAll()).toEqual({ sessions: 0, models: 0, bytes: 0 });
  });

  it('is a session after one that could not be opened', async () => {
    const { host } = await open();
    const { training } = SMALL_REQUEST;
    await expect(host.open({ ...SMALL_REQUEST, training: { ...training, maxTokens: 7 } })).rejects.toThrow(
      'at least 8',
    );
    await expect(host.parameters()).rejects.toThrow('open one first');
    expect((await host.open({ ...SMALL_REQUEST, training: { ...training, maxTokens: 8 } })).version).toBe(0);
    // Of 130 positions two are no token's.
    expect((await host.open({ ...SMALL_REQUEST, training: { ...training, maxTokens: 128 } })).version).toBe(0);
    await expect(host.open({ ...SMALL_REQUEST, training: { ...training, maxTokens: 129 } })).rejects.toThrow(
      'Samples of 129 tokens do not fit: roberta-mini holds at most 128',
    );
  });
});

it('a session is kept under its title, model, device and round, with when that was', async () => {
  vi.useFakeTimers({ now: 12_345, toFake: ['Date'] });
  const files = new Map<string, Uint8Array>();
  const drawer: Drawer = {
    list: async () => [...files].map(([name, { length }]) => ({ name, bytes: length })),
    read: async (name, start, end) => files.get(name)!.slice(start, end),
    write: async (name, bytes) => void files.set(name, bytes.slice()),
    remove: async (name) => void files.delete(name),
    clear: async () => files.clear(),
  };
  const folder = await mkdtemp(join(tmpdir(), 'tabloom-kept-'));
  const store = fileChunkStore(folder);
  await store.put(`${'a'.repeat(32)}/chunk-0`, [new Uint8Array(100)]);
  const host = new Host(openFileOrHttp, new KeptSessions(drawer), store);
  await host.open(SMALL_REQUEST);
  expect(await host.keptModels()).toEqual([{ name: '', bytes: 100 }]);
  await withoutRound(host, 1);
  const kept = await host.keep({ id: 'abcdefgh', deviceName: 'laptop', key: 'the key' }, 'a note');
  expect(kept).toEqual({
    ...{ id: 'abcdefgh', title: 'Small, roberta-mini', deviceName: 'laptop', round: 1, rounds: 10, keptAtMs: 12_345 },
    bytes: files.get('abcdefgh.1.safetensors')?.length,
  });
  expect(await host.keptSessions()).toEqual([kept]);
  const { bytes, key } = await host.keptCheckpoint('abcdefgh');
  expect([key, decodeCheckpoint(bytes).round, decodeCheckpoint(bytes).note]).toEqual(['the key', 1, 'a note']);
  expect(await host.deleteAll()).toEqual({
    ...{ sessions: 1, models: 1 },
    bytes: kept.bytes + 'the key'.length + 100,
  });
  expect([files.size, await host.keptModels()]).toEqual([0, []]);
  await rm(folder, { recursive: true, force: true });
});

describe('a checkpoint', () => {
  const { model, weights, lora, training, origin } = SMALL_REQUEST;
  const request = { model, weights, lora, training, origin, task: { id: 'grammar', endpoint: '', own: null } };
  const state = { request, dataFingerprint: 1, steps: 0, scores: [], best: null, devices: [] };
  const names = ['parameters', 'first_moment', 'second_moment'];
  const floats = (name: string): NamedTensor => ({ name, shape: [2], values: new Float32Array(2) });
  const note: NamedTensor = { name: 'note', shape: [1], values: encode('n') };
  const file = (tensors: readonly NamedTensor[], version: number, change: object = {}) =>
    encodeSafetensors(tensors, {
      format: `tabloom-checkpoint-${version}`,
      state: JSON.stringify({ ...state, ...change }),
    });

  it('of version 2 or 3 is read; a later or an earlier one is refused', () => {
    const whole = [...names.map(floats), note];
    for (const version of [2, 3]) expect(decodeCheckpoint(file(whole, version)).note).toBe('n');
    expect(() => decodeCheckpoint(file(whole, 4))).toThrow('written by a newer Tabloom');
    for (const version of [0, 1]) expect(() => decodeCheckpoint(file(whole, version))).toThrow('is no checkpoint');
  });

  it.each([...names, 'note'])('without %s, or with another kind of it, is refused', (missing) => {
    const rest = [...names.map(floats), note].filter(({ name }) => name !== missing);
    const why = `has no vector "${missing}"`;
    expect(() => decodeCheckpoint(file(rest, 3))).toThrow(why);
    const other = missing === 'note' ? floats(missing) : { name: missing, shape: [2], values: encode('xy') };
    expect(() => decodeCheckpoint(file([...rest, other], 3))).toThrow(why);
    const square = { name: missing, shape: [1, 2], values: missing === 'note' ? encode('xy') : new Float32Array(2) };
    expect(() => decodeCheckpoint(file([...rest, square], 3))).toThrow(why);
  });

  it.each([
    ['first_moment', {}],
    ['second_moment', {}],
    ['before', {}],
    ['best', { best: { round: 1, value: 0.5 } }],
  ])('whose %s has another length is refused', (name, change) => {
    const rest = [...names.map(floats), note].filter((tensor) => tensor.name !== name);
    const long = { name, shape: [3], values: new Float32Array(3) };
    expect(() => decodeCheckpoint(file([...rest, long], 3, change))).toThrow('different lengths');
  });
});
