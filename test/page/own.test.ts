import { describe, expect, it } from 'vitest';
import type { RoundReport } from '../../signaling/protocol/room-view.ts';
import { platformName } from '../../web/page/join/device-name.ts';
import { NOTHING_GIVEN, shareOf, tallied } from '../../web/page/own/given.ts';
import { batteryText, givenLines, ownState, ringOf, thanksSentence } from '../../web/page/own/own-words.ts';
import { slowedDown } from '../../web/page/own/pace.ts';
import type { SessionView } from '../../web/session/view/view.ts';
import { device, plan, room, rounds, view, withStatus } from './gallery/scenarios.ts';

const LAYERS = 6;
const [host, own] = [device(0).id, device(1).id];

/** A round of two devices: `own` takes a quarter of the samples through all layers and back, the host the rest down to depth 2. */
const report = (round: number, change: Partial<RoundReport> = {}, ownSeconds = 0.5): RoundReport => ({
  round,
  planVersion: 3,
  loss: 0.5,
  learningRate: 1e-3,
  gradientNorm: 1,
  elapsedSeconds: 2,
  reassigned: 0,
  devices: [
    { device: host, samples: 24, deepestDepth: 2, computeSeconds: 1, uploadSeconds: 0, uploadBits: 800 },
    { device: own, samples: 8, deepestDepth: 6, computeSeconds: ownSeconds, uploadSeconds: 0.1, uploadBits: 16_000 },
  ],
  ...change,
});
const many = (count: number, seconds: (round: number) => number = () => 0.5): RoundReport[] =>
  Array.from({ length: count }, (_, i) => report(i + 1, {}, seconds(i + 1)));

describe('what a device has given', () => {
  it('is added up over rounds: samples times the layers that they went through both ways', () => {
    const tally = tallied(NOTHING_GIVEN, many(10), LAYERS);
    expect(tally.devices.get(own)).toEqual({ rounds: 10, samples: 80, seconds: 5, uploadBits: 160_000, work: 960 });
    // 8 samples over 6 + 6 layers, beside 24 over 6 + 2.
    expect(shareOf(tally, own)).toBeCloseTo(96 / (96 + 192), 12);
    expect(shareOf(tally, 'nobody')).toBeNull();
  });

  it('is the same whether rounds come one by one or all at once, and counts a round once where work was taken over', () => {
    const all = many(10);
    const oneByOne = all.reduce((sum, _, i) => tallied(sum, all.slice(0, i + 1), LAYERS), NOTHING_GIVEN);
    expect(oneByOne).toEqual(tallied(NOTHING_GIVEN, all, LAYERS));
    const both = report(1, { devices: [...report(1).devices, { ...report(1).devices[1]!, samples: 4 }] });
    expect(tallied(NOTHING_GIVEN, [both], LAYERS).devices.get(own)).toMatchObject({ rounds: 1, samples: 12 });
  });

  it('starts anew when the session went back, and says what it was not told', () => {
    const after = tallied(tallied(NOTHING_GIVEN, many(10), LAYERS), many(4), LAYERS);
    expect(after.devices.get(own)).toMatchObject({ rounds: 4, samples: 32 });
    const latecomer = [report(3, { devices: [] }), report(9), report(10)];
    const tally = tallied(NOTHING_GIVEN, latecomer, LAYERS);
    expect(tally).toMatchObject({ through: 10, untold: 8 });
    expect(givenLines(tally, own).map(({ what, value }) => `${what}: ${value}`)).toEqual([
      'Of the work since you came: 33 %',
      'Samples: 16',
      'Computing: 1.0 s',
      'Sent: 4.0 kB',
    ]);
  });

  it('is thanked for in figures, also where there was nothing to do', () => {
    expect(thanksSentence(tallied(NOTHING_GIVEN, many(10), LAYERS), own)).toBe(
      'Your device worked on 80 samples in 10 rounds: 33 % of all the work, 5.0 s of computing.',
    );
    expect(thanksSentence(NOTHING_GIVEN, own)).toContain('even if no round needed it yet');
  });
});

describe('a device that slows down', () => {
  it('is told by its own seconds for a sample and layer, not by the plan', () => {
    expect(
      slowedDown(
        many(40, (round) => (round > 35 ? 0.9 : 0.5)),
        own,
        LAYERS,
      ),
    ).toBeCloseTo(1.8, 9);
    expect(slowedDown(many(40), own, LAYERS)).toBeNull();
    // Twice the samples in twice the time: another plan.
    const moved = many(40).map((one, i) =>
      i < 20
        ? one
        : {
            ...one,
            devices: one.devices.map((d) => ({ ...d, samples: 2 * d.samples, computeSeconds: 2 * d.computeSeconds })),
          },
    );
    expect(slowedDown(moved, own, LAYERS)).toBeNull();
  });

  it('is not told of too few rounds, nor of others', () => {
    const hot = (count: number) => many(count, (round) => (round > count - 5 ? 5 : 0.5));
    expect(slowedDown(hot(24), own, LAYERS)).toBeNull();
    expect(slowedDown(hot(25), own, LAYERS)).toBeCloseTo(10, 9);
    expect(slowedDown(hot(25), host, LAYERS)).toBeNull();
  });
});

const two = plan(LAYERS, [
  { place: 0, layers: [0, 1, 2] },
  { place: 1, layers: [3, 4, 5], head: true },
]);
const training = room({ devices: [device(0), device(1)], plan: two });
const mine = (change: Partial<SessionView> = {}): SessionView =>
  view({ role: 'device', self: own, room: training, ...change });

describe('ownState', () => {
  const titles: readonly (readonly [string, Partial<SessionView>, string])[] = [
    ['works', { rounds: many(3) }, 'Training layers 3–5 and the head'],
    ['loads', { status: { kind: 'loading', done: 1, total: 4 } }, 'Getting ready'],
    ['measures', { status: { kind: 'profiling' } }, 'Getting ready'],
    ['waits for a part of the model', { status: { kind: 'measured' } }, 'Measured'],
    ['rests', { status: { kind: 'paused' } }, 'Your device is paused'],
    ['failed', { status: { kind: 'failed', sentence: 'Out of memory.' } }, 'This device cannot train'],
    [
      'has no link',
      { room: { ...training, devices: [device(0), device(1, { linked: false })] } },
      'Ready, but not linked',
    ],
    ['before the start', { room: { ...training, phase: 'gathering' } }, 'Ready'],
    ['the session rests', { room: { ...training, phase: 'paused' } }, 'Paused'],
    [
      'not needed',
      { room: { ...training, plan: { ...two, assignments: two.assignments.slice(0, 1) } } },
      'Standing by',
    ],
  ];
  it.each(titles)('%s', (_what, change, title) => {
    expect(ownState(mine(change), 'About 3 min left.')?.title).toBe(title);
  });

  it('says that it is done with its part while others are not, where rounds are slow enough to follow', () => {
    const activity = { round: 4, devices: [{ device: own, received: 4, expected: 4 }] };
    expect(ownState(mine({ rounds: many(3), activity }), 'About 3 min left.')).toEqual({
      title: 'Done with its part',
      detail: 'It waits for the others. About 3 min left.',
    });
    const quick = many(3).map((one) => ({ ...one, elapsedSeconds: 0.2 }));
    expect(ownState(mine({ rounds: quick, activity }), '')?.title).toBe('Training layers 3–5 and the head');
  });

  it('leaves it to the headline before there is a room, and when the session is over', () => {
    expect(ownState(mine({ room: null }), '')).toBeNull();
    expect(ownState(mine({ room: { ...training, phase: 'finished' } }), '')).toBeNull();
    expect(ownState(mine({ ended: 'The host ended the session.' }), '')).toBeNull();
  });
});

describe('ringOf', () => {
  it('shows this round’s part and the whole, or the download', () => {
    const activity = { round: 4, devices: [{ device: own, received: 1, expected: 4 }] };
    expect(ringOf(mine({ rounds: many(30), activity }), training)).toMatchObject({
      share: 0.25,
      whole: 0.25,
      centre: '30',
      below: 'of 120',
    });
    expect(ringOf(mine({ status: { kind: 'loading', done: 1, total: 4 } }), training)).toMatchObject({
      share: 0.25,
      centre: '25 %',
      below: 'loaded',
    });
  });

  it('does not blink where rounds are quick', () => {
    expect(
      ringOf(mine({ rounds: rounds(30, two).map((one) => ({ ...one, elapsedSeconds: 0.2 })) }), training).share,
    ).toBeNull();
  });
});

describe('batteryText', () => {
  it('asks for a plug only where it is needed', () => {
    expect(batteryText({ level: 0.64, charging: true })).toBe('Battery 64 %, charging');
    expect(batteryText({ level: 0.12, charging: true })).toBe('Battery 12 %, charging');
    expect(batteryText({ level: 0.2, charging: false })).toBe('Battery 20 %: plug it in, or pause it');
  });
});

describe('platformName', () => {
  it.each([
    [
      'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36',
      5,
      'Android phone',
    ],
    ['Mozilla/5.0 (Android 14; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0', 5, 'Android phone'],
    ['Mozilla/5.0 (Linux; Android 14; SM-X700) AppleWebKit/537.36 Chrome/140.0 Safari/537.36', 5, 'Android tablet'],
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148', 5, 'iPhone'],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15', 5, 'iPad'],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15', 0, 'Mac'],
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0', 0, 'Windows computer'],
    ['Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36', 0, 'Chromebook'],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 0, 'Linux computer'],
    ['something else', 0, 'Device'],
  ])('%s, %i touch points', (userAgent, touchPoints, name) => {
    expect(platformName(userAgent, touchPoints)).toBe(name);
  });
});

describe('a device that its person pauses', () => {
  it('is shown as paused to everybody', async () => {
    const { cloth } = await import('../../web/page/cloth/cloth.ts');
    const paused = room({ devices: [device(0), withStatus(1, { kind: 'paused' })], plan: two });
    const { threads } = cloth({ room: paused, self: host, rounds: [], activity: null, seats: [host, own] });
    expect(threads.map(({ state }) => state)).toEqual(['works', 'resting']);
  });
});
