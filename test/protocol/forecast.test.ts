import { describe, expect, it } from 'vitest';
import { planRoom } from '../../signaling/planner/room-plan.ts';
import type { Profile } from '../../signaling/protocol/profile.ts';
import type { DeviceView, RoomView, RoundReport } from '../../signaling/protocol/room-view.ts';
import {
  anotherSentence,
  epochsOf,
  epochsText,
  forecast,
  forecastSentence,
  roundsWithin,
  soonSentence,
  wholeText,
  withAnother,
} from '../../signaling/protocol/words/forecast.ts';
import { roomProblem } from '../../signaling/room/planning.ts';
import { profile, SETTINGS } from './samples.ts';

const device = (id: string, measured: Profile | null = profile()): DeviceView => ({
  id,
  name: id,
  kind: 'tab',
  status: measured === null ? { kind: 'profiling' } : { kind: 'ready' },
  hidden: false,
  linked: true,
  online: true,
  peerId: null,
  profile: measured,
});

const task = { ...SETTINGS.task, trainExamples: 64_000, devExamples: 872, roundTokens: 16, devTokens: 26 };
const training = { ...SETTINGS.training, rounds: 1000, samplesPerRound: 16, evaluateEvery: 100 };
const settings = { ...SETTINGS, task, training };

function room(latencySeconds: number, ...devices: DeviceView[]) {
  const plan: RoomView['plan'] = {
    version: 1,
    policy: 'teams',
    solver: '',
    solveMs: 0,
    latencySeconds,
    lowerBoundSeconds: latencySeconds,
    limitedBy: '',
    explanation: '',
    assignments: [],
  };
  return { settings, plan, devices };
}

/** Embeddings, all layers and the head, forward, of 16 tokens. */
const forwardSeconds = 1e-5 + SETTINGS.shape.layers * 1e-3 + 1e-4;

describe('a forecast', () => {
  it('before the first round is the plan’s, a tenth for scores at most, and the last score by all devices', () => {
    const seen = forecast(room(0.5, device('a'), device('b')), [])!;
    expect(seen.secondsPerRound).toBe(0.5);
    expect(seen.roundsLeft).toBe(1000);
    // 872 examples of 26 tokens, on two devices.
    expect(seen.lastScoreSeconds).toBeCloseTo((872 * 26 * forwardSeconds) / 16 / 2, 9);
    // One before, nine beside: 512 examples each, less than the tenth of 500 s.
    expect(seen.roundsSeconds).toBeCloseTo(500 + (10 * 512 * 26 * forwardSeconds) / 16 / 2, 9);
    const quick = forecast(room(0.001, device('a'), device('b')), [])!;
    expect(quick.roundsSeconds).toBeCloseTo(1.1, 9);
  });

  it('while rounds go on is the median of the last ten, scores with them', () => {
    const reports = [...Array(30).keys()].map(
      (i): RoundReport => ({
        round: i + 1,
        planVersion: 1,
        loss: 1,
        learningRate: 0,
        gradientNorm: 0,
        elapsedSeconds: i < 20 ? 60 : i === 25 ? 90 : 2,
        devices: [],
        reassigned: 0,
      }),
    );
    expect(forecast(room(0.5, device('a')), reports)).toMatchObject({
      secondsPerRound: 2,
      roundsLeft: 970,
      roundsSeconds: 1940,
    });
  });

  it('is none without a device that is ready, or without plan and round', () => {
    expect(forecast(room(0.5), [])).toBeNull();
    expect(forecast(room(0.5, device('a', null)), [])).toBeNull();
    expect(forecast({ ...room(0.5, device('a')), plan: null }, [])).toBeNull();
  });
});

describe('what people are told', () => {
  it('counts epochs beside rounds', () => {
    expect(epochsOf(1000, settings)).toBe(0.25);
    expect([0.25, 1, 0.996, 3.81, 14.6].map(epochsText)).toEqual([
      '0.25 epochs',
      '1 epoch',
      '1 epoch',
      '3.8 epochs',
      '15 epochs',
    ]);
    expect(forecastSentence(room(12.6, device('a')))).toMatch(
      /^1000 rounds \(0\.25 epochs\) of 13 s each take about 3\.5 h, .* of it for the last score\.$/,
    );
  });

  it('says of any seconds a round what all of it takes', () => {
    // 1000 rounds, a tenth of them for scores at most, and the last one.
    expect(wholeText(room(9, device('a')), 0.001)).toBe('about 10 s in all');
    expect(wholeText(room(9, device('a')), 3.6)).toBe('about 1 h in all');
    expect(wholeText({ ...room(9, device('a')), plan: null }, 3.6)).toBe('');
  });

  it('offers what fits into a quarter of an hour where the whole does not', () => {
    expect(soonSentence(room(0.5, device('a')))).toBeNull();
    // (900 s - the last score) / (12.6 s and a tenth)
    const score = (872 * 26 * forwardSeconds) / 16;
    expect(soonSentence(room(12.6, device('a')))).toContain(`${Math.floor((900 - score) / 13.86)} rounds (0.0`);
    expect(soonSentence(room(2000, device('a')))).toBeNull();
    expect(roundsWithin(room(12.6, device('a')), 900)).toBe(Math.floor((900 - score) / 13.86));
    expect(roundsWithin(room(12.6), 900)).toBeNull();
  });

  it('says what another device like the quickest saves, as the planner has it', () => {
    const lan = (pace: number) => profile(pace, 1e12);
    const latency = (devices: readonly DeviceView[]) => {
      const many = { ...settings, training: { ...training, samplesPerRound: 64 }, policy: 'data-parallel' as const };
      const trainers = devices.map(({ id, name, profile: own }) => ({ id, name, profile: own! }));
      const answer = planRoom(roomProblem(many, 'device0', trainers, new Map()));
      if (!answer.feasible) throw new Error(answer.reason);
      return answer.plan.latencySeconds;
    };
    // Paces in which speeds add up: 1 joins 1, 1 joins 2, 1 joins 1 + 1/3 + 1/2: what is saved is the newcomer's part of the speed.
    for (const [paces, saved] of [
      [[1], 1 / 2],
      [[1, 1], 1 / 3],
      [[1, 3, 2], 1 / (2 + 1 / 3 + 1 / 2)],
    ] as const) {
      const devices = paces.map((pace, i) => device(`device${i}`, lan(pace)));
      const other = withAnother({ settings, devices })!;
      expect(other.like.id).toBe('device0');
      expect(other.devices).toHaveLength(paces.length + 1);
      const linked = other.devices.map((one) => ({ ...one, profile: { ...one.profile!, linkBitsPerSecond: 1e12 } }));
      expect(Math.abs(1 - latency(linked) / latency(devices) - saved)).toBeLessThan(0.03);
    }
    const quicker = [device('slow', lan(2)), device('fast', lan(1))];
    expect(withAnother({ settings, devices: quicker })?.like.id).toBe('fast');
    expect(anotherSentence('yours', 10, 6)).toBe('With another device like yours: about 40 % less.');
    expect(anotherSentence('laptop', 10, 9.6)).toBeNull();
    expect(anotherSentence('laptop', 0, 9.6)).toBeNull();
  });

  it('gives a copy of the host a link: the best that there is, or a supposed one', () => {
    const link = (...devices: DeviceView[]) =>
      withAnother({ settings, devices })?.devices.at(-1)?.profile?.linkBitsPerSecond;
    expect(link(device('host', profile(1, 1e12)))).toBe(5e7);
    expect(link(device('host', profile(1, 1e12)), device('b', profile(2, 2e7)), device('c', profile(3, 3e7)))).toBe(
      3e7,
    );
    expect(link(device('host', profile(2, 1e12)), device('b', profile(1, 2e7)))).toBe(2e7);
    expect(link({ ...device('host', profile(1, 1e12)), linked: false })).toBeUndefined();
    expect(link(device('host', null))).toBeUndefined();
  });
});
