import { describe, expect, it } from 'vitest';
import type { DeviceView, RoomView, RoundReport } from '../../signaling/protocol/room-view.ts';
import { type HostKey, readHostKey, writeHostKey } from '../../web/session/own/host-key.ts';
import { historyOf, readNote, type SessionNote } from '../../web/session/own/session-note.ts';
import { logEntries, RunLog } from '../../web/session/view/run-log.ts';
import type { SessionView } from '../../web/session/view/view.ts';
import { firstView, reduceView, type ViewEvent } from '../../web/session/view/view-state.ts';
import { profile, SETTINGS } from '../protocol/samples.ts';

const device = (id: string, ready: boolean): DeviceView => ({
  id,
  name: `Device ${id}`,
  kind: 'tab',
  status: ready ? { kind: 'ready' } : { kind: 'profiling' },
  hidden: false,
  linked: true,
  online: true,
  peerId: null,
  profile: ready ? profile() : null,
});
const room = (devices: DeviceView[], change: Partial<RoomView> = {}): ViewEvent => ({
  type: 'message',
  message: {
    type: 'room',
    room: {
      id: 'abc234',
      settings: SETTINGS,
      phase: 'gathering',
      host: 'hosthost',
      devices,
      plan: null,
      planNote: null,
      ...change,
    },
  },
});
const report = (round: number): RoundReport => ({
  round,
  planVersion: 1,
  loss: 1 / round,
  learningRate: 1e-3,
  gradientNorm: 1,
  elapsedSeconds: 1,
  devices: [],
  reassigned: 0,
});
const score = { round: 0, metric: 'accuracy' as const, value: 0.5, loss: 0.7, examples: 9, elapsedSeconds: 1 };

const KEY: HostKey = { id: 'abcdefgh1234', key: 'k'.repeat(32), room: 'abc234', claim: 'ab'.repeat(32) };
const DOOR = { secret: '0'.repeat(26), door: 'ask' as const, cap: 5, removed: ['removed12345'] };

/** A log that has seen every view after each event, at one second past 1970 each. */
function record(...events: ViewEvent[]): RunLog {
  let seconds = 0;
  const log = new RunLog(() => 1000 * ++seconds, []);
  events.reduce<SessionView>(
    (before, event) => {
      const after = reduceView(before, event);
      log.add(logEntries(before, after));
      return after;
    },
    firstView('host', 'hosthost'),
  );
  return log;
}

const shorter = { ...SETTINGS, training: { ...SETTINGS.training, rounds: 7 } };

describe('the log of a run', () => {
  it('tells settings, comings and goings, phases, rounds, scores and problems, in their order', () => {
    const log = record(
      room([device('hosthost', false)]),
      room([device('hosthost', true), device('b', false)]),
      room([device('hosthost', true), device('b', false)], { settings: shorter }),
      { type: 'activity', activity: { round: 1, devices: [] } },
      room([device('hosthost', true)], { phase: 'training', settings: shorter }),
      { type: 'score', report: score },
      { type: 'round', report: report(1) },
      { type: 'notice', kind: 'news', sentence: 'No matter.', elapsedSeconds: 1 },
      { type: 'notice', kind: 'problem', sentence: 'It rains.', elapsedSeconds: 1 },
      room([device('hosthost', true)], { phase: 'training', settings: { ...shorter, policy: 'exact' } }),
    );
    const lines = log.text().trimEnd().split('\n');
    const entries = lines.map((line) => JSON.parse(line) as { type: string; at: string });
    expect(entries.map(({ type }) => type)).toEqual([
      'session',
      'joined',
      'ready',
      'joined',
      'extent',
      'left',
      'phase',
      'score',
      'round',
      'problem',
      'policy',
    ]);
    expect(entries[0]).toEqual({ type: 'session', settings: SETTINGS, at: '1970-01-01T00:00:01.000Z' });
    expect(entries[2]).toMatchObject({ device: 'hosthost', profile: profile() });
    expect(entries[4]).toMatchObject({ extent: { rounds: 7, evaluateEvery: 0 } });
    expect(entries[5]).toMatchObject({ device: 'b', name: 'Device b' });
    expect(entries[8]).toMatchObject({ report: report(1) });
    expect(log.lines()).toEqual(lines);
  });

  it('tells what stages sent each other once in fifty rounds, and when rounds rest or the session ends', () => {
    const traffic = (round: number): ViewEvent => ({
      type: 'traffic',
      traffic: { round, pairs: [{ from: 'a', to: 'b', bytes: 10 * round, relayedBytes: round }] },
    });
    const phase = (of: RoomView['phase']) => room([device('hosthost', true)], { phase: of });
    const told = (...events: ViewEvent[]) =>
      record(...events)
        .lines()
        .map((line) => JSON.parse(line) as { type: string; traffic?: { round: number; pairs: unknown[] } })
        .flatMap(({ type, traffic: one }) => (type === 'traffic' ? [one?.round] : []));
    const rounds = Array.from({ length: 120 }, (_, i) => traffic(i + 1));
    expect(told(phase('training'), ...rounds)).toEqual([50, 100]);
    expect(told(phase('training'), ...rounds, phase('paused'), phase('training'))).toEqual([50, 100, 120]);
    expect(told(phase('training'), traffic(1), { type: 'ended', sentence: 'Over.' })).toEqual([1]);
    const none: ViewEvent = { type: 'traffic', traffic: { round: 50, pairs: [] } };
    expect(told(phase('training'), none, phase('finished'))).toEqual([]);
    expect(record(phase('training'), traffic(50)).lines().at(-1)).toContain(
      '"traffic":{"round":50,"pairs":[{"from":"a","to":"b","bytes":500,"relayedBytes":50}]}',
    );
  });

  it('tells stages’ passes of the first round, and once in fifty', () => {
    const passes = [{ microBatch: 0, direction: 'up' as const, startSeconds: 0.5, seconds: 0.25 }];
    const entry = { device: 'hosthost', samples: 1, deepestDepth: 1 };
    const times = { computeSeconds: 1, uploadSeconds: 0, uploadBits: 0, startSeconds: 0.25, downSeconds: 0.25 };
    const split = (n: number): RoundReport => ({ ...report(n), devices: [{ ...entry, ...times, passes }] });
    const log = record(...[1, 2, 50, 51, 101].map((n): ViewEvent => ({ type: 'round', report: split(n) })));
    const { rounds } = historyOf(log.lines(), 1000);
    expect(rounds.map(({ round, devices }) => [round, devices[0]])).toEqual([
      [1, { ...entry, ...times, passes }],
      [2, { ...entry, ...times }],
      [50, { ...entry, ...times }],
      [51, { ...entry, ...times, passes }],
      [101, { ...entry, ...times, passes }],
    ]);
  });

  it('has rounds that are done again after some were undone, the first of them too, and no report twice', () => {
    const again = (round: number, loss: number): ViewEvent => ({
      type: 'round',
      report: { ...report(round), loss, elapsedSeconds: 1 + loss },
    });
    const log = record(...[1, 2, 3].map((n) => again(n, n)), again(2, 20), again(3, 30), {
      type: 'message',
      message: { type: 'history', rounds: [report(1)], scores: [] },
    });
    const told = log.lines().flatMap((line) => {
      const { type, report: of } = JSON.parse(line) as { type: string; report: RoundReport };
      return type === 'round' ? [[of.round, of.loss]] : [];
    });
    expect(told).toEqual(
      [1, 2, 3]
        .map((n) => [n, n])
        .concat([
          [2, 20],
          [3, 30],
        ]),
    );
    const { rounds } = historyOf(log.lines(), 3);
    const kept = reduceView(firstView('host', 'a'), {
      type: 'message',
      message: { type: 'history', rounds, scores: [] },
    });
    expect(kept.rounds.map(({ round, loss }) => [round, loss])).toEqual([
      [1, 1],
      [2, 20],
      [3, 30],
    ]);
  });

  it('gives its rounds and scores back, up to a checkpoint’s round', () => {
    const log = record(
      { type: 'score', report: score },
      ...[1, 2, 3].map((n): ViewEvent => ({ type: 'round', report: report(n) })),
    );
    const lines = [...log.lines(), '{"type":"round"', '{"type":"round","report":{"round":1}}', 'nonsense'];
    expect(historyOf(lines, 2)).toEqual({ rounds: [report(1), report(2)], scores: [score] });
  });

  it('stays bounded, and keeps settings, scores and the latest rounds', () => {
    const log = record(room([device('hosthost', true)]), { type: 'score', report: score });
    for (let round = 1; round <= 30_000; round++) log.add([{ type: 'round', report: report(round) }]);
    expect(log.lines().length).toBeLessThanOrEqual(20_000);
    expect(log.lines()[0]).toContain('"type":"session"');
    expect(log.lines().filter((line) => line.includes('"type":"score"'))).toHaveLength(1);
    const { rounds } = historyOf(log.lines(), 30_000);
    expect(rounds.slice(-5000).map(({ round }) => round)).toEqual(Array.from({ length: 5000 }, (_, i) => 25_001 + i));
  });
});

describe('a session’s note in a checkpoint', () => {
  const note: SessionNote = {
    identity: { id: 'abcdefgh1234', name: 'laptop' },
    term: 3,
    options: { policy: 'auto', slowdown: 1, patience: 0 },
    finished: false,
    savedAtMs: 5,
    log: ['{}'],
  };

  it('reads back as it was', () => {
    expect(readNote(JSON.stringify(note))).toEqual({ note, key: null });
  });

  it('of the first release, which counted no hosts, is of the first', () => {
    const { term: _, ...first } = note;
    expect(readNote(JSON.stringify(first)).note).toEqual({ ...first, term: 1 });
  });

  it('that has the host’s key within, as the first release had it, gives it apart', () => {
    const { id, name } = note.identity;
    const line = '{"type":"session","at":"1970-01-01T00:00:01.000Z","room":"abc234","settings":{}}';
    const old = { ...note, identity: { id, key: KEY.key, name }, room: KEY.room, log: [line] };
    const log = ['{"type":"session","at":"1970-01-01T00:00:01.000Z","settings":{}}'];
    const { claim: _, ...unclaimed } = KEY;
    expect(readNote(JSON.stringify(old))).toEqual({ note: { ...note, log }, key: unclaimed });
    expect(readNote(JSON.stringify({ ...old, claim: KEY.claim })).key).toEqual(KEY);
  });

  it.each<[string, string]>([
    ['nothing', ''],
    ['no note', '{}'],
    ['half a key', JSON.stringify({ ...note, room: 'abc234' })],
    [
      'a room that is none',
      JSON.stringify({ ...note, identity: { ...note.identity, key: 'k'.repeat(32) }, room: '../etc' }),
    ],
    ['a policy that is none', JSON.stringify({ ...note, options: { ...note.options, policy: 'best' } })],
  ])('is refused with a sentence: %s', (_, text) => {
    expect(() => readNote(text)).toThrow('does not say of which session it is');
  });
});

describe('the key beside a checkpoint', () => {
  it('reads back as it was', () => {
    expect(readHostKey(writeHostKey(KEY), KEY.id)).toEqual(KEY);
    expect(readHostKey(writeHostKey({ ...KEY, door: DOOR }), KEY.id)).toEqual({ ...KEY, door: DOOR });
    const { claim: _, ...unclaimed } = KEY;
    expect(readHostKey(writeHostKey(unclaimed), KEY.id)).toEqual(unclaimed);
  });

  it.each<[string, string, string]>([
    ['of another session', writeHostKey({ ...KEY, id: 'another12345' }), 'is of another session'],
    ['that is none', '', 'is no key'],
    ['cut short', writeHostKey(KEY).slice(0, -3), 'is no key'],
    ['with a secret that is none', writeHostKey({ ...KEY, door: { ...DOOR, secret: 'aaa' } }), 'is no key'],
    ['with a room that is none', writeHostKey({ ...KEY, room: '../etc' }), 'is no key'],
    ['of a later release', writeHostKey(KEY).replace('key-1', 'key-2'), 'is no key'],
  ])('is refused with a sentence: %s', (_, text, sentence) => {
    expect(() => readHostKey(text, KEY.id)).toThrow(`${sentence}. Move it away to go on in a new session.`);
  });
});
