import { describe, expect, it } from 'vitest';
import { memoryBytes } from '../../signaling/protocol/cost-model.ts';
import { MEMORY, SPEED, UPLINK } from '../../web/page/show/scales.ts';
import { captionOf, lessThanTheModel, SHALLOW_DEPTH, STEPS, shallowMemory } from '../../web/page/show/tour.ts';
import { processorShare, processorsFor, threadsOf } from '../../web/session/world/processor-share.ts';
import { commonSlowdown } from '../../web/tab/show/paces.ts';
import { profile } from '../protocol/samples.ts';
import { SHOW_VIEWS } from './gallery/show-views.ts';

describe('the stations of the demonstration', () => {
  const at = (name: string) => SHOW_VIEWS[`show-${name}`]!;
  const caption = (name: string) => captionOf(at(name).step, at(name).view, at(name).actors);

  it('wait for what they tell of, and go on when it has come', () => {
    expect(caption('measure').waits).toBe('1 of 4 ready…');
    for (const name of ['plan', 'round', 'left', 'depth', 'split', 'answer']) expect(caption(name).waits).toBeNull();
    // What each waits for has not come at the station before.
    for (const [step, before] of [
      ['leave', 'round'],
      ['depth', 'left'],
      ['split', 'depth'],
    ] as const) {
      const { view, actors } = at(before);
      expect(captionOf(step, view, actors).waits).not.toBeNull();
    }
  });

  it('wait for a split in which nobody has the whole model any more', () => {
    const { step, view, actors } = at('split');
    const { room } = view;
    if (room?.plan == null) throw new Error('There is a plan there.');
    const [first, ...others] = room.plan.assignments;
    if (first?.stage === undefined) throw new Error('It is split.');
    const whole = { ...first, stage: { ...first.stage, from: 0, to: room.settings.shape.layers + 2 } };
    const before = { ...view, room: { ...room, plan: { ...room.plan, assignments: [whole, ...others] } } };
    expect(captionOf(step, before, actors).waits).toBe('The model is being split…');
  });

  it('say who does what', () => {
    expect(caption('plan').text).toContain('Phone: all layers, 16 % of the samples.');
    expect(caption('depth').text).toContain('Old laptop: layers 0–3, 100 % of the samples.');
    expect(caption('split').text).toContain('3 devices hold a part each');
    expect(STEPS.at(-1)).toBe('answer');
  });

  it('take so much memory that a device reaches two layers and no deeper, and so much that it cannot hold the model', () => {
    const known = profile();
    const memory = { ...known.memory, limitBytes: shallowMemory(known) };
    expect(memoryBytes({ ...known, memory }, 1, SHALLOW_DEPTH)).toBeLessThanOrEqual(memory.limitBytes);
    expect(memoryBytes({ ...known, memory }, 1, SHALLOW_DEPTH + 1)).toBeGreaterThan(memory.limitBytes);
    expect(lessThanTheModel(known)).toBeLessThan(known.memory.weightsBytes);
  });
});

describe('the sliders', () => {
  it.each([
    ['speed', SPEED, [16, 4, 1]],
    ['memory', MEMORY, [5e6, Math.sqrt(5e6 * 1e9), 1e9]],
  ] as const)('of %s go by even factors, from little to much', (_name, scale, [least, middle, most]) => {
    expect(scale.at(0)).toBeCloseTo(least, 6);
    expect(scale.at(scale.steps / 2) / middle).toBeCloseTo(1, 9);
    expect(scale.at(scale.steps) / most).toBeCloseTo(1, 9);
    for (let step = 0; step <= scale.steps; step++) expect(scale.stepOf(scale.at(step))).toBe(step);
  });

  it('of the uplink ends at what the computer allows', () => {
    expect(UPLINK.at(0)).toBeCloseTo(5e5, 3);
    expect(UPLINK.at(UPLINK.steps)).toBe(Number.POSITIVE_INFINITY);
    for (let step = 0; step <= UPLINK.steps; step++) expect(UPLINK.stepOf(UPLINK.at(step))).toBe(step);
    expect(UPLINK.text(Number.POSITIVE_INFINITY)).toBe('as fast as here');
  });
});

describe('one processor for several devices', () => {
  it('is shared where they compute for more of the time than it has', () => {
    // Two processors: four devices at full speed want four, and wait for each other.
    expect(processorShare([1, 1, 1, 1], 2)).toBe(2);
    expect(processorShare([1, 1], 2)).toBe(1);
    // Resting half and three quarters of the time they want 0.75.
    expect(processorShare([2, 4], 2)).toBe(1);
    expect(processorShare([2, 4], 0)).toBe(1);
  });

  it('is one where all compute on graphics, and as many as a device has threads where the page is isolated', () => {
    expect(processorShare([1, 1, 1], processorsFor('webgpu', 8))).toBe(3);
    expect(processorsFor('onnx', 8)).toBe(8);
    expect([threadsOf('onnx', 8, true), threadsOf('onnx', 3, true), threadsOf('onnx', 32, true)]).toEqual([4, 2, 4]);
    expect([threadsOf('onnx', 8, false), threadsOf('webgpu', 8, true)]).toEqual([1, 1]);
  });

  it('makes the fastest so slow that its round lasts two seconds, and never faster than it is', () => {
    // 0.1 s and 10 samples of 4 ms + 6 layers of (3 + 2) ms + 6 ms: 0.5 s, of which four are two seconds.
    const { measured } = {
      measured: {
        ...profile(),
        overheadSeconds: 0.1,
        secondsPerSample: { embed: 0.004, forwardPerLayer: 0.003, backwardPerLayer: 0.002, head: 0.006 },
      },
    };
    expect(commonSlowdown(measured, 6, 10)).toBeCloseTo(4, 9);
    expect(commonSlowdown(measured, 6, 100)).toBe(1);
  });
});
