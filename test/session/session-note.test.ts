import { expect, it } from 'vitest';
import type { RoundReport, ScoreReport } from '../../signaling/protocol/room-view.ts';
import {
  checkpointName,
  historyOf,
  type Resumed,
  readNote,
  recall,
  resumedEngine,
  type SessionNote,
} from '../../web/session/own/session-note.ts';
import { WITHOUT_KEY } from '../../web/session/view/resumed-words.ts';
import { RunLog } from '../../web/session/view/run-log.ts';
import { ViewStore } from '../../web/session/view/view-store.ts';
import type { WorkerHandle } from '../../web/session/world/environment.ts';
import type { HostWorkerApi } from '../../worker/api/host-api.ts';
import { SETTINGS } from '../protocol/samples.ts';

const report = (round: number): RoundReport => ({
  ...{ round, planVersion: 1, loss: 1 / round, learningRate: 1e-3, gradientNorm: 1, elapsedSeconds: 2 },
  ...{ devices: [], reassigned: 0 },
});
const score = (round: number): ScoreReport => ({
  ...{ round, metric: 'accuracy', value: 0.5, loss: 0.7, further: [] },
  ...{ elapsedSeconds: 3, examples: 20 },
});
const line = (type: string, of: object) => JSON.stringify({ type, at: '1970-01-01T00:00:01.000Z', report: of });

/** Four rounds and three scores; the checkpoint was kept after the third round. */
const LOG = [
  line('round', report(1)),
  line('score', score(1)),
  line('round', report(2)),
  line('round', report(3)),
  line('score', score(3)),
  line('round', report(4)),
  line('score', score(4)),
];

it('a log gives the reports up to the checkpoint’s round, that one with them', () => {
  expect(historyOf(LOG, 3)).toEqual({ rounds: [report(1), report(2), report(3)], scores: [score(1), score(3)] });
  expect(historyOf(LOG, 0)).toEqual({ rounds: [], scores: [] });
});

it('lines that are none, or of something else, are passed over', () => {
  const odd = ['', '{"type":"round"', '{"type":"round"}', '{"type":"score","report":null}', 'null'];
  const other = line('session', report(1)).replace('session', 'plan');
  expect(
    historyOf([...odd, other, ...odd, line('round', { ...report(2), loss: 'low' }), line('round', report(2))], 9),
  ).toEqual({
    rounds: [report(2)],
    scores: [],
  });
});

it.each([
  ['FacebookAI/RoBERTa-base', 'sst2', 40, 'roberta-base-sst2-round-40.safetensors'],
  ['roberta-mini', 'own', 0, 'roberta-mini-own-round-0.safetensors'],
])('a checkpoint of %s on %s after %i rounds is called so', (id, task, round, name) => {
  const model = { kind: 'embedded', id } as const;
  expect(checkpointName({ model, task: { ...SETTINGS.task, id: task } }, round)).toBe(name);
});

const NOTE: SessionNote = {
  identity: { id: 'abcdefgh1234', name: 'laptop' },
  term: 3,
  options: { policy: 'auto', slowdown: 1, patience: 0 },
  finished: false,
  savedAtMs: 1234,
  log: LOG,
};

it.each([
  ['with its key', { id: 'abcdefgh1234', key: 'k'.repeat(32), room: 'abc234' }, []],
  ['without its key', null, [WITHOUT_KEY]],
])('a session that goes on %s shows what was, and says in its log that it goes on', (_, key, notices) => {
  const worker: WorkerHandle<HostWorkerApi> = {
    get api(): never {
      throw new Error('Nothing is asked of the worker.');
    },
    terminate: () => undefined,
  };
  const resumed: Resumed = { worker, round: 3, note: NOTE, key };
  const store = new ViewStore('host', 'abcdefgh1234');
  const log = new RunLog(() => 5000, []);
  recall(resumed, store, log);
  const { rounds, scores, kept } = store.view;
  expect(rounds.map(({ round }) => round)).toEqual([1, 2, 3]);
  expect(scores.map(({ round }) => round)).toEqual([1, 3]);
  expect(kept).toEqual({ round: 3, atMs: 1234 });
  expect(store.view.notices.map(({ sentence }) => sentence)).toEqual(notices);
  expect(log.lines().map((text) => JSON.parse(text))).toMatchObject([{ type: 'resumed', round: 3 }]);
});

it.each([
  ['slowdown', 1, 1000, [0.99, 1001]],
  ['patience', 0, 5, [-1, 1.5]],
] as const)('a note’s %s is from %d, %d among them', (name, least, more, wrong) => {
  const text = (value: number) => JSON.stringify({ ...NOTE, options: { ...NOTE.options, [name]: value } });
  for (const value of [least, more]) expect(readNote(text(value)).note.options[name]).toBe(value);
  for (const value of wrong) expect(() => readNote(text(value))).toThrow('does not say of which session it is');
});

it('a note is of a time that can be', () => {
  const text = (savedAtMs: number) => JSON.stringify({ ...NOTE, savedAtMs });
  expect(readNote(text(0)).note.savedAtMs).toBe(0);
  for (const wrong of [-1, 0.5]) expect(() => readNote(text(wrong))).toThrow('does not say of which session it is');
});

it('a session that goes on computes on what its person wanted before, unless they want something else now', () => {
  const { note } = readNote(JSON.stringify({ ...NOTE, options: { ...NOTE.options, engine: 'webgpu' } }));
  const key = { id: 'i'.repeat(12), key: 'k'.repeat(24), room: 'room' };
  expect(resumedEngine(undefined, { note, key })).toBe('webgpu');
  expect(resumedEngine('wasm', { note, key })).toBe('wasm');
  // A checkpoint of somebody else’s says nothing of this device; nor does one of before there was a choice.
  expect(resumedEngine(undefined, { note, key: null })).toBeUndefined();
  expect(resumedEngine(undefined, { note: readNote(JSON.stringify(NOTE)).note, key })).toBeUndefined();
  const wrong = JSON.stringify({ ...NOTE, options: { ...NOTE.options, engine: 'abacus' } });
  expect(() => readNote(wrong)).toThrow('does not say of which session it is');
});
