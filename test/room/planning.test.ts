import { describe, expect, it } from 'vitest';
import { planRoom } from '../../signaling/planner/room-plan.ts';
import type { Profile } from '../../signaling/protocol/profile.ts';
import type { RoundReport } from '../../signaling/protocol/room-view.ts';
import { CONFIRM, correctedProfile } from '../../signaling/room/fit.ts';
import { NO_PLANNING, observeReport, provesOne, roomProblem, type Trainer } from '../../signaling/room/planning.ts';
import { profile, SETTINGS } from '../protocol/samples.ts';

const LAYERS = SETTINGS.shape.layers;
const trainer = (id: string, pace = 1): Trainer => ({ id, name: id, profile: profile(pace) });

/** One device's part of 16 samples through all layers, in so many times the seconds of its profile. */
function report(
  round: number,
  { id, profile: { overheadSeconds, secondsPerSample } }: Trainer,
  slow: number,
): RoundReport {
  const { embed, forwardPerLayer, backwardPerLayer, head } = secondsPerSample;
  const seconds = overheadSeconds + 16 * (embed + LAYERS * (forwardPerLayer + backwardPerLayer) + head);
  const seen = { samples: 16, deepestDepth: LAYERS, uploadBits: 1e6, uploadSeconds: 0 };
  return {
    round,
    planVersion: 1,
    loss: 1,
    learningRate: 1e-3,
    gradientNorm: 1,
    elapsedSeconds: 1,
    reassigned: 0,
    devices: [{ device: id, computeSeconds: slow * seconds, ...seen }],
  };
}

describe('what the planner is asked', () => {
  it('counts uploads in bits: 32 for each value of a layer’s adapters, and of the head', () => {
    const problem = roomProblem(SETTINGS, 'host', [trainer('host')], NO_PLANNING.fits);
    // Query and value at rank 8: (8 * 128 + 128 * 8) values each.
    expect(problem.layerUploadBits).toEqual(Array(6).fill(32 * 2 * 2 * 8 * 128));
    // A dense layer (C,C) and out_proj (2,C), each with its biases.
    expect(problem.headUploadBits).toBe(32 * (128 + 2) * (128 + 1));
    expect(problem).toMatchObject({ layers: 6, samples: 16, hostId: 'host', policy: 'crunch', seed: 1 });
  });

  it('has a device as it measured itself until rounds say otherwise, and nobody else’s rounds', () => {
    const devices = [trainer('host'), trainer('b', 2)];
    let { fits } = NO_PLANNING;
    const asked = () => roomProblem(SETTINGS, 'host', devices, fits).devices.map((device) => device.profile);
    expect(asked()).toEqual(devices.map((device) => device.profile));
    for (let round = 1; round <= CONFIRM; round++)
      fits = observeReport(fits, devices, null, report(round, devices[1]!, 3), LAYERS);
    expect(asked()[0]).toEqual(devices[0]!.profile);
    expect(asked()[1]!.secondsPerSample.backwardPerLayer).toBeCloseTo(3 * 2 * 2e-3, 6);
  });
});

describe('a device whose rounds nobody timed', () => {
  const LIAR = { ...profile(1 / 1000), overheadSeconds: 0 };
  const perSample = (stated: Profile) => {
    const { embed, forwardPerLayer, backwardPerLayer, head } = stated.secondsPerSample;
    return embed + LAYERS * (forwardPerLayer + backwardPerLayer) + head;
  };
  const asked = (devices: readonly Trainer[], fits = NO_PLANNING.fits) =>
    roomProblem(SETTINGS, 'host', devices, fits).devices.map((device) => perSample(device.profile));

  it('is as quick as the host at most, and half as quick if it boasts of more than twice its speed', () => {
    const host = perSample(profile());
    expect(asked([trainer('host'), trainer('b', 1 / 1.9)])[1]).toBeCloseTo(host, 12);
    expect(asked([trainer('host'), { ...trainer('b'), profile: LIAR }])[1]).toBeCloseTo(2 * host, 12);
    expect(asked([trainer('host'), trainer('b', 3)])[1]).toBeCloseTo(3 * host, 12);
  });

  it('gets a small share of the samples', () => {
    const devices = [trainer('host'), trainer('b'), { ...trainer('liar'), profile: LIAR }];
    const problem = roomProblem({ ...SETTINGS, policy: 'data-parallel' }, 'host', devices, NO_PLANNING.fits);
    const answer = planRoom(problem);
    if (!answer.feasible) expect.unreachable(answer.reason);
    const samples = new Map(answer.plan.assignments.map((a) => [a.device, a.samples.count]));
    // Of 16, at speeds 1, 1 and 1/2.
    expect(samples.get('liar') ?? 0).toBeLessThanOrEqual(4);
  });

  it('is what its first round shows, if that is far from what it stated', () => {
    const devices = [trainer('host'), { ...trainer('liar'), profile: LIAR }];
    const fits = observeReport(NO_PLANNING.fits, devices, null, report(1, devices[1]!, 2000), LAYERS);
    expect(asked(devices, fits)[1]).toBeCloseTo(2 * perSample(profile()), 6);
    expect(provesOne(devices, NO_PLANNING.fits, fits, 'host', LAYERS)).toBe(true);
    expect(provesOne(devices, fits, fits, 'host', LAYERS)).toBe(false);
  });

  it('that states no cost at all is corrected like any other', () => {
    const none = { embed: 0, forwardPerLayer: 0, backwardPerLayer: 0, head: 0 };
    const devices = [trainer('host'), { ...trainer('b'), profile: { ...LIAR, secondsPerSample: none } }];
    const slow = report(1, trainer('b'), 1);
    const fits = observeReport(NO_PLANNING.fits, devices, null, slow, LAYERS);
    expect(asked(devices, fits)[1]! * 16).toBeCloseTo(slow.devices[0]!.computeSeconds, 6);
  });
});

describe('fits', () => {
  const slowed = (devices: readonly Trainer[], slow: number, fits = NO_PLANNING.fits) => {
    for (let round = 1; round <= CONFIRM; round++)
      fits = observeReport(fits, devices, null, report(round, devices[0]!, slow), LAYERS);
    return fits;
  };

  it('start anew with a new calibration, and rounds correct that one', () => {
    const before = slowed([trainer('a')], 4);
    expect(correctedProfile(before.get('a')!).secondsPerSample.forwardPerLayer).toBeCloseTo(4e-3, 6);
    const again = trainer('a', 2);
    // The device measured itself again, and the planner believes that at once.
    expect(roomProblem(SETTINGS, 'a', [again], before).devices[0]!.profile).toBe(again.profile);
    const after = slowed([again], 3, before);
    expect(after.get('a')!.calibrated).toBe(again.profile);
    expect(correctedProfile(after.get('a')!).secondsPerSample.forwardPerLayer).toBeCloseTo(3 * 2e-3, 6);
  });

  it('of devices that train no more are forgotten', () => {
    const fits = observeReport(slowed([trainer('a')], 4), [trainer('b')], null, report(9, trainer('b'), 1), LAYERS);
    expect([...fits.keys()]).toEqual(['b']);
  });

  it('reckon a link by the share of the bandwidth that the plan gave', () => {
    const devices = [trainer('host'), trainer('b'), trainer('c')];
    const answer = planRoom(roomProblem({ ...SETTINGS, policy: 'equal-bandwidth' }, 'host', devices, NO_PLANNING.fits));
    if (!answer.feasible) expect.unreachable(answer.reason);
    const { share } = answer.plan.assignments.find(({ device }) => device === 'b')!;
    expect(share).toBeLessThan(1);
    let { fits } = NO_PLANNING;
    // Twice as long as the profile's 10 Mbit/s take at that share.
    const uploadBits = 1e6;
    const uploadSeconds = (2 * uploadBits) / (1e7 * share);
    for (let round = 1; round <= 12; round++) {
      const seen = report(round, devices[1]!, 1);
      const slow = { ...seen, devices: [{ ...seen.devices[0]!, uploadBits, uploadSeconds }] };
      fits = observeReport(fits, devices, { ...answer.plan, version: 1 }, slow, LAYERS);
    }
    expect(correctedProfile(fits.get('b')!).linkBitsPerSecond).toBeCloseTo(5e6, -4);
  });
});
