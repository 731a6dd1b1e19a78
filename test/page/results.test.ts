import { describe, expect, it } from 'vitest';
import { computeSeconds } from '../../signaling/protocol/cost-model.ts';
import { NOTHING_GIVEN, tallied } from '../../web/page/own/given.ts';
import { aloneSeconds, contributions, markdown, togetherSentence, toldOf } from '../../web/page/results/results.ts';
import { device, plan, room, rounds, scores, view } from './gallery/scenarios.ts';

const two = plan(6, [
  { place: 0, layers: [0, 1, 2, 3, 4, 5], head: true, samples: { start: 0, count: 24 } },
  { place: 1, layers: [0, 1, 2, 3, 4, 5], head: true, samples: { start: 24, count: 8 } },
]);
const here = room({ devices: [device(0), device(1)], plan: two, phase: 'finished' });
const reports = rounds(10, two).map((report) => ({ ...report, elapsedSeconds: 0.25 }));
const tally = tallied(NOTHING_GIVEN, reports, 6);
const names = new Map([
  [device(0).id, 'Linen Shuttle'],
  [device(1).id, 'Pixel | 8'],
]);
const all = contributions(tally, device(1).id, [device(0).id, null], names);
const seen = view({ room: here, rounds: reports, scores: scores(10, 5) });

describe('who did how much', () => {
  it('is told of everybody, who did most first, and of who left without a mark', () => {
    expect(all.map(({ name, share, samples, self, mark }) => [name, share, samples, self, mark?.letter])).toEqual([
      ['Linen Shuttle', 0.75, 240, false, 'A'],
      ['Pixel | 8', 0.25, 80, true, undefined],
    ]);
    expect(all.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12);
    expect(contributions(tally, '', [], new Map())[1]?.name).toBe('a device that left');
  });
});

describe('together against alone', () => {
  const alone = 10 * computeSeconds(device(0).profile!, 6, 32, 6);
  it('is by what the host measured of itself: all samples down to the lowest trained layer, every round', () => {
    expect(aloneSeconds(here, 10)).toBeCloseTo(alone, 9);
    expect(alone).toBeGreaterThan(2.5);
    expect(togetherSentence(seen, 2)).toMatch(
      /^Together it took 2\.5 s; Linen Shuttle alone would have needed about [\d.]+ s\.$/,
    );
  });

  it('does not boast where nothing was gained, and says nothing where nobody helped or nothing is known', () => {
    const slow = { ...seen, rounds: reports.map((report) => ({ ...report, elapsedSeconds: alone })) };
    expect(togetherSentence(slow, 2)).toContain('Linen Shuttle alone would have been as quick');
    expect(togetherSentence(seen, 1)).toBeNull();
    const unmeasured = { ...here, devices: here.devices.map((one) => ({ ...one, profile: null })) };
    expect(togetherSentence({ ...seen, room: unmeasured }, 2)).toBeNull();
  });
});

it('what is told to others has the figures, and names that break no table', () => {
  const told = toldOf(seen, 2)!;
  expect(told).toEqual({
    title: 'Fine-tuned together by 2 devices',
    what: 'Sentiment, roberta-mini',
    metric: 'dev accuracy',
    before: '50.8 %',
    after: '76.1 %',
    rounds: '10 rounds in 2.5 s',
  });
  expect(markdown(told, all)).toBe(
    [
      '## Fine-tuned together by 2 devices',
      '',
      'Sentiment, roberta-mini; 10 rounds in 2.5 s.',
      '',
      'Dev accuracy: 50.8 % → **76.1 %**',
      '',
      '| device | of the work | samples | computing |',
      '|---|---:|---:|---:|',
      `| Linen Shuttle | 75 % | 240 | ${markdown(told, all).match(/240 \| ([^|]+) \|/)?.[1]} |`,
      `| Pixel \\| 8 | 25 % | 80 | ${markdown(told, all).match(/ 80 \| ([^|]+) \|/)?.[1]} |`,
      '',
    ].join('\n'),
  );
});
