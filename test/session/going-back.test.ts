import { describe, expect, test } from 'vitest';
import type { Uploads } from '../../signaling/protocol/settings.ts';
import { TrainingScene } from './training-scene.ts';

const ROUNDS = 12;
const TRAINING = { rounds: ROUNDS, samplesPerRound: 12, dropout: 0, evaluateEvery: 4 };
const DEVICES = ['hosthost', 'aaaaaaaa', 'bbbbbbbb', 'liarliar'];
const to = (rounds: number): number[] => Array.from({ length: rounds }, (_, i) => i + 1);

async function trained(
  lie: TrainingScene['lie'],
  share = 0.5,
  uploads: Uploads = 'f32',
  devices: readonly string[] = DEVICES,
): Promise<TrainingScene> {
  const scene = await TrainingScene.open({ ...TRAINING, uploads }, { share });
  scene.lie = lie;
  scene.join(...devices);
  scene.training.start();
  await scene.phase('finished');
  scene.training.close();
  return scene;
}

const sentences = ({ store }: TrainingScene): string => store.view.notices.map(({ sentence }) => sentence).join('\n');

test('a room of honest devices audits, and goes on as one without audits', async () => {
  const [audited, believed] = [await trained(() => 1), await trained(() => 1, 0)];
  expect(audited.removed).toEqual([]);
  expect((await audited.host.state()).digest).toBe((await believed.host.state()).digest);
  expect(audited.reports().map(({ round }) => round)).toEqual(to(ROUNDS));
});

test('a liar is removed, and what it gave is undone and done again: the same bits, every round once in the view, the scores too', async () => {
  const honest = await trained(() => 1);
  const lied = await trained((device, round) => (device === 'liarliar' && round >= 6 ? 1.05 : 1));
  expect(lied.removed).toEqual(['liarliar']);
  expect(sentences(lied)).toMatch(
    /liarliar was removed: in round \d+ its gradient of .* was 1.05 times what others computed/,
  );
  expect(sentences(lied)).toMatch(/Rounds? \d+.* undone and repeated/);
  // Sums of 4 samples instead of 3 times 3 make the same gradients, but for rounding.
  const [a, b] = [(await lied.host.parameters()).values, (await honest.host.parameters()).values];
  expect(Math.max(...a.map((x, i) => Math.abs(x - b[i]!)))).toBeLessThan(1e-6);
  const { rounds, scores } = lied.store.view;
  expect(rounds.map(({ round }) => round)).toEqual(to(ROUNDS));
  expect(scores.map(({ round }) => round)).toEqual(honest.store.view.scores.map(({ round }) => round));
  // Rounds were told more than once, and the last telling is the one that counts.
  expect(lied.reports().length).toBeGreaterThan(ROUNDS);
});

describe.each(['f16', 'int8'] as const)('where gradients travel as %s', (uploads) => {
  test('honest devices are of one opinion, and the curve is the same to the bit whoever has which samples', async () => {
    const honest = await trained(() => 1, 0.5, uploads);
    expect(honest.removed).toEqual([]);
    const turned = await trained(() => 1, 0, uploads, DEVICES.toReversed());
    expect((await turned.host.state()).digest).toBe((await honest.host.state()).digest);
    // Of every value two bytes, or one, and what the powers of two take.
    const values = (await honest.host.parameters()).values.length;
    const bytes = honest.reports()[0]!.devices[1]!.uploadBits / 8 / values;
    expect(bytes).toBeCloseTo(uploads === 'f16' ? 2 : 33 / 32, 2);
    // Rounded, but to the same curve.
    const exact = (await (await trained(() => 1, 0)).host.parameters()).values;
    const far = (await honest.host.parameters()).values.map((x, i) => Math.abs(x - exact[i]!));
    expect(far.some((x) => x > 0)).toBe(true);
    expect(Math.max(...far)).toBeLessThan(uploads === 'f16' ? 1e-5 : 1e-3);
  });

  test('a liar is removed all the same, and nobody else', async () => {
    const lied = await trained((device, round) => (device === 'liarliar' && round >= 6 ? 1.05 : 1), 0.5, uploads);
    expect(lied.removed).toEqual(['liarliar']);
    expect(lied.store.view.rounds.map(({ round }) => round)).toEqual(to(ROUNDS));
  });
});

test('without audits it is believed', async () => {
  const lied = await trained((device) => (device === 'liarliar' ? 1.05 : 1), 0);
  expect(lied.removed).toEqual([]);
  expect(lied.reports()).toHaveLength(ROUNDS);
});

test('training that was asked to end does not end among rounds that are done again', async () => {
  const scene = await TrainingScene.open(TRAINING, { share: 0.5 });
  scene.lie = (device) => (device === 'liarliar' ? 1.5 : 1);
  scene.orderMs = 5;
  scene.join(...DEVICES);
  scene.training.start();
  await scene.until(({ rounds }) => rounds.length === 2);
  scene.training.finish();
  await scene.phase('finished');
  scene.training.close();
  expect(scene.removed).toEqual(['liarliar']);
  expect(scene.training.round).toBeGreaterThanOrEqual(2);
});

test('an evaluation of rounds that are undone ends with them: what nobody has answered is asked of nobody else', async () => {
  const scene = await TrainingScene.open(TRAINING, { share: 0.5 });
  scene.lie = (device, round) => (device === 'liarliar' && round === 3 ? 1.05 : 1);
  let evaluates: () => void = () => undefined;
  scene.beforeAudits = new Promise((resolve) => {
    evaluates = resolve;
  });
  // The liar is found when the score of round 4 is under way.
  let held = 0;
  scene.holdsBack = (version) => {
    if (version !== 4 || scene.removed.length > 0) return false;
    evaluates();
    held++;
    return true;
  };
  scene.join(...DEVICES);
  scene.training.start();
  await scene.phase('finished');
  scene.training.close();
  expect([held > 0, scene.removed]).toEqual([true, ['liarliar']]);
  expect(sentences(scene)).toMatch(/Rounds [1-3] to \d+ are undone/);
  expect(held).toBeLessThanOrEqual(DEVICES.length);
  expect(scene.store.view.scores.map(({ round }) => round)).toEqual([0, 4, 8, 12]);
});

test('whoever may lead hears what a round came to before its step', async () => {
  const scene = await TrainingScene.open({ ...TRAINING, rounds: 2 });
  scene.join('hosthost', 'aaaaaaaa');
  scene.training.start();
  await scene.phase('finished');
  scene.training.close();
  expect(scene.heard).toEqual(['report 1', 'step 1', 'step 1', 'report 2', 'step 2', 'step 2']);
});

test('who evaluates falsely is found by examples that another one evaluates, too: removed, and the score is taken again', async () => {
  const honest = await trained(() => 1);
  const scene = await TrainingScene.open(TRAINING, { share: 0.08 });
  // From the first score on.
  scene.falsifies = (device) => device === 'liarliar';
  scene.join(...DEVICES);
  scene.training.start();
  await scene.phase('finished');
  scene.training.close();
  expect(scene.removed).toEqual(['liarliar']);
  expect(sentences(scene)).toMatch(
    /liarliar was removed: in round \d+ its answer to examples of a score pointed the other way \(checked by hosthost\)/,
  );
  const seen = ({ store }: TrainingScene) => store.view.scores.map(({ round, value, loss }) => [round, value, loss]);
  expect(seen(scene)).toEqual(seen(honest));
});

test('who begins to falsify the last score is found, too, and rounds of it that nobody had checked are done again', async () => {
  const scene = await TrainingScene.open(TRAINING, { share: 0.08 });
  scene.falsifies = (device) => device === 'liarliar' && scene.training.round === ROUNDS;
  scene.join(...DEVICES);
  scene.training.start();
  await scene.phase('finished');
  scene.training.close();
  expect(scene.removed).toEqual(['liarliar']);
  expect(sentences(scene)).toMatch(/undone and repeated/);
  expect(scene.store.view.rounds.map(({ round }) => round)).toEqual(to(ROUNDS));
  expect(scene.store.view.scores.map(({ round }) => round)).toEqual([0, 4, 8, 12]);
});

test('without audits scores are believed', async () => {
  const scene = await TrainingScene.open(TRAINING, { share: 0 });
  scene.falsifies = (device) => device === 'liarliar';
  scene.join(...DEVICES);
  scene.training.start();
  await scene.phase('finished');
  scene.training.close();
  expect(scene.removed).toEqual([]);
});
