import { describe, expect, it } from 'vitest';
import type { RoomView, RoundReport, ScoreReport } from '../../signaling/protocol/room-view.ts';
import type { SessionView } from '../../web/session/view/view.ts';
import { bestScore, firstView, reduceView, type ViewEvent } from '../../web/session/view/view-state.ts';
import { SETTINGS } from '../protocol/samples.ts';

const round = (n: number, loss = 1 / n): RoundReport => ({
  round: n,
  planVersion: 1,
  loss,
  learningRate: 1e-3,
  gradientNorm: 1,
  elapsedSeconds: 1,
  devices: [],
  reassigned: 0,
});
const score = (n: number): ScoreReport => ({
  round: n,
  metric: 'accuracy',
  value: 0.5,
  loss: 0.7,
  examples: 100,
  elapsedSeconds: 1,
});
const play = (...events: ViewEvent[]): SessionView => events.reduce(reduceView, firstView('device', 'abcdefgh'));

describe('a session view', () => {
  it('keeps the passes of the last fifty rounds, told one by one or together; of older ones what others tell, too', () => {
    const passes = [{ microBatch: 0, direction: 'up' as const, startSeconds: 0.5, seconds: 0.25 }];
    const times = { computeSeconds: 1, uploadSeconds: 0, uploadBits: 0, startSeconds: 0, downSeconds: 0 };
    const entry = { device: 'abcdefgh', samples: 1, deepestDepth: 1, ...times };
    const split = (n: number): RoundReport => ({ ...round(n), devices: [{ ...entry, passes }, entry] });
    const all = Array.from({ length: 120 }, (_, i) => split(i + 1));
    const expected = all.map((report) => (report.round <= 70 ? { ...report, devices: [entry, entry] } : report));
    const one = play(...all.map((report): ViewEvent => ({ type: 'round', report })));
    expect(one.rounds).toEqual(expected);
    const history: ViewEvent = { type: 'message', message: { type: 'history', rounds: all, scores: [] } };
    expect(play(history).rounds).toEqual(expected);
    // Those that are all kept are the very same.
    expect(play(...all.slice(0, 50).map((report): ViewEvent => ({ type: 'round', report }))).rounds[0]).toBe(all[0]);
  });

  it('chooses the best by what the session says, the lowest of losses, and knows it when the room comes', () => {
    const report = (round: number, value: number, loss: number, macro: number): ScoreReport => ({
      ...score(round),
      value,
      loss,
      further: [
        { metric: 'f1-macro', devSet: 'other', value: 1 },
        { metric: 'f1-macro', devSet: null, value: macro },
      ],
    });
    const scores = [report(0, 0.7, 0.6, 0.1), report(5, 0.8, 0.4, 0.5), report(10, 0.9, 0.5, 0.3)];
    expect(bestScore(scores, null)).toEqual({ round: 10, by: 'accuracy', value: 0.9 });
    expect(bestScore(scores, 'loss')).toEqual({ round: 5, by: 'loss', value: 0.4 });
    expect(bestScore(scores, 'f1-macro')).toEqual({ round: 5, by: 'f1-macro', value: 0.5 });
    expect(bestScore(scores, 'matthews')).toBeNull();
    const early = play({ type: 'message', message: { type: 'history', rounds: [], scores } });
    expect(early.best?.round).toBe(10);
    const settings = { ...SETTINGS, training: { ...SETTINGS.training, bestBy: 'loss' as const } };
    const room: RoomView = {
      id: 'abcd',
      settings,
      phase: 'training',
      host: 'abcdefgh',
      devices: [],
      plan: null,
      planNote: null,
    };
    expect(reduceView(early, { type: 'message', message: { type: 'room', room } }).best?.round).toBe(5);
  });

  it('knows the best score, the earliest of equals, also from history', () => {
    const at = (n: number, value: number): ScoreReport => ({ ...score(n), value });
    expect(play().best).toBeNull();
    const seen = play({ type: 'score', report: at(0, 0.5) }, { type: 'score', report: at(5, 0.7) });
    expect(seen.best).toEqual({ round: 5, by: 'accuracy', value: 0.7 });
    expect(reduceView(seen, { type: 'score', report: at(10, 0.7) }).best).toEqual({
      round: 5,
      by: 'accuracy',
      value: 0.7,
    });
    const message = { type: 'history' as const, rounds: [], scores: [at(3, 0.8), at(5, 0.7)] };
    expect(reduceView(seen, { type: 'message', message }).best).toEqual({ round: 3, by: 'accuracy', value: 0.8 });
  });

  it('keeps rounds in order, each once, also when history comes again after a reconnection', () => {
    const view = play(
      { type: 'round', report: round(1) },
      { type: 'round', report: round(2) },
      { type: 'message', message: { type: 'history', rounds: [round(1), round(3, 0.1)], scores: [score(0)] } },
      { type: 'message', message: { type: 'round', report: round(4) } },
    );
    expect(view.rounds.map((r) => r.round)).toEqual([1, 2, 3, 4]);
    expect(view.rounds[2].loss).toBe(0.1);
    expect(view.scores).toEqual([score(0)]);
  });

  it('drops what was told of later rounds when the session went back to an earlier one', () => {
    const told = play(
      ...[1, 2, 3, 4].map((n): ViewEvent => ({ type: 'round', report: round(n) })),
      { type: 'score', report: { ...score(2), value: 0.6 } },
      { type: 'score', report: { ...score(4), value: 0.9 } },
    );
    expect(told.best?.round).toBe(4);
    const back = reduceView(told, { type: 'message', message: { type: 'round', report: round(3, 0.2) } });
    expect(back.rounds.map(({ round: n, loss }) => [n, loss])).toEqual([
      [1, 1],
      [2, 0.5],
      [3, 0.2],
    ]);
    expect([back.scores.map(({ round: n }) => n), back.best?.round]).toEqual([[2], 2]);
    // A host that starts all over.
    const anew = reduceView(back, { type: 'message', message: { type: 'round', report: round(1) } });
    expect([anew.rounds.length, anew.scores, anew.best]).toEqual([1, [], null]);
    const rescored = reduceView(told, { type: 'message', message: { type: 'score', report: score(0) } });
    expect(rescored.scores.map(({ round: n }) => n)).toEqual([0]);
  });

  it('knows why there is no link as long as there is none', () => {
    const down = play({ type: 'trouble', trouble: 'The connection failed.' });
    expect(down.linkTrouble).toBe('The connection failed.');
    expect(reduceView(down, { type: 'trouble', trouble: null }).linkTrouble).toBeNull();
  });

  it('believes the later word of a round or a score, whoever says it', () => {
    const told = play({ type: 'round', report: round(3, 1) }, { type: 'score', report: score(3) });
    const again = { ...score(3), value: 0.9 };
    const message = { type: 'history' as const, rounds: [round(3, 2)], scores: [again] };
    const after = reduceView(told, { type: 'message', message });
    expect([after.rounds.map(({ loss }) => loss), after.scores, after.best?.value]).toEqual([[2], [again], 0.9]);
    expect(reduceView(after, { type: 'round', report: round(3, 4) }).rounds.map(({ loss }) => loss)).toEqual([4]);
  });

  it('keeps the latest five thousand rounds, however they come', () => {
    const many = Array.from({ length: 5002 }, (_, i) => round(i + 1));
    const told = play({ type: 'message', message: { type: 'history', rounds: many, scores: [] } });
    expect([told.rounds.length, told.rounds[0].round]).toEqual([5000, 3]);
    const one = reduceView(told, { type: 'round', report: round(5003) });
    expect([one.rounds.length, one.rounds[0].round]).toEqual([5000, 4]);
  });

  it('ends activity with its round and an evaluation with its score', () => {
    const running = play(
      { type: 'activity', activity: { round: 3, devices: [] } },
      { type: 'evaluation', evaluation: { done: 1, total: 2 } },
    );
    expect([running.activity?.round, running.evaluation?.total]).toEqual([3, 2]);
    const done = reduceView(reduceView(running, { type: 'round', report: round(3) }), {
      type: 'score',
      report: score(3),
    });
    expect([done.activity, done.evaluation]).toEqual([null, null]);
  });

  it('is over after a refusal or when the room closes, for the first reason given', () => {
    const warned = play({
      type: 'message',
      message: { type: 'error', sentence: 'Only the host may.', refused: false },
    });
    expect(warned.ended).toBeNull();
    const refused = play({ type: 'message', message: { type: 'error', sentence: 'No such session.', refused: true } });
    expect(refused.ended).toBe('No such session.');
    const closed = reduceView(refused, { type: 'message', message: { type: 'closed', sentence: 'The host left.' } });
    expect(closed.ended).toBe('No such session.');
  });

  it('numbers its notices and keeps the latest twenty', () => {
    const view = play(
      ...Array.from(
        { length: 30 },
        (_, i): ViewEvent => ({
          type: 'notice',
          kind: 'news',
          sentence: `Notice ${i + 1}.`,
          elapsedSeconds: i,
        }),
      ),
    );
    expect(view.notices).toHaveLength(20);
    expect(view.notices[0]).toMatchObject({ id: 11, sentence: 'Notice 11.' });
    expect(view.notices[19].id).toBe(30);
  });

  it('starts as what its role is', () => {
    expect(firstView('watcher', 'x').status).toEqual({ kind: 'watching' });
    expect(firstView('host', 'x').status).toEqual({ kind: 'joining' });
  });
});
