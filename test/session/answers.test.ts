import { describe, expect, it } from 'vitest';
import type { DataMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import type { Block } from '../../signaling/protocol/round.ts';
import { AuditAnswer, sliceSamples } from '../../web/session/rounds/answers.ts';
import type { WorkOrder, WorkPart } from '../../worker/api/work.ts';
import { SETTINGS } from '../protocol/samples.ts';

const SAMPLES = 5;
const TOKENS = 2;
/** Five samples of two tokens; ids tell them apart. */
const AUDIT: DataMessage<'audit'> = {
  header: {
    ...{ type: 'audit', tag: { term: 1, audit: 3 }, round: 7, layers: [4, 5], head: true, microBatch: 2 },
    ...{ recompute: false, tokens: TOKENS, samples: { start: 6, count: SAMPLES } },
    dropout: { probability: 0.1, seed: 1 },
  },
  tensors: [
    Int32Array.from({ length: SAMPLES * TOKENS }, (_, i) => i),
    new Int32Array(SAMPLES).fill(TOKENS),
    Float32Array.from({ length: SAMPLES }, (_, i) => i % 2),
    Int32Array.from({ length: SAMPLES }, (_, i) => 20 + i),
    Float32Array.of(9),
  ],
};

/** A model whose gradient of a block is the sum of its samples' places, times the block's number; the loss is the sum of their ids. */
class SumModel {
  readonly settings = SETTINGS;
  readonly orders: number[][] = [];
  #due: WorkPart[] = [];
  readonly api = {
    begin: async ({ batch }: WorkOrder) => {
      this.orders.push([...batch.positions]);
      const places = batch.positions.reduce((sum, place) => sum + place, 0);
      const gradient = (block: Block, times: number): WorkPart => ({
        kind: 'gradient',
        block,
        gradient: Float32Array.of(times * places, -times),
      });
      const lossSum = batch.ids.reduce((sum, id) => sum + id, 0);
      this.#due = [
        ...[gradient('head', 1), gradient(5, 5), gradient(4, 4)],
        { kind: 'done', lossSum, computeSeconds: batch.lengths.length, forwardSeconds: 0 },
      ];
    },
    next: async () => this.#due.shift() as WorkPart,
    cancel: async () => undefined,
  };
  alone = <T>(work: () => Promise<T>): Promise<T> => work();
  open = <T>(work: Promise<T>): Promise<T> => work;
  setParameters = async (): Promise<void> => undefined;
}

async function answered(slice: number) {
  const model = new SumModel();
  const audit = new AuditAnswer(AUDIT);
  let slices = 1;
  let answer = await audit.next(model, slice);
  for (; answer === null; slices++) answer = await audit.next(model, slice);
  return { orders: model.orders, slices, answer };
}

describe('an audit', () => {
  it('comes to the same in slices as at once: sums over samples, each with its own place in the round', async () => {
    const [whole, sliced] = [await answered(Number.POSITIVE_INFINITY), await answered(2)];
    expect(whole.orders).toEqual([[20, 21, 22, 23, 24]]);
    expect(sliced.orders).toEqual([[20, 21], [22, 23], [24]]);
    expect([whole.slices, sliced.slices]).toEqual([1, 3]);
    expect(whole.answer.header).toMatchObject({
      type: 'audited',
      blocks: ['head', 5, 4],
      lossSum: 45,
      computeSeconds: 5,
    });
    expect(sliced.answer.header).toEqual(whole.answer.header);
    const sums = [110, -1, 550, -5, 440, -4];
    expect(Array.from(whole.answer.tensors.flatMap((tensor) => Array.from(tensor)))).toEqual(sums);
    // What is no gradient of a sample adds up once a slice: here the second value.
    expect(sliced.answer.tensors.flatMap((tensor) => Array.from(tensor))).toEqual([110, -3, 550, -15, 440, -12]);
  });

  it('is cut so that an order waits a tenth of an order, or a quarter of a second', () => {
    expect(sliceSamples(null)).toBe(Number.POSITIVE_INFINITY);
    // 8 samples in 8 s: 0.8 s would be less than a sample. In 2.5 s: a quarter of a second is less than one, too.
    expect(sliceSamples({ samples: 8, seconds: 8 })).toBe(1);
    expect(sliceSamples({ samples: 8, seconds: 2.5 })).toBe(1);
    expect(sliceSamples({ samples: 100, seconds: 10 })).toBe(10);
    expect(sliceSamples({ samples: 8, seconds: 0.1 })).toBe(20);
  });
});
