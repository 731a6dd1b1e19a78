import { describe, expect, it } from 'vitest';
import { type FleetPolicy, fleetOf } from './fleets.ts';
import { LIES, Played } from './play.ts';

/** What the issue of trust promises, at the part counts that plans really have. */
const ROOMS: readonly (readonly [FleetPolicy, number])[] = [
  ['crunch', 3],
  ['crunch', 16],
  ['data-parallel', 3],
  ['data-parallel', 16],
  ['teams', 8],
  ['teams', 16],
  ['split', 3],
  ['split', 16],
];
const lies = Object.entries(LIES);

/** Not the host. */
const anyWorker = (policy: FleetPolicy, devices: number, draw: number): string => {
  const { work, devices: all } = fleetOf(policy, devices, 1);
  const others = work.map(({ device }) => device).filter((device) => device !== all[0]);
  return others[draw % others.length];
};

describe.each(ROOMS)('audits of a %s room of %i', (policy, devices) => {
  const fleet = fleetOf(policy, devices, 1);

  it.each(lies)('find a liar from the start within three rounds: gradients %s', (_, lie) => {
    for (const weights of ['f32', 'f16', 'int8'] as const)
      for (let seed = 1; seed <= 20; seed++) {
        const device = anyWorker(policy, devices, seed);
        const played = new Played(fleet, seed, {
          weights,
          liars: [{ device, lie, from: 1, asAuditor: seed % 2 === 0 }],
        });
        for (let round = 1; round <= 3; round++) played.play();
        expect(played.liarsFound).toEqual([device]);
      }
  });

  it('find one that begins to lie later within sixty rounds', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const device = anyWorker(policy, devices, seed);
      const from = 20 + (seed % 50);
      const lie = lies[seed % lies.length][1];
      const played = new Played(fleet, seed, { liars: [{ device, lie, from }] });
      while (played.removed.size === 0 && played.round < from + 60) played.play();
      expect(played.liarsFound).toEqual([device]);
      // The gap, and two questions.
      expect(played.round).toBeLessThan(from + 24 + 2);
    }
  });
});
