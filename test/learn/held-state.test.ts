import { describe, expect, it } from 'vitest';
import type { HostRequest } from '../../worker/api/host-api.ts';
import { Host } from '../../worker/host/host.ts';
import { HeldState } from '../../worker/learn/held-state.ts';
import { power } from '../../worker/learn/optimiser.ts';
import { stateDigest } from '../../worker/learn/state-digest.ts';
import { parameterLayout } from '../../worker/model/layout.ts';
import { openFileOrHttp } from '../../worker/node/file-source.ts';
import { SMALL_REQUEST, withoutRound } from '../host/node-host.ts';

const learner = (values: readonly number[], first: readonly number[], second: readonly number[], steps: number) => ({
  values: Float32Array.from(values),
  optimiser: { steps, firstMoment: Float32Array.from(first), secondMoment: Float32Array.from(second) },
});

async function openHost(request: HostRequest) {
  const host = new Host(openFileOrHttp);
  return { host, opened: await host.open(request) };
}

describe('the digest of a state', () => {
  it('is what the formula gives, worked out with whole numbers of any size', () => {
    const words = [0x3f800000n, 0xc0000000n, 0x3e800000n];
    let hash = 3n;
    for (const word of words) {
      hash = ((hash ^ word) * 0x9e3779b1n) & 0xffffffffn;
      hash ^= hash >> 15n;
    }
    expect(stateDigest(learner([1], [-2], [0.25], 3))).toBe(Number(hash));
  });

  it('changes with every bit of every vector, with the steps, and with two flipped signs', () => {
    const digests = [
      stateDigest(learner([1, 2], [3, 4], [5, 6], 7)),
      stateDigest(learner([1, 2], [3, 4], [5, 6], 8)),
      stateDigest(learner([-1, -2], [3, 4], [5, 6], 7)),
      stateDigest(learner([2, 1], [3, 4], [5, 6], 7)),
      stateDigest(learner([1 + 2 ** -23, 2], [3, 4], [5, 6], 7)),
      stateDigest(learner([1, 2], [3, 4 + 2 ** -21], [5, 6], 7)),
      stateDigest(learner([1, 2], [3, 4], [5, 6 + 2 ** -21], 7)),
      stateDigest(learner([1, 2], [5, 6], [3, 4], 7)),
    ];
    expect(new Set(digests).size).toBe(digests.length);
  });
});

describe('a power', () => {
  it('is exact where products are, and as near as can be elsewhere', () => {
    expect([power(0.5, 10), power(-3, 3), power(7, 0), power(0.9, 1)]).toEqual([2 ** -10, -27, 1, 0.9]);
    for (const exponent of [2, 7, 100, 1023])
      expect(power(0.999, exponent) / Math.exp(exponent * Math.log(0.999))).toBeCloseTo(1, 12);
  });
});

describe('a held state', () => {
  it('comes to the host’s bits after each round, also past one that was skipped', async () => {
    const { host, opened } = await openHost({
      ...SMALL_REQUEST,
      training: { ...SMALL_REQUEST.training, schedule: 'cosine' },
    });
    const layout = parameterLayout(opened.shape, opened.lora, opened.task.labelCount);
    const held = new HeldState(layout, opened.training, await host.state());
    const { samplesPerRound: samples } = opened.training;
    const parts = (scale: number) =>
      [...layout.layers.entries(), ['head', layout.head] as const].flatMap(([block, { length }]) =>
        length === 0
          ? []
          : [
              {
                block,
                samples: { start: 0, count: samples },
                gradient: Float32Array.from({ length }, (_, i) => scale * Math.sin(i + 1)),
              },
            ],
      );
    for (const round of [1, 2, 4]) {
      const stepped = await host.step({ round, samples, parts: parts(round), lossSum: 1 });
      if (stepped.kind !== 'stepped') throw new Error('The gradient was finite.');
      expect(held.advance(stepped.update)).toBe(stepped.update.digest);
      const state = await host.state();
      expect(held.copy()).toEqual(state);
      if (round !== 2) continue;
      await withoutRound(host, 3);
      expect(held.advance(null)).toBe(state.digest);
      expect(held.copy()).toEqual(await host.state());
    }
    expect(held.version).toBe(4);
  });

  it('keeps what it was after earlier rounds, also when rounds are undone, until it is given another past', async () => {
    const { host, opened } = await openHost(SMALL_REQUEST);
    const layout = parameterLayout(opened.shape, opened.lora, opened.task.labelCount);
    const { training } = opened;
    const before = await host.state();
    const copy = () => structuredClone(before);
    const update = { gradient: new Float32Array(layout.length).fill(0.5), learningRate: 0.1 };
    const held = new HeldState(layout, training, copy());
    for (let i = 0; i < 3; i++) held.advance(update);
    // The host goes back to where it began.
    const undone = new HeldState(layout, training, copy(), held);
    undone.advance(null);
    expect(undone.handOverPast().map(({ version, values }) => [version, values])).toEqual([[0, before.values]]);
    expect(undone.handOverPast()).toEqual([]);
    undone.advance(update);
    const other = new HeldState(layout, training, { ...copy(), version: 2, steps: 1 }, undone);
    other.advance(update);
    expect(other.handOverPast().map(({ version, steps }) => [version, steps])).toEqual([[2, 1]]);
  });

  it('of another length is refused', async () => {
    const { host, opened } = await openHost(SMALL_REQUEST);
    const layout = parameterLayout(opened.shape, opened.lora, opened.task.labelCount);
    const state = { ...(await host.state()), firstMoment: new Float32Array(1) };
    expect(() => new HeldState(layout, opened.training, state)).toThrow('A state has 1 values where');
  });
});
