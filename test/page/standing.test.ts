import { describe, expect, it } from 'vitest';
import { keptSessionText } from '../../web/page/kept/kept-session-words.ts';
import { bestText, keptSentence } from '../../web/page/session/standing-words.ts';
import { answeredBy, predictionLines, probabilityText, textNames } from '../../web/page/take/try-it-words.ts';
import { predictionOf } from '../../web/session/view/class-probabilities.ts';
import { TASKS } from '../../worker/data/tasks.ts';
import { device, room, scores, settingsOf } from './gallery/scenarios.ts';

const training = room({ devices: [device(0)] });
const finished = { ...training, phase: 'finished' as const };

describe('what has been reached', () => {
  it('names the best score with its metric and round, once there is one to compare', () => {
    const best = { round: 20, by: 'accuracy' as const, value: 0.8876 };
    expect(bestText({ best, room: training, scores: scores(40, 20) })).toBe(
      'Best dev accuracy so far: 88.8 %, after round 20.',
    );
    expect(bestText({ best, room: finished, scores: scores(40, 20) })).toBe(
      'Best dev accuracy: 88.8 %, after round 20.',
    );
    expect(
      bestText({ best: { round: 0, by: 'accuracy', value: 0.5 }, room: training, scores: scores(20, 20) }),
    ).toContain('before training');
    expect(bestText({ best, room: training, scores: scores(0, 20) })).toBeNull();
    expect(
      bestText({ best: { round: 40, by: 'accuracy', value: 0.9 }, room: finished, scores: scores(40, 20) }),
    ).toBeNull();
    const stsb = { ...finished, settings: settingsOf('stsb') };
    expect(
      bestText({ best: { round: 20, by: 'pearson', value: -0.0312 }, room: stsb, scores: scores(40, 20, 'pearson') }),
    ).toBe('Best dev Pearson correlation: −0.031, after round 20.');
  });

  it('says what is kept', () => {
    const kept = { round: 30, atMs: 0 };
    expect(keptSentence({ kept, room: training })).toBe(
      'Kept on this device at round 30; whatever happens, you can go on from there.',
    );
    expect(keptSentence({ kept, room: finished })).toBe('Kept on this device at round 30.');
    expect(keptSentence({ kept: null, room: training })).toBeNull();
  });

  it('says where a kept session stands', () => {
    const kept = { id: 'a', title: 't', deviceName: 'Studio', round: 40, rounds: 120, keptAtMs: 1e12, bytes: 2.4e6 };
    expect(keptSessionText(kept, 1e12 + 3 * 3_600_000)).toBe('Round 40 of 120, kept 3 hours ago as Studio; 2.4 MB.');
    expect(keptSessionText({ ...kept, round: 120 }, 1e12)).toBe(
      'All 120 rounds are done, kept just now as Studio; 2.4 MB.',
    );
  });
});

describe('try it', () => {
  it('asks for as many texts as the task has', () => {
    for (const { id, source } of TASKS) {
      const pairs = source.kind === 'glue' && source.pairColumn !== null;
      expect(textNames({ id }, pairs)).toHaveLength(pairs ? 2 : 1);
    }
    expect(textNames({ id: 'own' }, true)).toEqual(['First text', 'Second text']);
    expect(textNames({ id: 'own' }, false)).toEqual(['Text']);
  });

  it('gives the class names of the task, the most probable first', () => {
    const { task } = settingsOf('mnli');
    const answer = predictionOf(task, Float32Array.of(0, Math.log(2), Math.log(5)));
    if (answer.kind !== 'classes') throw new Error('MNLI has classes.');
    expect(predictionLines(answer).map(({ name, text }) => [name, text])).toEqual([
      ['contradiction', '62.5 %'],
      ['neutral', '25.0 %'],
      ['entailment', '12.5 %'],
    ]);
  });

  it('draws the classes together that are too many', () => {
    const probabilities = Array.from({ length: 10 }, (_, i) => ({ name: `c${i}`, probability: i === 0 ? 0.55 : 0.05 }));
    const lines = predictionLines({ kind: 'classes', probabilities });
    expect(lines).toHaveLength(7);
    expect(lines.at(-1)).toMatchObject({ name: '4 other classes', text: '20.0 %' });
  });

  it('never claims certainty, and says whose answer it is', () => {
    expect([0.99996, 0.999, 0.0001, 0.5].map(probabilityText)).toEqual([
      'over 99.9 %',
      '99.9 %',
      'under 0.1 %',
      '50.0 %',
    ]);
    expect(answeredBy(34)).toBe('Answered by the adapter after round 34.');
    expect(answeredBy(0)).toBe('Answered by the adapter before training.');
  });
});
