import { describe, expect, it } from 'vitest';
import { parseProblem } from '../../signaling/planner/problem/parse.ts';
import { solve } from '../../signaling/planner/solve.ts';
import { computeSeconds, paced } from '../../signaling/protocol/cost-model.ts';
import { planOf } from '../../signaling/room/plan-of.ts';
import { profile, SETTINGS } from '../protocol/samples.ts';

const devices = [
  { id: 'host', name: 'Host', profile: profile() },
  { id: 'b', name: 'B', profile: profile(1) },
  { id: 'c', name: 'C', profile: null },
];
const asked = { settings: { ...SETTINGS, policy: 'teams' as const }, host: 'host', devices, rounds: [], plan: null };

it('plans the room that might be, and gives the same question as a file that the command line plans alike', () => {
  const answer = planOf(asked);
  if (!answer.feasible) throw new Error(answer.reason);
  expect(answer.plan.assignments.map(({ device }) => device).toSorted()).toEqual(['b', 'host']);
  const read = parseProblem(JSON.parse(answer.file));
  const solved = solve(read, 'teams');
  expect(solved.feasible && solved.latencySeconds).toBeCloseTo(answer.plan.latencySeconds, 9);
});

it('says why there is none', () => {
  expect(planOf({ ...asked, devices: devices.slice(2) })).toMatchObject({
    feasible: false,
    reason: 'No device takes part.',
  });
});

describe('a room whose rounds took longer than its devices stated', () => {
  const { layers } = SETTINGS.shape;
  const [host, b] = [devices[0]!.profile!, devices[1]!.profile!];
  /** Rounds in which the host took three times what it states, and B what it states. */
  const rounds = Array.from({ length: 12 }, (_, i) => ({
    ...{ round: i + 1, planVersion: 1, loss: 1, learningRate: 1, gradientNorm: 1, elapsedSeconds: 1, reassigned: 0 },
    devices: [
      { device: 'host', profile: host, slower: 3 },
      { device: 'b', profile: b, slower: 1 },
    ].map(({ device, profile: stated, slower }) => {
      const samples = 1 + (i % 4);
      const seconds = computeSeconds(stated, layers, samples, layers);
      return {
        ...{ device, samples, deepestDepth: layers, computeSeconds: slower * seconds },
        ...{ uploadSeconds: 0, uploadBits: 0 },
      };
    }),
  }));
  const alone = (id: string, factors = { speed: 1, memory: 1, uplink: 1 }) => ({
    ...asked,
    settings: { ...SETTINGS, policy: 'single' as const },
    supposed: [{ id, name: id, imagined: null, ...factors }],
  });
  const latency = (question: Parameters<typeof planOf>[0]): number => {
    const answer = planOf(question);
    if (!answer.feasible) throw new Error(answer.reason);
    return answer.plan.latencySeconds;
  };

  it('is planned by what they took', () => {
    const stated = latency(alone('host'));
    expect(latency({ ...alone('host'), rounds }) / stated).toBeCloseTo(3, 1);
    // Twice as quick as it turned out to be, not as it says of itself.
    const twice = { speed: 2, memory: 1, uplink: 1 };
    expect(latency({ ...alone('host', twice), rounds }) / stated).toBeCloseTo(1.5, 1);
  });

  it('imagines others like that', () => {
    const imagined = { profile: paced(host, 0.5), like: 'host' };
    const supposed = [{ ...alone('host').supposed[0]!, id: 'phone', name: 'Phone', imagined }];
    const question = { ...alone('host'), host: 'phone', supposed };
    expect(latency({ ...question, rounds }) / latency(question)).toBeCloseTo(3, 1);
  });
});
