import { describe, expect, it } from 'vitest';
import { planText } from '../../signaling/cli/demo/demo-text.ts';
import type { Profile } from '../../signaling/protocol/profile.ts';
import { togetherSentence } from '../../signaling/protocol/words/together.ts';
import { SPLIT_VIEWS } from '../page/gallery/split-views.ts';
import { profile } from './samples.ts';

const of = (limitBytes: number, change: Partial<Profile['memory']> = {}): { profile: Profile } => {
  const made = profile();
  return { profile: { ...made, memory: { ...made.memory, limitBytes, weightsBytes: 7e8, ...change } } };
};
const stage = { pipeline: 0, index: 0, from: 0, to: 1, window: 1, microBatches: 1 };
const split = (count: number, names = (i: number) => `device${i}`) => ({
  assignments: Array.from({ length: count }, (_, index) => ({
    ...{ device: names(index), layers: [], head: false, samples: { start: 0, count: 1 }, microBatch: 1 },
    ...{ memoryBytes: 1, share: 0, uploadBits: 0, computeSeconds: 1, uploadSeconds: 0, stage: { ...stage, index } },
  })),
});

describe('what only several devices together can hold', () => {
  it('is said with its bytes and how many there are', () => {
    const four = [of(3e8), of(3e8), of(3e8), of(3e8)];
    expect(togetherSentence(split(4), four)).toBe(
      'No single device here can hold the model (700 MB of weights); these four together can.',
    );
    expect(togetherSentence(split(2), four)).toContain('these two together');
    expect(togetherSentence(split(12), four)).toContain('these twelve together');
    expect(togetherSentence(split(13), four)).toContain('these 13 together');
    // A device that is two stages is one device.
    expect(
      togetherSentence(
        split(4, (i) => `device${i % 2}`),
        four,
      ),
    ).toContain('these two together');
  });

  it('is nothing where one of them could hold it alone, to the byte, whether it is a stage or not', () => {
    // Weights and what one sample takes on its way through.
    const enough = 7e8 + 1e5;
    expect(togetherSentence(split(2), [of(3e8), of(3e8), of(enough)])).toBeNull();
    expect(togetherSentence(split(2), [of(3e8), of(3e8), of(enough - 1)])).not.toBeNull();
  });

  it('is nothing of plans that do not split, of one device alone, and before anybody measured', () => {
    const whole = split(2).assignments.map(({ stage: _, ...rest }) => rest);
    expect(togetherSentence({ assignments: whole }, [of(3e8)])).toBeNull();
    expect(togetherSentence(split(1), [of(3e8)])).toBeNull();
    expect(togetherSentence(split(2), [{ profile: null }])).toBeNull();
  });

  it('is on the terminal, between the plan and its lines', () => {
    const room = SPLIT_VIEWS['split-training']?.room;
    if (room?.plan == null) throw new Error('There is no such plan.');
    expect(planText(room, room.plan, undefined).split('\n')[1]).toBe(
      '  No single device here can hold the model (480 MB of weights); these three together can.',
    );
  });

  it('is followed by what each stage holds, one of the embeddings alone too', () => {
    const room = SPLIT_VIEWS['split-training']?.room;
    if (room?.plan == null) throw new Error('There is no such plan.');
    const assignments = room.plan.assignments.map((one) =>
      one.stage?.from === 0 ? { ...one, layers: [], head: false, stage: { ...one.stage, to: 1 } } : one,
    );
    expect(planText(room, { ...room.plan, assignments }, undefined)).toMatch(/ {2}the embeddings {2,}\d+ samples/);
  });
});
