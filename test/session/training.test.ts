import { describe, expect, it } from 'vitest';
import { Host } from '../../worker/host/host.ts';
import { openFileOrHttp } from '../../worker/node/file-source.ts';
import { SMALL_REQUEST } from '../host/node-host.ts';
import { LOSS, TrainingScene } from './training-scene.ts';

/** Devices that have the time to evaluate whatever is due, and rounds that last longer than that. */
function withTime(scene: TrainingScene): TrainingScene {
  scene.latencySeconds = 1000;
  scene.orderMs = 60;
  return scene;
}

const scoredRounds = ({ store }: TrainingScene): number[] => store.view.scores.map(({ round }) => round);

describe('training', () => {
  it('scores, goes through its rounds, scores again and is finished', async () => {
    const scene = await TrainingScene.open({});
    scene.join('a', 'b');
    const startMs = performance.now();
    expect(scene.training.phase).toBe('gathering');
    scene.training.start();
    await scene.phase('finished');
    expect(scene.phases).toEqual(['training', 'finished']);
    expect(scoredRounds(scene)).toEqual([0, 3]);
    expect(scene.store.view.rounds.map(({ round }) => round)).toEqual([1, 2, 3]);
    expect(scene.rounds.map(({ round }) => round)).toEqual([1, 2, 3]);
    const seconds = (performance.now() - startMs) / 1000;
    for (const { elapsedSeconds } of scene.store.view.scores) {
      expect(elapsedSeconds).toBeGreaterThan(0);
      expect(elapsedSeconds).toBeLessThan(seconds);
    }
    // What people see here, everybody in the room is told.
    expect(scene.reports()).toEqual(scene.store.view.rounds);
  });

  it('tells the mean loss of a round’s samples, whoever did how many', async () => {
    const scene = await TrainingScene.open({ rounds: 1 });
    scene.join('a', 'b');
    const startMs = performance.now();
    scene.training.start();
    await scene.phase('finished');
    const [report] = scene.reports();
    expect(report.loss).toBeCloseTo(LOSS, 12);
    expect(report.devices.map(({ device, samples, deepestDepth }) => [device, samples, deepestDepth])).toEqual([
      ['a', 4, 6],
      ['b', 4, 6],
    ]);
    expect([report.reassigned, report.planVersion]).toEqual([0, 1]);
    expect(report.elapsedSeconds).toBeGreaterThan(0);
    expect(report.elapsedSeconds).toBeLessThan((performance.now() - startMs) / 1000);
  });

  it('orders with the session’s dropout and seed, at the version before the round, each device its samples', async () => {
    const scene = await TrainingScene.open({ rounds: 2, dropout: 0.25, seed: 11 }, { term: 5 });
    const positions: number[][] = [];
    scene.answer = ({ tensors }) => {
      positions.push([...tensors[3]]);
      return 'parts';
    };
    scene.join('a', 'b');
    scene.training.start();
    await scene.phase('finished');
    expect(scene.orders.map(({ tag, version, parameters }) => [tag.term, tag.round, version, parameters])).toEqual([
      [5, 1, 0, false],
      [5, 1, 0, false],
      [5, 2, 1, false],
      [5, 2, 1, false],
    ]);
    expect(scene.orders[0].dropout).toEqual({ probability: 0.25, seed: 11 });
    const halves = [0, 4].map((start) => ({ start, count: 4 }));
    const dealt = await scene.host.roundBatch(1, halves);
    expect(positions.slice(0, 2)).toEqual(halves.map(({ start }) => [...dealt.positions.slice(start, start + 4)]));
    expect(positions.slice(0, 2).flat().sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('scores after every so many rounds, and once at the end', async () => {
    const scene = withTime(await TrainingScene.open({ rounds: 5, evaluateEvery: 2 }));
    scene.join('a');
    scene.training.start();
    await scene.phase('finished');
    expect(scoredRounds(scene)).toEqual([0, 2, 4, 5]);
    expect(scene.store.view.scores.every(({ examples }) => examples === 80)).toBe(true);
  });

  it('goes as far as its person said since, and is scored by that', async () => {
    const extent = { rounds: 3, evaluateEvery: 1 };
    const scene = withTime(await TrainingScene.open({ rounds: 5, evaluateEvery: 0 }, { extent: () => extent }));
    await scene.host.setExtent(extent);
    scene.join('a');
    scene.training.start();
    await scene.phase('finished');
    expect(scoredRounds(scene)).toEqual([0, 1, 2, 3]);
    // One step of warm-up, which begins at nothing, and then down to nothing after the third; of five it would be at three quarters.
    const rates = scene.store.view.rounds.map(({ learningRate }) => learningRate);
    expect(rates.map((rate) => rate / rates[1]!)).toEqual([0, 1, 0.5]);
  });

  it('does not score twice where the last round was to be scored anyway', async () => {
    const scene = withTime(await TrainingScene.open({ rounds: 4, evaluateEvery: 2 }));
    scene.join('a');
    scene.training.start();
    await scene.phase('finished');
    expect(scoredRounds(scene)).toEqual([0, 2, 4]);
  });

  it('numbers its evaluations and their chunks', async () => {
    const scene = await TrainingScene.open({ rounds: 1 }, { term: 4 });
    scene.join('a');
    scene.training.start();
    await scene.phase('finished');
    for (const evaluation of [1, 2]) {
      const own = scene.chunks.filter((chunk) => chunk.evaluation === evaluation);
      expect(own.length).toBeGreaterThan(1);
      expect(own).toEqual(own.map((_, chunk) => ({ term: 4, evaluation, chunk })));
    }
    expect(scene.chunks.every(({ evaluation }) => evaluation <= 2)).toBe(true);
  });

  it('starts its first round at once, and scores what was before it meanwhile', async () => {
    const scene = await TrainingScene.open({ rounds: 2 });
    const orders: number[] = [];
    scene.answer = ({ header }) => {
      orders.push(scene.chunks.length);
      return header.tag.round > 0 ? 'parts' : 'nothing';
    };
    scene.join('a');
    scene.training.start();
    await scene.phase('finished');
    expect(orders[0]).toBe(0);
    expect(scene.orders[0].version).toBe(0);
    expect(scoredRounds(scene)).toEqual([0, 2]);
    // The generated model is not the trained one: each score is of its own parameters.
    expect((await scene.host.parameters()).version).toBe(2);
  });

  it('shows every round here, and tells the room what people can follow', async () => {
    const scene = await TrainingScene.open({ rounds: 4 });
    const shown: string[] = [];
    scene.store.subscribe(({ activity }) => {
      const [device] = activity?.devices ?? [];
      const line = `${activity?.round}: ${device?.received}`;
      if (activity !== null && shown.at(-1) !== line) shown.push(line);
    });
    scene.answer = ({ header }) => {
      // The last round takes a while, so that its parts come apart from its beginning.
      scene.orderMs = header.tag.round === 4 ? 400 : 0;
      return 'parts';
    };
    scene.join('a');
    const startMs = performance.now();
    scene.training.start();
    await scene.phase('finished');
    const told = scene.sent.filter(({ type }) => type === 'activity').length;
    expect([1, 2, 3, 4].map((round) => shown.includes(`${round}: 0`))).toEqual([true, true, true, true]);
    expect(shown).toContain('4: 1');
    expect(told).toBeGreaterThan(1);
    expect(told).toBeLessThanOrEqual(1 + (performance.now() - startMs) / 150);
  });

  it('ends early when so many scores were no better', async () => {
    const scene = withTime(await TrainingScene.open({ rounds: 9, evaluateEvery: 1 }, { patience: 2 }));
    scene.join('a');
    scene.training.start();
    await scene.phase('finished');
    // The scores never change, so that of round 0 stays the best.
    // The round that ran when the second of them came is the last.
    expect(scoredRounds(scene).slice(0, 3)).toEqual([0, 1, 2]);
    expect(scene.training.round).toBeLessThan(5);
    expect(scene.store.view.notices.at(-1)?.sentence).toContain('training ends early');
  });

  it('waits for devices and for a plan', async () => {
    const scene = await TrainingScene.open({ rounds: 1 });
    scene.training.start();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([scene.training.phase, scene.sent.length]).toEqual(['training', 1]);
    scene.join('a');
    await scene.phase('finished');
    expect(scene.reports()).toHaveLength(1);
  });
});

describe('a person at the controls', () => {
  it('pauses after the round that runs, and goes on with the next', async () => {
    const scene = await TrainingScene.open({ rounds: 3 });
    scene.answer = ({ header }) => {
      if (header.tag.round === 2) scene.training.pause();
      return 'parts';
    };
    scene.join('a');
    scene.training.start();
    await scene.until(({ rounds }) => rounds.length === 2);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([scene.training.phase, scene.training.round, scene.orders.length]).toEqual(['paused', 2, 2]);
    expect(scene.rounds.at(-1)).toEqual({ round: 2, resting: true });
    scene.answer = () => 'parts';
    scene.training.start();
    await scene.phase('finished');
    expect(scene.store.view.rounds.map(({ round }) => round)).toEqual([1, 2, 3]);
    expect(scene.phases).toEqual(['training', 'paused', 'training', 'finished']);
  });

  it('finishes after the round that runs, with a score', async () => {
    const scene = await TrainingScene.open({ rounds: 9 });
    scene.answer = ({ header }) => {
      if (header.tag.round === 2) scene.training.finish();
      return 'parts';
    };
    scene.join('a');
    scene.training.start();
    await scene.phase('finished');
    expect([scene.reports().length, scoredRounds(scene)]).toEqual([2, [0, 2]]);
  });

  it('finishes while training is paused, with a score and no further round', async () => {
    const scene = await TrainingScene.open({ rounds: 9 });
    scene.answer = () => {
      scene.training.pause();
      return 'parts';
    };
    scene.join('a');
    scene.training.start();
    await scene.until(({ rounds }) => rounds.length === 1);
    scene.training.finish();
    await scene.phase('finished');
    expect([scene.reports().length, scoredRounds(scene)]).toEqual([1, [0, 1]]);
    // What is finished stays so.
    scene.training.start();
    expect([scene.training.phase, scene.phases.at(-1)]).toEqual(['finished', 'finished']);
  });

  it('closes the session in a round, and nothing more is said', async () => {
    const scene = await TrainingScene.open({ rounds: 3 });
    scene.answer = () => 'nothing';
    scene.join('a');
    scene.training.start();
    await scene.until(({ activity }) => activity !== null);
    scene.training.close();
    const told = scene.sent.length;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(scene.sent).toHaveLength(told);
    expect(scene.store.view.notices).toEqual([]);
  });
});

describe('trouble', () => {
  it('pauses training with the device’s sentence after four failures; a start goes on with the same round', async () => {
    const scene = await TrainingScene.open({ rounds: 2, evaluateEvery: 1 });
    scene.answer = ({ header }) => (header.tag.round === 2 ? 'fail' : 'parts');
    scene.join('a');
    scene.training.start();
    await scene.phase('paused');
    expect(scene.orders.slice(1).map(({ tag }) => [tag.round, tag.epoch])).toEqual(
      [1, 2, 3, 4].map((epoch) => [2, epoch]),
    );
    expect(scene.store.view.notices.at(-1)?.sentence).toBe('Training was paused: a failed: Out of memory.');
    scene.answer = () => 'parts';
    scene.training.start();
    await scene.phase('finished');
    expect(scene.store.view.rounds.map(({ round }) => round)).toEqual([1, 2]);
    // No round was scored twice.
    const scores = scene.sent.flatMap((message) => (message.type === 'score' ? [message.report.round] : []));
    expect(scores).toEqual([...new Set(scores)]);
    expect([scores[0], scores.at(-1)]).toEqual([0, 2]);
  });

  it('of a host that is in the middle of a step: it is quiet when worker and view agree', async () => {
    let go = (): void => undefined;
    let begun = (): void => undefined;
    const stepping = new Promise<void>((resolve) => {
      begun = resolve;
    });
    class Slow extends Host {
      override async step(request: Parameters<Host['step']>[0]): ReturnType<Host['step']> {
        begun();
        await new Promise<void>((resolve) => {
          go = resolve;
        });
        return super.step(request);
      }
    }
    const worker = new Slow(openFileOrHttp);
    await worker.open({ ...SMALL_REQUEST, training: { ...SMALL_REQUEST.training, rounds: 1 } });
    const scene = await TrainingScene.open({ rounds: 1 }, { worker });
    scene.join('a');
    scene.training.start();
    await stepping;
    let quiet = false;
    const waiting = scene.training.quiet().then(() => {
      quiet = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([quiet, scene.training.round]).toEqual([false, 0]);
    go();
    await waiting;
    expect([scene.training.round, scene.store.view.rounds.length, (await worker.parameters()).version]).toEqual([
      1, 1, 1,
    ]);
  });

  it('that ended an earlier host: rounds go on after the last that was kept, and its missing score is made up for', async () => {
    const scene = await TrainingScene.open({ rounds: 4, evaluateEvery: 2 });
    scene.join('a');
    scene.answer = ({ header }) => {
      if (header.tag.round === 2) scene.training.close();
      return 'parts';
    };
    scene.training.start();
    await scene.until(({ rounds }) => rounds.length === 1);
    const bytes = await scene.host.checkpoint('');
    const worker = new Host(openFileOrHttp);
    await worker.open({
      ...SMALL_REQUEST,
      training: { ...SMALL_REQUEST.training, rounds: 4, evaluateEvery: 2 },
      start: { kind: 'checkpoint', bytes },
    });
    const later = withTime(
      await TrainingScene.open(
        { rounds: 4, evaluateEvery: 2 },
        { worker, term: 2, resumed: { round: 1, finished: false } },
      ),
    );
    expect([later.training.phase, later.training.round]).toEqual(['paused', 1]);
    later.join('a');
    later.training.start();
    await later.phase('finished');
    expect(later.orders.map(({ tag }) => [tag.term, tag.round])).toEqual([2, 3, 4].map((round) => [2, round]));
    // That of before the first round, too, which the earlier host had not come to.
    expect(scoredRounds(later)).toEqual([0, 2, 4]);
  });

  it('of an earlier host leaves what it had scored as it is: no round is scored twice', async () => {
    const training = { rounds: 2, evaluateEvery: 1 };
    const before = await TrainingScene.open(training);
    before.join('a');
    before.training.start();
    await before.phase('finished');
    const { scores } = before.store.view;
    const bytes = await before.host.checkpoint('');
    const goOn = async (rounds: number, recalled: typeof scores) => {
      const worker = new Host(openFileOrHttp);
      await worker.open({ ...(await worker.readCheckpoint(bytes)).request, start: { kind: 'checkpoint', bytes } });
      const scene = await TrainingScene.open(
        { ...training, rounds },
        { worker, resumed: { round: 2, finished: false }, recalled },
      );
      scene.join('a');
      scene.training.start();
      await scene.phase('finished');
      return scene.sent.flatMap((message) => (message.type === 'score' ? [message.report.round] : []));
    };
    expect(await goOn(2, scores)).toEqual([]);
    expect(await goOn(3, scores)).toEqual([3]);
    // Of the last round only the sample had been scored.
    const sample = scores.map((score) => (score.round === 2 ? { ...score, examples: score.examples - 1 } : score));
    expect(await goOn(2, sample)).toEqual([2]);
  });
});
