import { describe, expect, it } from 'vitest';
import { partOf } from '../../signaling/protocol/split.ts';
import { randomModel } from '../../worker/check/random-model.ts';
import { createStages, runsOf, splitEngine } from '../../worker/check/split-engine.ts';
import { createReferenceEngine } from '../../worker/engine/reference/engine.ts';

describe('cuts', () => {
  it('begin a run at each of their layers, of units from the embeddings to the head', () => {
    expect(runsOf([2, 4], 6)).toEqual([
      { from: 0, to: 3 },
      { from: 3, to: 5 },
      { from: 5, to: 8 },
    ]);
    expect(runsOf([4, 2, 2], 6)).toEqual(runsOf([2, 4], 6));
  });

  it('below the first layer leave the embeddings alone, beyond the last one the head', () => {
    expect(runsOf([0, 9], 3)).toEqual([
      { from: 0, to: 1 },
      { from: 1, to: 4 },
      { from: 4, to: 5 },
    ]);
    expect(runsOf([3, 4, 5], 3)).toEqual([
      { from: 0, to: 4 },
      { from: 4, to: 5 },
    ]);
  });
});

it('stages that leave a unit out, have one twice, or are in another order are refused', async () => {
  const model = await randomModel({ layers: 3 });
  const make = (from: number, to: number) => createReferenceEngine({ ...model, part: partOf({ from, to }, 3) });
  const [below, middle, above, top] = [await make(0, 2), await make(2, 3), await make(3, 5), await make(2, 5)];
  expect(splitEngine([below, middle, above]).part).toEqual({
    embeddings: true,
    layers: { from: 0, to: 3 },
    head: true,
  });
  for (const wrong of [[below, above], [below, middle, top], [middle, below, above], [below, middle], [below], []])
    expect(() => splitEngine(wrong)).toThrow(/stages/);
});

it('bytes are those of all stages, layers that go backward counted where they are', async () => {
  const model = await randomModel({ layers: 3 });
  const stages = await createStages((request) => createReferenceEngine(request), model, runsOf([2], 3));
  const whole = await createReferenceEngine(model);
  for (let savedLayers = 0; savedLayers <= 3; savedLayers++)
    expect(splitEngine(stages).bytes(2, 7, { savedLayers }).savedBytes).toBe(
      whole.bytes(2, 7, { savedLayers }).savedBytes,
    );
});
