import { describe, expect, it } from 'vitest';
import { runShort, runText } from '../../signaling/protocol/words/units.ts';
import { limitSentences } from '../../web/page/allocation/limits.ts';
import { planTable } from '../../web/page/allocation/plan-table.ts';
import { deviceStatus } from '../../web/page/devices/device-lines.ts';
import { ownState } from '../../web/page/own/own-words.ts';
import { bubbleShare, pipelines } from '../../web/page/pipeline/pipeline.ts';
import {
  bubbleSentence,
  fetchingSentence,
  memoryText,
  pipelineSentence,
} from '../../web/page/pipeline/pipeline-words.ts';
import { staircase } from '../../web/page/pipeline/staircase.ts';
import { roleSentence } from '../../web/page/session/headline.ts';
import type { SessionView } from '../../web/session/view/view.ts';
import { device } from './gallery/scenarios.ts';
import { SPLIT_VIEWS } from './gallery/split-views.ts';

const seats = Array.from({ length: 6 }, (_, place) => device(place).id);
const of = (name: string, change: Partial<SessionView> = {}) => {
  const view = { ...SPLIT_VIEWS[name]!, ...change };
  return { view, room: view.room!, shown: pipelines({ room: view.room!, self: view.self, seats })! };
};

describe('a split model as a staircase', () => {
  it('has stages in the order of their pipeline, with what they hold, train and send', () => {
    const { shown } = of('split-training');
    expect(shown.stages.map(({ name, run, trained }) => [name, run, trained])).toEqual([
      ['Pixel 8', { from: 0, to: 3 }, []],
      ['Old ThinkPad', { from: 3, to: 6 }, [4, 5]],
      ['Linen Shuttle', { from: 6, to: 8 }, [6, 7]],
    ]);
    // Every layer has adapters here (the settings say none is left out), so gradients go down to the lowest one.
    expect(shown.lowest).toBe(1);
    expect(shown.stages.map(({ getsGradient, sendsGradient }) => [getsGradient, sendsGradient])).toEqual([
      [true, false],
      [true, true],
      [false, true],
    ]);
  });

  it('sends no gradient below the lowest trained layer', () => {
    const { room } = of('split-training');
    const lora = { ...room.settings.lora, layers: [3, 4, 5] };
    const shown = pipelines({ room: { ...room, settings: { ...room.settings, lora } }, self: '', seats })!;
    expect(shown.lowest).toBe(4);
    expect(shown.stages.map(({ getsGradient, sendsGradient }) => [getsGradient, sendsGradient])).toEqual([
      [false, false],
      [true, false],
      [false, true],
    ]);
  });

  it('is none where the plan splits nothing', () => {
    const { room } = of('split-training');
    const plan = { ...room.plan!, assignments: room.plan!.assignments.map(({ stage: _, ...one }) => one) };
    expect(pipelines({ room: { ...room, plan }, self: '', seats })).toBeNull();
    expect(pipelines({ room: { ...room, plan: null }, self: '', seats })).toBeNull();
  });

  it('tells who has its part, who fetches it and how far, and who is gone', () => {
    expect(of('split-fetching').shown.stages.map(({ state, fetched }) => [state, fetched])).toEqual([
      ['fetches', 0.45],
      ['fetches', 0],
      ['holds', null],
    ]);
    expect(of('split-late').shown.stages.map(({ state }) => state)).toEqual(['holds', 'away', 'holds']);
    const { room } = of('split-training');
    const more = room.devices.map((one) => ({ ...one, holds: { from: 0, to: 8 } }));
    const shown = pipelines({ room: { ...room, devices: more }, self: '', seats })!;
    expect(shown.stages.every(({ state }) => state === 'holds')).toBe(true);
  });

  it('has the bubble: what stages wait of the predicted round', () => {
    const { shown } = of('split-training');
    expect(shown.stages.map(({ busy }) => busy)).toEqual([1.2 / 2.1, 1.8 / 2.1, 0.9 / 2.1]);
    expect(bubbleShare(shown)).toBeCloseTo(1 - 3.9 / 6.3, 12);
    expect(bubbleShare({ stages: [] })).toBe(0);
  });

  it('shows those that stand by, and what they hold ready', () => {
    expect(of('split-spares').shown.spares.map(({ name, holds }) => [name, holds])).toEqual([
      ['Merino Bobbin', { from: 0, to: 3 }],
      ['Studio', null],
    ]);
  });
});

describe('the staircase in pixels', () => {
  it('climbs: each stage begins where the one before it ends, and fits into a phone or scrolls', () => {
    const { shown } = of('split-training');
    const { steps, rowY, rowHeight } = staircase(shown, 700);
    expect(steps.map(({ bottom }) => bottom)).toEqual([
      rowY[0]! + rowHeight,
      rowY[3]! + rowHeight,
      rowY[6]! + rowHeight,
    ]);
    expect(steps[1]!.bottom).toBe(steps[0]!.top);
    expect(steps[1]!.x).toBeGreaterThan(steps[0]!.x + steps[0]!.width);
    expect(steps.map(({ up, down }) => [up !== null, down !== null])).toEqual([
      [true, true],
      [true, true],
      [false, false],
    ]);
    expect(staircase(shown, 270).width).toBeLessThanOrEqual(270);
    expect(staircase(of('split-24x6').shown, 270).width).toBeGreaterThan(270);
  });

  it('has no arrow from one pipeline to another', () => {
    const { steps } = staircase(of('split-teams').shown, 900);
    expect(steps.map(({ up }) => up !== null)).toEqual([true, true, false, true, false]);
  });
});

describe('in words', () => {
  it.each([
    [{ from: 0, to: 3 }, 'the embeddings and layers 0–1', 'emb, 0–1'],
    [{ from: 3, to: 4 }, 'layer 2', '2'],
    [{ from: 6, to: 8 }, 'layer 5 and the head', '5, head'],
    [{ from: 7, to: 8 }, 'the head', 'head'],
    [{ from: 0, to: 1 }, 'the embeddings', 'emb'],
    [{ from: 0, to: 8 }, 'the whole model', 'emb, 0–5, head'],
  ])('a run is %j', (run, text, short) => {
    expect([runText(run, 6), runShort(run, 6)]).toEqual([text, short]);
  });

  it('says who shares the samples where there are several pipelines', () => {
    const { shown } = of('split-teams');
    expect(bubbleSentence(shown)).toMatch(
      /^2 pipelines, each with the whole model, share the samples of a round: 16 and 16\. .+devices wait for each other \d+ % of the time\.$/,
    );
    expect(pipelineSentence(shown)).toMatch(
      /^Of each round 16 samples go through 3 stages: .+\. 16 samples go through 2 stages: .+\.$/,
    );
    expect(of('split-training').shown && pipelineSentence(of('split-training').shown)).toMatch(
      /^Samples go through 3 stages: /,
    );
  });

  it('are what is held of what may be, what rounds wait for, and what waiting costs', () => {
    const { shown } = of('split-fetching');
    expect(memoryText(shown.stages[0]!)).toBe('212 MB of 300 MB');
    expect(memoryText({ memoryBytes: 5e6, limitBytes: null })).toBe('5.0 MB');
    expect(fetchingSentence(shown)).toBe(
      'Rounds wait for Pixel 8, which fetches the embeddings and layers 0–1. 1 other stage is not ready either.',
    );
    expect(fetchingSentence(of('split-training').shown)).toBeNull();
    expect(bubbleSentence(of('split-training').shown)).toContain(
      'in 2.1 s a round, 8 micro-batches of it, stages wait for each other 38 % of the time.',
    );
    expect(pipelineSentence(of('split-spares').shown)).toMatch(
      /^Samples go through 3 stages: Pixel 8 has the embeddings and layers 0–1, 212 MB of 300 MB, holds it;.* 2 devices stand by\.$/,
    );
  });

  it('are what only all of them together can hold, before who limits the round', () => {
    const { view, room } = of('split-training', { rounds: [] });
    expect(limitSentences(view, room)).toEqual([
      'No single device here can hold the model (480 MB of weights); these three together can.',
      'Old ThinkPad limits the round: its layers take longest.',
    ]);
  });

  it('are what each device does, in the list, in the table and on its own screen', () => {
    const { room, view } = of('split-training');
    expect(room.devices.map((one) => deviceStatus(one, room).status)).toEqual([
      'trains layer 5 and the head; holds layer 5 and the head',
      'has the embeddings and layers 0–1: samples go through it, nothing of it is trained',
      'trains layers 3–4; holds layers 2–4',
    ]);
    expect(planTable(room, [], seats).map(({ name, reach, holds }) => [name, reach, holds])).toEqual([
      ['Pixel 8', 'none', 'the embeddings and layers 0–1, 212 MB of 300 MB'],
      ['Old ThinkPad', 'down to layer 3', 'layers 2–4, 188 MB of 300 MB'],
      ['Linen Shuttle', 'down to layer 5', 'layer 5 and the head, 97 MB of 300 MB'],
    ]);
    const own = ownState({ ...view, role: 'device', self: device(1).id }, '');
    expect(own?.title).toBe('Training with the embeddings and layers 0–1');
    expect(roleSentence({ ...view, role: 'device', self: device(1).id })).toMatch(
      /^You are training with the embeddings and layers 0–1\./,
    );
    const fetching = of('split-fetching');
    expect(fetching.room.devices.map((one) => deviceStatus(one, fetching.room).status)).toEqual([
      'will train layer 5 and the head; holds layer 5 and the head',
      'loading the embeddings and layers 0–1: 90 MB of 200 MB, 6.4 MB/s, about 20 s left',
      'measured; is to hold layers 2–4',
    ]);
  });
});
