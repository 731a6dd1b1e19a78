import { expect, it } from 'vitest';
import { PARTS } from '../chaos/parts.ts';
import { runRoom } from '../chaos/run-room.ts';
import { scheduled, someCells } from '../chaos/schedule.ts';
import { judged, quietOf } from '../chaos/verdict.ts';

/** The short form of `npm run test:chaos`: nine kinds of fault, in seven phases. */
it('a session under faults ends, loses no round, and learns what a quiet one does', async () => {
  const { room: recipe, devices, browsers, leastDevices, memoryBytes, tolerance } = PARTS.whole;
  const room = { ...recipe, rounds: 40 };
  const common = { room, browsers, memoryBytes, talk: false, limitSeconds: 150, log: () => undefined };
  const quiet = quietOf(await runRoom({ ...common, devices: 0, leastDevices: 0, seed: 0, planned: [] }));
  // Who stalls is waited for 15 seconds: `nothing-lost` and `idle-device` have that.
  const cells = someCells(1).filter(([, fault]) => fault !== 'staller');
  const planned = scheduled({ seed: 1, rounds: room.rounds, evaluateEvery: 10, cells, longestStopSeconds: 1 });
  const run = await runRoom({ ...common, devices, leastDevices, seed: 1, planned });
  const verdict = judged(run, quiet, tolerance);
  expect(verdict.problems).toEqual([]);
  expect(verdict.faults).toBe(9);
});
