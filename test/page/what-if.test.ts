import { describe, expect, it } from 'vitest';
import { computeSeconds, supposedProfile } from '../../signaling/protocol/cost-model.ts';
import { cloth } from '../../web/page/cloth/cloth.ts';
import {
  asItIs,
  comparedSentence,
  factorText,
  PRESETS,
  questionOf,
  roomOf,
  withDevice,
  withPreset,
} from '../../web/page/what-if/what-if.ts';
import { device, plan, room, withStatus } from './gallery/scenarios.ts';

const two = plan(6, [
  { place: 0, layers: [0, 1, 2] },
  { place: 1, layers: [3, 4, 5], head: true },
]);
const here = room({
  devices: [device(0), device(1), withStatus(2, { kind: 'profiling' }), device(3, { linked: false })],
  plan: two,
});
const what = asItIs(here);
const seconds = (profile: Parameters<typeof computeSeconds>[0] | null | undefined) =>
  computeSeconds(profile!, 6, 32, 6);

describe('the room as it is', () => {
  it('has who measured themselves; who cannot work now is there and out', () => {
    expect(what.devices.map(({ name, here: isIn }) => [name, isIn])).toEqual([
      ['Linen Shuttle', true],
      ['Pixel 8', true],
      ['Merino Bobbin', false],
    ]);
    const asked = questionOf(what, here, []);
    expect(asked).toMatchObject({ host: device(0).id, plan: two, rounds: [], settings: here.settings });
    const as = { speed: 1, memory: 1, uplink: 1, imagined: null };
    expect(asked.supposed).toEqual([
      { id: device(0).id, name: 'Linen Shuttle', ...as },
      { id: device(1).id, name: 'Pixel 8', ...as },
    ]);
    expect(asked.devices.map(({ profile }) => profile)).toEqual([0, 1, 3].map((place) => device(place).profile));
  });
});

describe('another room', () => {
  it('has devices twice as quick, with half the memory and four times the uplink', () => {
    const other = withDevice(what, device(1).id, { speed: 2, memory: 0.5, uplink: 4 });
    const [, asked] = questionOf(other, here, []).supposed!;
    expect(asked).toMatchObject({ id: device(1).id, speed: 2, memory: 0.5, uplink: 4 });
    const was = device(1).profile!;
    const is = supposedProfile(was, asked!);
    expect(seconds(is)).toBeCloseTo(seconds(was) / 2, 12);
    expect(is.memory.limitBytes).toBe(was.memory.limitBytes / 2);
    expect(is.linkBitsPerSecond).toBe(4 * was.linkBitsPerSecond);
    // The host needs no link, whatever the slider says.
    const host = device(0).profile!;
    expect(supposedProfile(host, { speed: 1, memory: 1, uplink: 4 }).linkBitsPerSecond).toBe(host.linkBitsPerSecond);
  });

  it('has others in it, timed like the first of the room, and leaves the room alone', () => {
    const [phone, , gpu] = PRESETS;
    const other = withPreset(withPreset(withPreset(what, phone), phone), gpu);
    expect(other.devices.slice(3).map(({ id, name }) => [id, name])).toEqual([
      ['whatif00', 'Phone (not here)'],
      ['whatif01', 'Phone 2 (not here)'],
      ['whatif02', 'GPU (not here)'],
    ]);
    const like = device(0).profile!;
    expect(seconds(other.devices[3]?.profile)).toBeCloseTo(3 * seconds(like), 12);
    expect(seconds(other.devices[5]?.profile)).toBeCloseTo(0.1 * seconds(like), 12);
    expect(questionOf(other, here, []).supposed?.at(-1)?.imagined).toEqual({
      profile: other.devices[5]?.profile,
      like: device(0).id,
    });
    expect(asItIs(here)).toEqual(what);
    expect(withPreset({ ...what, devices: [] }, phone).devices).toEqual([]);
  });

  it('has other samples and another policy, and is drawn with what moved marked', () => {
    const other = { ...withDevice(what, device(1).id, { here: false }), samples: 8, policy: 'single' as const };
    const asked = questionOf(other, here, []);
    expect([asked.settings.training.samplesPerRound, asked.settings.policy, asked.supposed?.length]).toEqual([
      8,
      'single',
      1,
    ]);
    const alone = plan(6, [{ place: 0, layers: [0, 1, 2, 3, 4, 5], head: true }]);
    const shown = roomOf(other, here, alone);
    expect(shown.devices.map(({ id }) => id)).toEqual([device(0).id]);
    const { threads } = cloth({
      room: shown,
      self: '',
      rounds: [],
      activity: null,
      seats: [device(0).id],
      against: two,
    });
    expect(threads[0]?.cells.map(({ row, moved }) => [row, moved ?? false])).toEqual([
      [0, true],
      [1, true],
      [2, true],
      [3, true],
      [4, false],
      [5, false],
      [6, false],
    ]);
  });
});

it.each([
  [1.2, 0.8, '0.80 s a round instead of 1.2 s: 33 % less.'],
  [1, 1.5, '1.5 s a round instead of 1.0 s: 50 % more.'],
  [1, 1.001, '1.0 s a round, as now.'],
  [null, 1.5, '1.5 s a round.'],
])('%s seconds against %s', (now, then, sentence) => {
  expect(comparedSentence(now, then)).toBe(sentence);
});

it.each([
  [1, 'as it is'],
  [4, '4 times'],
  [0.125, '1/8'],
])('a factor of %s is read "%s"', (factor, text) => {
  expect(factorText(factor)).toBe(text);
});
