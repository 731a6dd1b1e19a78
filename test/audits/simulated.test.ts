import { describe, expect, it } from 'vitest';
import { WEIGHT_STORAGES } from '../../signaling/protocol/settings.ts';
import { type FleetPolicy, fleetOf } from './fleets.ts';
import { LIES, Played } from './play.ts';
import { pairsOf } from './recorded.ts';

/** What audits promise, at the part counts that plans really have; in `split` with the memory that devices really have left for others’ runs. */
const ROOMS: readonly (readonly [FleetPolicy, number])[] = [
  ['crunch', 3],
  ['crunch', 16],
  ['data-parallel', 3],
  ['data-parallel', 16],
  ['teams', 8],
  ['teams', 16],
  ['split', 4],
  ['split', 16],
];
const lies = Object.entries(LIES);
const ROUNDS_OF_HONESTY = 10_000;
/** Every storage with every kind of model that was measured. */
const MEASURED = WEIGHT_STORAGES.flatMap((weights) =>
  [...new Set(pairsOf(weights).map(({ models }) => models))].map((models) => [weights, models] as const),
);

describe.each(ROOMS)('audits of a %s room of %i', (policy, devices) => {
  const fleet = fleetOf(policy, devices, policy === 'split' ? 2 : 1);

  const others = fleet.work.map(({ device }) => device).filter((device) => device !== fleet.devices[0]);

  it.each(lies)('find a liar from the start within three rounds: gradients %s', (_, lie) => {
    for (const weights of ['f32', 'int8'] as const)
      for (let seed = 1; seed <= 20; seed++) {
        const device = others[seed % others.length]!;
        const liars = [{ device, lie, from: 1, asAuditor: seed % 2 === 0 }];
        const played = new Played(fleet, seed, { weights, liars });
        for (let round = 1; round <= 3; round++) played.play();
        expect(played.liarsFound).toEqual([device]);
      }
  });

  it.each(lies)(
    'find it in half precision within five, where three devices can be compared or the lie is gross: gradients %s',
    (name, lie) => {
      if (others.length < 3 && /1.05|tenth/.test(name)) return;
      for (let seed = 1; seed <= 20; seed++) {
        const device = others[seed % others.length]!;
        const played = new Played(fleet, seed, { weights: 'f16', liars: [{ device, lie, from: 1 }] });
        for (let round = 1; round <= 5; round++) played.play();
        expect(played.liarsFound).toEqual([device]);
      }
    },
  );

  it('find one that begins to lie later within sixty rounds', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const device = others[seed % others.length]!;
      const from = 20 + (seed % 50);
      const lie = lies[seed % lies.length][1];
      const played = new Played(fleet, seed, { liars: [{ device, lie, from }] });
      while (played.removed.size === 0 && played.round < from + 60) played.play();
      expect(played.liarsFound).toEqual([device]);
      // The gap, and two questions.
      expect(played.round).toBeLessThan(from + 24 + 2);
    }
  });

  it('remove no honest device in 10,000 rounds, and take 8 % of the compute at most', () => {
    for (const [weights, models] of MEASURED) {
      const played = new Played(fleet, 7, { weights, models });
      while (played.round < ROUNDS_OF_HONESTY / MEASURED.length) played.play();
      expect(played.liarsFound).toEqual([]);
      // Besides, three rounds of every newcomer.
      expect((played.audited - 3) / played.round).toBeLessThan(0.085);
      expect(played.audited / played.round).toBeGreaterThan(0.03);
    }
  });
});

describe.each([4, 16])('audits of a split room of %i', (devices) => {
  it('find within three rounds who lies in what it sends up alone, or down', () => {
    const fleet = fleetOf('split', devices, 2);
    for (const { device, sent = [] } of fleet.work.filter((one) => one.device !== fleet.devices[0]))
      for (const way of sent)
        for (const [, lie] of lies) {
          const played = new Played(fleet, 3, { liars: [{ device, lie, from: 1, parts: (part) => part === way }] });
          for (let round = 1; round <= 3; round++) played.play();
          expect(played.liarsFound).toEqual([device]);
        }
  });
});
