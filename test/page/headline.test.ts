import { describe, expect, it } from 'vitest';
import { forecast } from '../../signaling/protocol/words/forecast.ts';
import { limitSentences } from '../../web/page/allocation/limits.ts';
import {
  headline,
  openingSteps,
  roleSentence,
  roundsProgress,
  startObstacle,
} from '../../web/page/session/headline.ts';
import type { SessionView } from '../../web/session/view/view.ts';
import { device, plan, room, rounds, scores, view, withStatus } from './gallery/scenarios.ts';

const two = plan(6, [
  { place: 0, layers: [0, 1, 2] },
  { place: 1, layers: [3, 4, 5], head: true },
]);
const devices = [device(0), device(1)];
const training = room({ devices, plan: two });
const steady = (count: number, seconds: number) =>
  rounds(count, two).map((one) => ({ ...one, elapsedSeconds: seconds }));

describe('roundsProgress', () => {
  it('judges the time left by the median of the last ten rounds', () => {
    const slowStart = steady(20, 2).map((one, i) => (i < 10 ? { ...one, elapsedSeconds: 60 } : one));
    const progress = roundsProgress({ rounds: slowStart }, training);
    expect(progress).toMatchObject({ done: 20, total: 120, share: 20 / 120 });
    // 100 rounds of two seconds, and the last score.
    const { lastScoreSeconds } = forecast(training, slowStart)!;
    expect(lastScoreSeconds).toBeGreaterThan(0);
    expect(progress.secondsLeft).toBeCloseTo(200 + lastScoreSeconds, 9);
  });

  it('has no time left to tell before the first round and after the last', () => {
    expect(roundsProgress({ rounds: [] }, training).secondsLeft).toBeNull();
    expect(roundsProgress({ rounds: steady(120, 2) }, training)).toMatchObject({ share: 1, secondsLeft: null });
    expect(roundsProgress({ rounds: steady(50, 2) }, { ...training, phase: 'finished' }).secondsLeft).toBeNull();
  });
});

describe('the steps of opening', () => {
  it('are done before, and to come after, the one that the host is at', () => {
    const steps = openingSteps({ stage: 'data', done: 1, total: 2 });
    expect(steps.map(({ stage, state }) => `${stage} ${state}`)).toEqual([
      'config done',
      'tokenizer done',
      'data now',
      'adapter later',
    ]);
  });
});

describe('headline', () => {
  const cases: readonly (readonly [string, Partial<SessionView>, string, string])[] = [
    ['opening', { opening: { stage: 'data', done: 1, total: 2 } }, 'Preparing the session', 'Reading the data'],
    ['connecting as host', { server: 'connecting' }, 'Connecting', 'Asking the server for a room.'],
    [
      'server gone before the room',
      { server: 'reconnecting' },
      'Looking for the server',
      'It does not answer; trying again.',
    ],
    [
      'first round',
      { room: training, scores: scores(0, 20) },
      'First of 120 rounds',
      'The first gradients are on their way.',
    ],
    [
      'first round, scored beside it',
      { room: training, evaluation: { done: 64, total: 500 } },
      'First of 120 rounds',
      'The first gradients are on their way. Scored beside the rounds: 64 of 500 examples.',
    ],
    ['training', { room: training, rounds: steady(30, 2) }, 'Round 30 of 120', 'About 3 min left.'],
    [
      'evaluating',
      { room: training, rounds: steady(30, 2), evaluation: { done: 64, total: 500 } },
      'Round 30 of 120',
      'About 3 min left. Scored beside the rounds: 64 of 500 examples.',
    ],
    [
      'the last score',
      { room: training, rounds: steady(120, 2), evaluation: { done: 64, total: 500 } },
      'Round 120 of 120',
      'Evaluating: 64 of 500 dev examples.',
    ],
    [
      'all rounds done',
      { room: training, rounds: steady(120, 2) },
      'Round 120 of 120',
      'The last score is on its way.',
    ],
    [
      'paused',
      { room: { ...training, phase: 'paused' }, rounds: steady(1, 2) },
      'Paused after 1 round',
      'Nothing is lost; the host can go on at any time.',
    ],
    [
      'finished',
      { room: { ...training, phase: 'finished' }, rounds: steady(120, 2), scores: scores(120, 20) },
      'Finished after 120 rounds',
      'The adapter is ready.',
    ],
    [
      'ended in the middle',
      { room: training, rounds: steady(3, 2), ended: 'The host ended the session.' },
      'This session is over',
      'The host ended the session.',
    ],
    [
      'no such room',
      { role: 'device', ended: 'There is no session.' },
      'This device is not in the session',
      'There is no session.',
    ],
    [
      'nothing to begin with',
      { role: 'host', ended: 'The model was not found.' },
      'The session could not begin',
      'The model was not found.',
    ],
    [
      'ended after the end',
      { room: { ...training, phase: 'finished' }, rounds: steady(120, 2), ended: 'The host ended the session.' },
      'Finished after 120 rounds',
      'The host ended the session.',
    ],
  ];
  it.each(cases)('%s', (_name, change, title, detail) => {
    expect(headline(view(change))).toEqual({ title, detail });
  });

  it('counts the devices that gather', () => {
    const gathering = room({
      phase: 'gathering',
      devices: [device(0), withStatus(1, { kind: 'profiling' }), withStatus(2, { kind: 'watching' })],
    });
    expect(headline(view({ room: gathering }))).toEqual({
      title: 'Gathering devices',
      detail: '1 of 2 devices ready.',
    });
    expect(headline(view({ room: { ...training, phase: 'gathering' } }))).toEqual({
      title: 'Ready to start',
      detail: expect.stringMatching(
        /^2 devices are ready\. 120 rounds \(0\.96 epochs\) of [\d.]+ m?s each take about [\d.]+ (s|min), [\d.]+ m?s of it for the last score\.$/,
      ),
    });
  });
});

describe('startObstacle', () => {
  const gathering = (...list: Parameters<typeof room>[0]['devices']) => room({ phase: 'gathering', devices: list });
  it('is null as soon as there is a plan', () => {
    expect(startObstacle({ ...training, phase: 'gathering' })).toBeNull();
  });

  it('says who is being waited for', () => {
    expect(
      startObstacle(
        gathering(withStatus(0, { kind: 'loading', done: 1, total: 4 }), withStatus(1, { kind: 'profiling' })),
      ),
    ).toBe('No device is ready yet: Linen Shuttle is loading the model (25 %) and Pixel 8 is measuring its speed.');
    expect(startObstacle(gathering(device(0)))).toBe('The planner is making the first plan.');
    expect(startObstacle(gathering(withStatus(0, { kind: 'failed', sentence: 'No memory.' })))).toBe(
      'No device here can train. Open the link on another one.',
    );
    expect(startObstacle({ ...gathering(device(0)), planNote: 'Nobody can hold depth 9.' })).toBe(
      'There is no plan for these devices yet.',
    );
  });
});

describe('roleSentence', () => {
  const as = (role: SessionView['role'], place: number, change: Partial<SessionView> = {}) =>
    roleSentence(view({ role, self: device(place).id, room: training, ...change }));

  it('tells each person what this tab does', () => {
    expect(as('device', 1)).toBe('You are training layers 3–5 and the head. Keep this tab open and visible.');
    expect(as('host', 0)).toBe(
      'This tab holds the session, and trains layers 0–2. Keep it open and visible; closing it ends the session for everyone.',
    );
    expect(as('host', 0, { kept: { round: 30, atMs: 0 } })).toBe(
      'This tab holds the session, and trains layers 0–2. Keep it open and visible; everyone waits while it is closed.',
    );
    // Whatever is kept here: somebody is there who goes on.
    for (const kept of [null, { round: 30, atMs: 0 }])
      expect(as('host', 0, { heirs: [device(1).id], kept })).toBe(
        'This tab holds the session, and trains layers 0–2. Keep it open and visible; if it is closed, another device goes on in its place after a few seconds.',
      );
    expect(as('host', 0, { followed: true })).toContain(
      'The host went away: this tab holds the session now, and trains layers 0–2. Keep it open',
    );
    expect(as('watcher', 5)).toBe('You are watching; this tab does no work and can be closed at any time.');
    expect(as('device', 1, { room: { ...training, phase: 'gathering' } })).toBe(
      'You will train layers 3–5 and the head. Keep this tab open and visible.',
    );
    expect(as('device', 1, { room: { ...training, phase: 'finished' } })).toBe(
      'Your device is done; you can close this tab.',
    );
    expect(as('device', 1, { status: { kind: 'profiling' } })).toBe(
      'Your device is getting ready. Keep this tab open and visible.',
    );
  });

  it('tells a spare device from one without a link', () => {
    const more = (linked: boolean) => ({ room: { ...training, devices: [...devices, device(2, { linked })] } });
    expect(as('device', 2, more(true))).toContain('stands by');
    expect(as('device', 2, more(false))).toContain('waits for its link to the host');
  });

  it('is silent when the session is over', () => {
    expect(as('device', 1, { ended: 'The host ended the session.' })).toBe('');
  });
});

describe('limitSentences', () => {
  it('repeats the planner, and adds who was really slowest when that was another device', () => {
    expect(limitSentences({ rounds: [] }, training)).toEqual([two.explanation]);
    const other = two.assignments.find((one) => one.device !== two.limitedBy)!;
    const surprising = rounds(3, two).map((report) => ({
      ...report,
      devices: report.devices.map((one) =>
        one.device === other.device ? { ...one, computeSeconds: 20, uploadSeconds: 1 } : one,
      ),
    }));
    const name = devices.find((one) => one.id === other.device)!.name;
    expect(limitSentences({ rounds: surprising }, training)[1]).toMatch(
      new RegExp(`^In the last rounds ${name} took longest: 21 s, predicted `),
    );
  });

  it('is empty without a plan', () => {
    expect(limitSentences({ rounds: [] }, { ...training, plan: null })).toEqual([]);
  });
});
