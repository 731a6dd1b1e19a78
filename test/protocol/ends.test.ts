import { describe, expect, it } from 'vitest';
import type { RoomView } from '../../signaling/protocol/room-view.ts';
import { endText, possibleEnds, withExtent } from '../../signaling/protocol/words/ends.ts';
import { forecast, totalSeconds } from '../../signaling/protocol/words/forecast.ts';
import { timeLeftText } from '../../signaling/protocol/words/quantities.ts';
import { paperEpochs, recipeFor, scoredEvery } from '../../signaling/protocol/words/recipes.ts';
import { profile, SETTINGS } from './samples.ts';

const device: RoomView['devices'][number] = {
  ...{ id: 'laptop01', name: 'Laptop', kind: 'tab', status: { kind: 'ready' }, profile: profile() },
  ...{ hidden: false, linked: true, online: true, peerId: null },
};

/** SST-2 on a model of a hub, by its recipe. */
function room(latencySeconds: number, id = 'sst2', model: RoomView['settings']['model'] | null = null) {
  const { training } = recipeFor(id, 'base');
  const hub = {
    kind: 'hub',
    id: 'FacebookAI/roberta-base',
    endpoint: 'https://huggingface.co',
    revision: 'main',
  } as const;
  const settings = {
    ...SETTINGS,
    model: model ?? hub,
    task: { ...SETTINGS.task, id, trainExamples: 67_349, devExamples: 872, roundTokens: 16, devTokens: 26 },
    training: { ...SETTINGS.training, ...training, evaluateEvery: 100 },
  };
  const plan: RoomView['plan'] = {
    ...{ version: 1, policy: 'teams', solver: '', solveMs: 0, latencySeconds, lowerBoundSeconds: latencySeconds },
    ...{ limitedBy: '', explanation: '', assignments: [] },
  };
  return { settings, plan, devices: [device] };
}

describe('ends to choose from', () => {
  it('are what fits into a quarter of an hour and an hour, the recipe, and the paper’s passes over the data', () => {
    const ends = possibleEnds(room(9.4));
    // 60 * 67,349 / 16; and (900 s - the last score) / (9.4 s and a tenth), the score nine seconds.
    expect(ends.map(({ label, extent }) => [label, extent.rounds])).toEqual([
      ['15 minutes', 86],
      ['An hour', 347],
      ['The recipe', 1000],
      ['As the paper', 252_559],
    ]);
    expect(ends.map(endText)).toEqual([
      '86 rounds, 0.02 epochs',
      '347 rounds, 0.082 epochs',
      '1,000 rounds, 0.24 epochs',
      '252,559 rounds, 60 epochs',
    ]);
    expect(timeLeftText(ends[3]!.seconds)).toBe('about 27 days');
  });

  it('end in time, scores with them, and would not with a twentieth more rounds', () => {
    for (const latency of [0.9, 2.7, 9.4, 40]) {
      const here = room(latency);
      for (const { kind, extent, seconds } of possibleEnds(here)) {
        if (kind !== 'minutes') continue;
        const limit = Math.abs(seconds - 900) < Math.abs(seconds - 3600) ? 900 : 3600;
        expect(seconds).toBeLessThanOrEqual(limit);
        const more = Math.ceil(1.2 * extent.rounds) + 1;
        expect(totalSeconds(forecast(withExtent(here, { ...extent, rounds: more }), [])!)).toBeGreaterThan(limit);
      }
    }
  });

  it('leave out times in which the recipe is done anyway, and the paper where it says nothing', () => {
    expect(possibleEnds(room(0.5)).map(({ kind }) => kind)).toEqual(['recipe', 'paper']);
    expect(possibleEnds(room(2)).map(({ label }) => label)).toEqual(['15 minutes', 'The recipe', 'As the paper']);
    expect(possibleEnds(room(2, 'wnli')).map(({ kind }) => kind)).toEqual(['recipe']);
    const mini = possibleEnds(room(2, 'sst2', { kind: 'embedded', id: 'roberta-mini' }));
    expect(mini.map(({ kind }) => kind)).toEqual(['minutes', 'recipe']);
    expect(possibleEnds({ ...room(2), plan: null })).toEqual([]);
  });

  it('score about six times on the way', () => {
    expect([1, 6, 12, 86, 348, 1000, 252_559].map(scoredEvery)).toEqual([1, 1, 2, 10, 50, 100, 1000]);
  });

  it('count epochs as the paper does, MNLI’s two dev sets alike', () => {
    expect(['sst2', 'mnli', 'mnli-mismatched', 'own', 'wnli'].map(paperEpochs)).toEqual([60, 30, 30, null, null]);
  });
});
