import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { drawsFrom } from '../../signaling/planner/algorithms/random.ts';
import { MAX_SAMPLES_PER_ROUND } from '../../signaling/protocol/limits.ts';
import type { Profile } from '../../signaling/protocol/profile.ts';
import { ProfileSchema } from '../../signaling/protocol/profile.ts';
import { CONFIRM, correctedProfile, type FitState, observeRound, startFit } from '../../signaling/room/fit.ts';

const LAYERS = 12;
const CALIBRATED: Profile = {
  engine: 'webgpu',
  backend: 'test',
  overheadSeconds: 0.02,
  secondsPerSample: { embed: 0.0001, forwardPerLayer: 0.002, backwardPerLayer: 0.004, head: 0.0003 },
  flopsPerSecond: 1e11,
  memoryBytesPerSecond: 1e11,
  memory: {
    limitBytes: 1e9,
    weightsBytes: 2.5e8,
    transientPerSample: 4e6,
    savedPerSamplePerLayer: 3e6,
    gradientBytesPerLayer: 98304,
  },
  linkBitsPerSecond: 1e7,
};

/** Seconds of n samples down to depth d by a profile's coefficients. */
function secondsOf(profile: Profile, samples: number, depth: number): number {
  const { embed, forwardPerLayer, backwardPerLayer, head } = profile.secondsPerSample;
  return profile.overheadSeconds + samples * (embed + LAYERS * forwardPerLayer + depth * backwardPerLayer + head);
}

function observe(state: FitState, samples: number, deepestDepth: number, computeSeconds: number): FitState {
  return observeRound(state, {
    samples,
    deepestDepth,
    computeSeconds,
    uploadBits: 1e6,
    uploadSeconds: 0.2,
    share: 0.5,
  });
}

function settled(samples: number, depth: number, rounds: number): FitState {
  let state = startFit(CALIBRATED, LAYERS);
  for (let round = 0; round < rounds; round += 1)
    state = observe(state, samples, depth, secondsOf(CALIBRATED, samples, depth));
  return state;
}

const relativeError = (got: number, want: number) => Math.abs(got / want - 1);

describe('compute', () => {
  test('without observations the calibration is returned unchanged', () => {
    expect(correctedProfile(startFit(CALIBRATED, LAYERS))).toEqual(CALIBRATED);
  });

  test('rounds as calibrated leave the calibration as it is', () => {
    const corrected = correctedProfile(settled(32, 12, 50));
    expect(relativeError(corrected.overheadSeconds, 0.02)).toBeLessThan(1e-9);
    expect(relativeError(corrected.secondsPerSample.backwardPerLayer, 0.004)).toBeLessThan(1e-9);
    expect(relativeError(corrected.secondsPerSample.forwardPerLayer, 0.002)).toBeLessThan(1e-9);
  });

  test('noise-free rounds at several depths and sample counts recover other coefficients exactly', () => {
    const truth: Profile = {
      ...CALIBRATED,
      overheadSeconds: 0.05,
      secondsPerSample: { embed: 0.0002, forwardPerLayer: 0.004, backwardPerLayer: 0.0025, head: 0.0006 },
    };
    let state = startFit(CALIBRATED, LAYERS);
    for (let round = 0; round < 60; round += 1) {
      const samples = [8, 16, 32][round % 3]!;
      const depth = [12, 4, 1, 8][Math.floor(round / 3) % 4]!;
      state = observe(state, samples, depth, secondsOf(truth, samples, depth));
    }
    const corrected = correctedProfile(state);
    expect(relativeError(corrected.overheadSeconds, 0.05)).toBeLessThan(1e-3);
    expect(relativeError(corrected.secondsPerSample.forwardPerLayer, 0.004)).toBeLessThan(1e-3);
    expect(relativeError(corrected.secondsPerSample.backwardPerLayer, 0.0025)).toBeLessThan(1e-3);
    expect(relativeError(secondsOf(corrected, 24, 10), secondsOf(truth, 24, 10))).toBeLessThan(1e-3);
  });

  test('the overhead is where a line through two sample counts meets none, a quarter of the way in each round', () => {
    // 0.02 calibrated; the true one is 0.1, so 8 samples take 0.1 + 8 v and 32 take 0.1 + 32 v.
    const truth = { ...CALIBRATED, overheadSeconds: 0.1 };
    const first = observe(startFit(CALIBRATED, LAYERS), 32, 6, secondsOf(truth, 32, 6));
    // No two sample counts yet but those that the calibration stands for, at the same one.
    expect(correctedProfile(first).overheadSeconds).toBe(0.02);
    const second = observe(first, 8, 6, secondsOf(truth, 8, 6));
    const step = correctedProfile(second).overheadSeconds;
    expect(step).toBeGreaterThan(0.02);
    // Never more than a quarter of the way to the shortest round.
    expect(step).toBeLessThanOrEqual(0.02 + 0.25 * (secondsOf(truth, 8, 6) - 0.02));
  });

  test('the overhead is never more than the shortest round, though a line through others says so', () => {
    let state = startFit(CALIBRATED, LAYERS);
    // More samples in less time: the line would meet none far above every round.
    for (let round = 0; round < 40; round += 1) {
      const samples = [16, 32][round % 2]!;
      const usual = secondsOf(CALIBRATED, samples, 6);
      state = observe(state, samples, 6, usual * (samples === 16 ? 1.35 : 0.8));
    }
    const shortest = 0.8 * secondsOf(CALIBRATED, 32, 6);
    const longest = 1.35 * secondsOf(CALIBRATED, 16, 6);
    expect(shortest).toBeGreaterThan(longest);
    expect(correctedProfile(state).overheadSeconds).toBeLessThanOrEqual(longest);
  });

  test('a slope that is 20 % steeper is learnt to 0.1 % from three rounds at each of two depths', () => {
    const secondsPerSample = { ...CALIBRATED.secondsPerSample, backwardPerLayer: 0.0048 };
    const truth: Profile = { ...CALIBRATED, secondsPerSample };
    let state = startFit(CALIBRATED, LAYERS);
    for (let round = 0; round < 6; round++) {
      const depth = round % 2 === 0 ? 2 : 10;
      state = observe(state, 16, depth, secondsOf(truth, 16, depth));
    }
    expect(relativeError(correctedProfile(state).secondsPerSample.backwardPerLayer, 0.0048)).toBeLessThan(1e-3);
  });

  test('noise at two neighbouring depths does not pass for another slope', () => {
    let errors = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const random = drawsFrom(seed);
      let state = startFit(CALIBRATED, LAYERS);
      for (let round = 0; round < 30; round++) {
        const depth = 5 + (round % 2);
        state = observe(state, 16, depth, Math.exp(0.1 * random.normal()) * secondsOf(CALIBRATED, 16, depth));
      }
      errors += relativeError(correctedProfile(state).secondsPerSample.backwardPerLayer, 0.004);
    }
    // Two medians 3 % off in opposite ways alone would say 70 %.
    expect(errors / 20).toBeLessThan(0.05);
  });

  test('keeps 64 rounds and 9 rates, whatever comes', () => {
    let state = settled(32, 12, 70);
    for (let round = 0; round < 130; round++) state = observe(state, 8, 3, secondsOf(CALIBRATED, 8, 3));
    expect(state.window).toHaveLength(64);
    expect(state.window.every(({ depth }) => depth === 3)).toBe(true);
    expect(state.linkRates).toHaveLength(9);
  });

  test('one depth and sample count alone scale all work alike and keep the overhead: nothing else is known', () => {
    let state = startFit(CALIBRATED, LAYERS);
    const measured = 1.2 * secondsOf(CALIBRATED, 32, 6);
    for (let round = 0; round < 20; round += 1) state = observe(state, 32, 6, measured);
    const corrected = correctedProfile(state);
    const factor = (measured - 0.02) / (secondsOf(CALIBRATED, 32, 6) - 0.02);
    expect(relativeError(secondsOf(corrected, 32, 6), measured)).toBeLessThan(1e-9);
    expect(corrected.overheadSeconds).toBe(0.02);
    expect(relativeError(corrected.secondsPerSample.embed, factor * 0.0001)).toBeLessThan(1e-9);
    expect(relativeError(corrected.secondsPerSample.backwardPerLayer, factor * 0.004)).toBeLessThan(1e-9);
  });

  test('single pauses, 2 to 100 times as long, leave no trace', () => {
    let state = settled(32, 12, 5);
    const before = correctedProfile(state);
    for (const factor of [2, 10, 100]) {
      for (let slow = 1; slow < CONFIRM; slow += 1)
        state = observe(state, 32, 12, factor * secondsOf(CALIBRATED, 32, 12));
      state = observe(state, 32, 12, secondsOf(CALIBRATED, 32, 12));
    }
    expect(relativeError(secondsOf(correctedProfile(state), 32, 12), secondsOf(before, 32, 12))).toBeLessThan(1e-9);
  });

  test.each([3, 1 / 3])('a lasting change of pace by %f is found in exactly three rounds, at every depth', (factor) => {
    let state = settled(32, 12, 20);
    for (let round = 1; round <= 3; round += 1) {
      expect(relativeError(secondsOf(correctedProfile(state), 32, 12), secondsOf(CALIBRATED, 32, 12))).toBeLessThan(
        1e-9,
      );
      state = observe(state, 32, 12, factor * secondsOf(CALIBRATED, 32, 12));
    }
    for (const [samples, depth] of [
      [32, 12],
      [32, 1],
      [8, 6],
    ] as const)
      expect(
        relativeError(
          secondsOf(correctedProfile(state), samples, depth),
          factor * secondsOf(CALIBRATED, samples, depth),
        ),
      ).toBeLessThan(1e-6);
  });

  test('a slow-down inside the band is found by the median, within fifteen rounds', () => {
    let state = settled(32, 12, 100);
    for (let round = 0; round < 15; round += 1) state = observe(state, 32, 12, 1.3 * secondsOf(CALIBRATED, 32, 12));
    expect(relativeError(secondsOf(correctedProfile(state), 32, 12), 1.3 * secondsOf(CALIBRATED, 32, 12))).toBeLessThan(
      0.02,
    );
  });

  test('with 10 % noise and a pause every ninth round the prediction stays within 10 % for 300 rounds', () => {
    const random = drawsFrom(5);
    let state = startFit(CALIBRATED, LAYERS);
    let worst = 0;
    for (let round = 1; round <= 300; round += 1) {
      const pause = round % 9 === 0 ? 8 : 1;
      state = observe(state, 32, 12, pause * Math.exp(0.1 * random.normal()) * secondsOf(CALIBRATED, 32, 12));
      worst = Math.max(worst, relativeError(secondsOf(correctedProfile(state), 32, 12), secondsOf(CALIBRATED, 32, 12)));
    }
    expect(worst).toBeLessThan(0.1);
  });

  test('whatever comes, the profile is valid and compute never falls with depth or samples', () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const random = drawsFrom(seed);
      let state = startFit(CALIBRATED, LAYERS);
      for (let round = 0; round < 40; round += 1)
        state = observeRound(state, {
          samples: 1 + Math.floor(64 * random.uniform()),
          deepestDepth: Math.floor((LAYERS + 1) * random.uniform()),
          computeSeconds: 10 ** (-8 + 16 * random.uniform()),
          uploadBits: 1e9 * random.uniform(),
          uploadSeconds: 10 ** (-6 + 8 * random.uniform()),
          share: random.uniform(),
        });
      const profile = v.parse(ProfileSchema, correctedProfile(state));
      for (let depth = 1; depth <= LAYERS; depth += 1)
        expect(secondsOf(profile, 16, depth)).toBeGreaterThanOrEqual(secondsOf(profile, 16, depth - 1));
      expect(secondsOf(profile, 17, 6)).toBeGreaterThanOrEqual(secondsOf(profile, 16, 6));
    }
  });

  test('what cannot be a measurement changes nothing', () => {
    const state = settled(32, 12, 5);
    const good = { samples: 32, deepestDepth: 12, computeSeconds: 9, uploadBits: 0, uploadSeconds: 0, share: 0.5 };
    for (const bad of [
      { samples: 0 },
      { samples: NaN },
      { deepestDepth: 13 },
      { deepestDepth: -1 },
      { computeSeconds: 0 },
      { computeSeconds: NaN },
      { computeSeconds: Infinity },
    ])
      expect(observeRound(state, { ...good, ...bad })).toEqual(state);
    expect(observeRound(state, good)).not.toEqual(state);
  });
});

describe('the first rounds', () => {
  const first = (factor: number, state = startFit(CALIBRATED, LAYERS)) =>
    observe(state, 16, 6, factor * secondsOf(CALIBRATED, 16, 6));
  const pace = (state: FitState) => secondsOf(correctedProfile(state), 16, 6) / secondsOf(CALIBRATED, 16, 6);

  test('a first one more than four times as slow as stated is believed at once, one that is quicker or less slow is not', () => {
    expect(pace(first(4.1))).toBeCloseTo(4.1, 6);
    for (const factor of [3.9, 1 / 4.1, 1 / 100]) expect(pace(first(factor))).toBe(1);
    // Only the first: afterwards three in a row.
    expect(pace(first(4.1, first(1)))).toBeCloseTo(1, 9);
    expect(pace(first(4.1, first(3.9)))).toBe(1);
  });

  test('one within 1.4 times counts beside three as calibrated; one outside is a suspect', () => {
    for (const factor of [1.39, 1 / 1.39]) expect(first(factor)).toMatchObject({ suspects: [], window: { length: 4 } });
    for (const factor of [1.41, 1 / 1.41]) expect(first(factor)).toMatchObject({ suspects: { length: 1 }, window: [] });
    // Those three have the seconds that the calibration says.
    const { window } = first(1.3);
    expect(window.map(({ seconds }) => seconds / secondsOf(CALIBRATED, 16, 6))).toEqual([
      ...Array(3).fill(expect.closeTo(1, 9)),
      expect.closeTo(1.3, 9),
    ]);
  });

  test('one shorter than the overhead that was stated is all overhead', () => {
    const none = { embed: 0, forwardPerLayer: 1e-7, backwardPerLayer: 1e-7, head: 0 };
    const state = observe(startFit({ ...CALIBRATED, secondsPerSample: none }, LAYERS), 1, 6, 0.016);
    expect(correctedProfile(state).overheadSeconds).toBe(0.016);
  });

  test('sample counts tell overhead and work apart from 5 to 4 on', () => {
    const truth = { ...CALIBRATED, overheadSeconds: 0.1 };
    const moved = (few: number, many: number) => {
      const started = observe(startFit(CALIBRATED, LAYERS), many, 6, secondsOf(truth, many, 6));
      return correctedProfile(observe(started, few, 6, secondsOf(truth, few, 6))).overheadSeconds;
    };
    expect(moved(16, 20)).not.toBe(0.02);
    expect(moved(16, 19)).toBe(0.02);
  });

  test('times from a microsecond to a million seconds are measurements, and of as many samples as a round may have', () => {
    const start = startFit(CALIBRATED, LAYERS);
    for (const seconds of [1e-6, 1e6])
      expect(observe(start, 16, 6, seconds)).not.toMatchObject({ suspects: [], window: [] });
    for (const seconds of [0.9e-6, 1.1e6])
      expect(observe(start, 16, 6, seconds)).toMatchObject({ suspects: [], window: [] });
    expect(observe(start, MAX_SAMPLES_PER_ROUND, 6, 9)).not.toMatchObject({ suspects: [], window: [] });
    expect(observe(start, MAX_SAMPLES_PER_ROUND + 1, 6, 9)).toMatchObject({ suspects: [], window: [] });
  });
});

describe('link', () => {
  const upload = (state: FitState, bitsPerSecond: number, share: number) =>
    observeRound(state, {
      samples: 0,
      deepestDepth: 0,
      computeSeconds: 0,
      uploadBits: 1e6,
      uploadSeconds: 1e6 / (share * bitsPerSecond),
      share,
    });

  test('a slower link is believed after five rounds, and after five more that it recovered; one slow transfer is not', () => {
    let state = startFit(CALIBRATED, LAYERS);
    const rate = () => correctedProfile(state).linkBitsPerSecond;
    state = upload(state, 1e5, 0.25);
    expect(rate()).toBe(1e7);
    state = startFit(CALIBRATED, LAYERS);
    for (const expected of [1e7, 1e7, 1e7, 1e7, 2e6]) {
      state = upload(state, 2e6, 0.25);
      expect(rate()).toBeCloseTo(expected, 0);
    }
    for (let round = 0; round < 5; round += 1) state = upload(state, 1e7, 0.5);
    expect(rate()).toBeCloseTo(1e7, 0);
  });

  test.each([
    ['nothing was sent', { uploadBits: 0 }],
    ['bits without number', { uploadBits: Number.POSITIVE_INFINITY }],
    ['no share', { share: 0 }],
    ['more than the whole', { share: 1.01 }],
    ['time that runs back', { uploadSeconds: -1 }],
    ['no time at all that is one', { uploadSeconds: Number.NaN }],
    ['more seconds than anybody waits', { uploadSeconds: 1.1e6 }],
  ])('what cannot be a transfer tells nothing of a link: %s', (_, change) => {
    const seen = { samples: 8, deepestDepth: 6, computeSeconds: 0.3, uploadBits: 1e6, uploadSeconds: 2, share: 0.5 };
    const state = startFit(CALIBRATED, LAYERS);
    expect(observeRound(state, seen).linkRates.at(-1)).toBe(1e6);
    expect(observeRound(state, { ...seen, ...change }).linkRates).toEqual(state.linkRates);
  });

  test('the whole share is one, too', () => {
    expect(upload(startFit(CALIBRATED, LAYERS), 2e6, 1).linkRates.at(-1)).toBeCloseTo(2e6, 3);
  });

  test('a short tail after compute never makes a link faster than measured', () => {
    let state = startFit(CALIBRATED, LAYERS);
    for (let round = 0; round < 10; round += 1) state = upload(state, 1e9, 1);
    expect(correctedProfile(state).linkBitsPerSecond).toBe(1e7);
  });

  test('the host, whose gradients travel through memory, keeps its rate', () => {
    let state = startFit({ ...CALIBRATED, linkBitsPerSecond: 1e12 }, LAYERS);
    for (let round = 0; round < 10; round += 1) state = upload(state, 1e6, 1);
    expect(correctedProfile(state).linkBitsPerSecond).toBe(1e12);
  });
});
