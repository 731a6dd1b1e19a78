import { describe, expect, it } from 'vitest';
import { lastEndSentence } from '../../web/page/missing/last-end-words.ts';
import { carefulWorker, orderTakes } from '../../web/tab/memory/careful-worker.ts';
import {
  afterEnd,
  afterSuccess,
  type Crumb,
  crumbText,
  NOTHING_PAST,
  type Past,
  parseCrumb,
  parsePast,
  pastText,
} from '../../web/tab/memory/crumb.ts';
import type { WorkOrder } from '../../worker/api/work.ts';
import { profile, SETTINGS } from '../protocol/samples.ts';
import { ScriptedWorker } from '../session/seat-scene.ts';

const MOST = 1.5e9;
const crumb = (change: Partial<Crumb> = {}): Crumb => ({
  what: 'train',
  model: 'roberta-base',
  bytes: 8e8,
  samples: 4,
  hidden: false,
  ...change,
});

describe('what may be claimed after a tab that ended', () => {
  it('is half of what it took, or of what was left to take, and no less than is of any use', () => {
    const once = afterEnd(NOTHING_PAST, crumb(), MOST);
    expect(once).toEqual({ claimBytes: 4e8, ended: crumb() });
    // It took less than it might have; or more than it should.
    expect(afterEnd(once, crumb({ bytes: 3e8 }), MOST).claimBytes).toBe(1.5e8);
    expect(afterEnd(once, crumb({ bytes: 9e8 }), MOST).claimBytes).toBe(2e8);
    let past = once;
    for (let i = 0; i < 10; i++) past = afterEnd(past, crumb(), MOST);
    expect(past.claimBytes).toBe(5e7);
  });

  it('is what it was where the tab was in the background', () => {
    const hidden = crumb({ hidden: true });
    expect(afterEnd(NOTHING_PAST, hidden, MOST)).toEqual({ claimBytes: null, ended: hidden });
    expect(afterEnd({ claimBytes: 4e8, ended: null }, hidden, MOST)).toEqual({ claimBytes: 4e8, ended: hidden });
  });

  it('is a quarter more after each session that went well, and nothing is said any more', () => {
    let past: Past = { claimBytes: 8e8, ended: crumb() };
    past = afterSuccess(past, MOST);
    expect(past).toEqual({ claimBytes: 1e9, ended: null });
    past = afterSuccess(past, MOST);
    expect(past.claimBytes).toBe(1.25e9);
    expect(afterSuccess(past, MOST)).toEqual(NOTHING_PAST);
    expect(afterSuccess({ claimBytes: null, ended: crumb({ hidden: true }) }, MOST)).toEqual(NOTHING_PAST);
  });
});

describe('what was written down', () => {
  it('is read as it was', () => {
    for (const one of [crumb(), crumb({ what: 'load', samples: 0 }), crumb({ what: 'measure', hidden: true })])
      expect(parseCrumb(crumbText(one))).toEqual(one);
    for (const past of [NOTHING_PAST, { claimBytes: 4e8, ended: crumb() }, { claimBytes: null, ended: crumb() }])
      expect(parsePast(pastText(past))).toEqual(past);
  });

  it.each([
    null,
    '',
    '{',
    'null',
    '7',
    '[]',
    '{"what":"fly","model":"a","bytes":1,"samples":1,"hidden":false}',
    '{"what":"train","model":"a","bytes":-1,"samples":1,"hidden":false}',
    '{"what":"train","model":"a","bytes":1e999,"samples":1,"hidden":false}',
    '{"what":"train","model":7,"bytes":1,"samples":1,"hidden":false}',
    '{"what":"train","model":"a","bytes":1,"samples":1,"hidden":"no"}',
    JSON.stringify(crumb({ model: 'a'.repeat(300) })),
  ])('is nothing where it is not ours: %s', (text) => {
    expect(parseCrumb(text)).toBeNull();
    expect(parsePast(text)).toEqual(NOTHING_PAST);
    expect(parsePast(`{"claimBytes":3,"ended":${text ?? ''}}`)).toEqual(NOTHING_PAST);
  });
});

it('says what the page was at, how large that was, and what follows', () => {
  expect(lastEndSentence(NOTHING_PAST)).toBeNull();
  expect(lastEndSentence({ claimBytes: 4e8, ended: crumb() })).toBe(
    'Last time this page ended while it was training 4 samples at a time (800 MB), most likely for want of memory. Training takes 400 MB at most now, and more again as sessions go well.',
  );
  expect(lastEndSentence({ claimBytes: null, ended: crumb({ what: 'load', hidden: true }) })).toBe(
    'Last time this page ended in the background while it was loading roberta-base. Keep it in front while it trains.',
  );
});

describe('a worker that writes down what it is at', () => {
  const { linkBitsPerSecond: _, ...measured } = profile();
  const { weightsBytes, transientPerSample, savedPerSamplePerLayer, gradientBytesPerLayer } = measured.memory;
  const layers = SETTINGS.shape.layers;
  const order = (microBatch: number, lowest: number): WorkOrder => ({
    round: 1,
    batch: {
      ids: new Int32Array(8),
      lengths: Int32Array.of(1, 1, 1, 1, 1, 1, 1, 1),
      labels: new Float32Array(8),
      positions: new Int32Array(8),
      tokens: 1,
    },
    layers: [lowest],
    head: true,
    microBatch,
    dropout: { probability: 0, seed: 1 },
  });
  const request = { settings: SETTINGS, origin: '', slowdown: 1, memoryLimitBytes: 1e9 };

  it('counts an order by what the device measured', () => {
    const two = weightsBytes + 3 * (transientPerSample + 2 * savedPerSamplePerLayer) + 2 * gradientBytesPerLayer;
    expect(orderTakes(order(3, layers - 2), measured, layers)).toEqual([two, 3]);
    expect(orderTakes({ ...order(100, layers - 2), microBatchSizes: [5, 3] }, measured, layers)[1]).toBe(8);
  });

  it('says it before, and takes it back when it is done; of training only when the session is over', async () => {
    const scripted = new ScriptedWorker();
    const said: string[] = [];
    const tell = (one: Omit<Crumb, 'hidden'> | null) => said.push(one === null ? '-' : `${one.what} ${one.samples}`);
    const handle = { api: scripted, terminate: () => said.push('terminated') };
    const { api, terminate } = carefulWorker(handle, { drop: tell, wentWell: () => said.push('well') });
    const loading = api.load(request);
    expect(said).toEqual(['load 0']);
    await loading;
    await api.profile({ memoryLimitBytes: 1e9 });
    expect(said.splice(0)).toEqual(['load 0', '-', 'measure 0', '-']);
    for (const microBatch of [2, 2, 3]) {
      await api.begin(order(microBatch, 0));
      const part = api.next();
      scripted.done();
      await part;
    }
    expect(said.splice(0)).toEqual(['train 2', 'train 3']);
    terminate();
    expect(said).toEqual(['-', 'well', 'terminated']);
  });

  it('of a session in which nothing was trained says nothing good', () => {
    const said: string[] = [];
    carefulWorker(
      { api: new ScriptedWorker(), terminate: () => said.push('terminated') },
      { drop: () => undefined, wentWell: () => said.push('well') },
    ).terminate();
    expect(said).toEqual(['terminated']);
  });
});
