import { describe, expect, it } from 'vitest';
import { startObstacle } from '../../web/page/session/headline.ts';
import { problems } from '../../web/page/session/problems.ts';
import { sessionFacts } from '../../web/page/session/session-facts.ts';
import { device, room, settingsOf, view, withStatus } from './gallery/scenarios.ts';

const factsOf = (task: string) =>
  Object.fromEntries(sessionFacts(settingsOf(task)).map(({ what, value }) => [what, value]));

describe('sessionFacts', () => {
  it.each([
    ['cola', 'unacceptable and acceptable', 'Matthews correlation'],
    ['sst2', 'negative and positive', 'Accuracy'],
    ['mrpc', 'not equivalent and equivalent', 'F1'],
    ['qqp', 'not duplicate and duplicate', 'F1'],
    ['stsb', 'none: the model answers with a number', 'Pearson correlation'],
    ['mnli', 'entailment, neutral and contradiction', 'Accuracy'],
    ['qnli', 'entailment and not entailment', 'Accuracy'],
    ['rte', 'entailment and not entailment', 'Accuracy'],
    ['wnli', 'not entailment and entailment', 'Accuracy'],
  ])('%s: its classes and its score', (task, classes, score) => {
    expect(factsOf(task)).toMatchObject({ Classes: classes, Score: score });
  });

  it('say model, adapter and recipe', () => {
    expect(factsOf('sst2')).toMatchObject({
      Task: 'SST-2: sentiment of film reviews',
      Examples: '4,000 to train, 500 to score',
      Model: 'roberta-mini, 6 layers, 128 wide',
      'Weights in memory': '32 bit',
      LoRA: 'rank 8, alpha 16, on query and value',
      Training: '120 rounds of 32 samples (0.96 epochs), learning rate 0.001',
    });
  });
});

describe('a session that is gone on with', () => {
  const loading = withStatus(0, { kind: 'loading', done: 1, total: 4 });
  const early = room({ phase: 'paused', devices: [loading], planNote: 'No device is ready yet.' });

  it('waits for its first device without alarm', () => {
    expect(problems(view({ room: early }), new Set())).toEqual([]);
    expect(startObstacle(early)).toBe(`No device is ready yet: ${loading.name} is loading the model (25 %).`);
  });

  it('says what is wrong once a device is ready and no plan fits', () => {
    const stuck = { ...early, devices: [device(0)], planNote: 'Nobody holds the model.' };
    expect(problems(view({ room: stuck }), new Set())[0]?.sentence).toBe('There is no plan: Nobody holds the model.');
    expect(startObstacle(stuck)).toBe('There is no plan for these devices yet.');
  });
});
