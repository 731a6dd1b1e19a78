import { describe, expect, it } from 'vitest';
import { planRoom } from '../../signaling/planner/room-plan.ts';
import type { Alternative } from '../../signaling/protocol/plan.ts';
import type { Policy } from '../../signaling/protocol/settings.ts';
import { roomProblem } from '../../signaling/room/planning.ts';
import { alternativeBars, quickestSentence } from '../../web/page/allocation/alternatives.ts';
import { device, room } from './gallery/scenarios.ts';

const plan = (policy: Policy, latencySeconds: number, alternatives: Alternative[]) => ({
  policy,
  latencySeconds,
  alternatives,
});
const compared: Alternative[] = [
  { policy: 'crunch', seconds: 1.35 },
  { policy: 'data-parallel', seconds: 0.66 },
  { policy: 'split', reason: 'No device said what its layers cost.' },
  { policy: 'single', seconds: 2.64 },
];

describe('ways of sharing the work', () => {
  it('stand side by side, the quickest first, with those that cannot be and why', () => {
    expect(alternativeBars(plan('data-parallel', 0.66, compared))).toEqual([
      { policy: 'data-parallel', label: 'Data-parallel', seconds: 0.66, reason: null, share: 0.25, used: true },
      { policy: 'crunch', label: 'CRUNCH', seconds: 1.35, reason: null, share: 1.35 / 2.64, used: false },
      { policy: 'single', label: 'Single device', seconds: 2.64, reason: null, share: 1, used: false },
      {
        policy: 'split',
        label: 'Split model',
        seconds: null,
        reason: 'No device said what its layers cost.',
        share: 0,
        used: false,
      },
    ]);
  });

  it('are not shown where nothing was compared', () => {
    expect(alternativeBars(null)).toEqual([]);
    expect(alternativeBars({ policy: 'crunch' })).toEqual([]);
    expect(alternativeBars(plan('crunch', 1, [{ policy: 'crunch', seconds: 1 }]))).toEqual([]);
  });
});

describe('the sentence on why', () => {
  it('names what is quickest and the quickest of another kind', () => {
    expect(quickestSentence(plan('data-parallel', 0.66, compared))).toBe(
      'Splitting the samples is quickest here: 0.66 s a round; by layers it would be 1.4 s.',
    );
    // LoLa and CRUNCH are one kind.
    const byDepth: Alternative[] = [
      { policy: 'crunch', seconds: 1 },
      { policy: 'lola', seconds: 1.1 },
      { policy: 'data-parallel', seconds: 1.3 },
    ];
    expect(quickestSentence(plan('crunch', 1, byDepth))).toBe(
      'Sharing the layers by depth is quickest here: 1.0 s a round; with the samples split it would be 1.3 s.',
    );
  });

  it('does not say quickest of what is kept for another reason', () => {
    expect(quickestSentence(plan('crunch', 1.35, compared))).toMatch(
      /^Sharing the layers by depth is what is used: 1\.4 s/,
    );
  });

  it('says why there is no other way', () => {
    const only: Alternative[] = [
      { policy: 'crunch', seconds: 2 },
      { policy: 'data-parallel', reason: 'No device has the memory for all layers.' },
    ];
    expect(quickestSentence(plan('crunch', 2, only))).toBe(
      'Sharing the layers by depth is what works here: 2.0 s a round. Splitting the samples cannot be: no device has the memory for all layers.',
    );
    expect(quickestSentence({ policy: 'crunch', latencySeconds: 1 })).toBeNull();
  });
});

it('what the planner itself answers with auto can be shown so', () => {
  const { settings, host, devices } = room({ devices: [device(0), device(1), device(2)] });
  const trainers = devices.map((one) => ({ ...one, profile: one.profile! }));
  const answer = planRoom(roomProblem(settings, host, trainers, new Map()));
  if (!answer.feasible) throw new Error(answer.reason);
  const bars = alternativeBars(answer.plan);
  expect(bars.length).toBeGreaterThan(1);
  expect(bars[0]).toMatchObject({ used: true });
  expect(bars[0]!.seconds).toBeCloseTo(answer.plan.latencySeconds, 9);
  expect(quickestSentence(answer.plan)).toMatch(/ is quickest here: .* a round; .* it would be .*\.$/);
});
