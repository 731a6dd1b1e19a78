import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { evaluate, order, SeatScene, settle, tag } from './seat-scene.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('a seat keeps the parameters of an evaluation beside those of the rounds', async () => {
  const scene = new SeatScene();
  const next = order(tag(2), [4], 44);
  const chunk = evaluate(1, 0);
  const first = {
    header: { ...chunk.header, version: 6, parameters: true },
    tensors: [...chunk.tensors, Float32Array.of(40)],
  };
  await scene.send(first, order(tag(1), [5], 42));
  scene.worker.logits();
  await settle();
  scene.worker.done();
  await scene.send({ ...next, header: { ...next.header, version: 8 } });
  scene.worker.done();
  // Of the version that it began with, without its parameters once more.
  await scene.send({ ...chunk, header: { ...chunk.header, version: 6, tag: { term: 1, evaluation: 1, chunk: 1 } } });
  await settle();
  scene.worker.logits();
  await settle();
  expect(scene.answers).toEqual(['logits 0', '1.1 done 3', '2.1 done 3', 'logits 1']);
  expect(scene.worker.did.filter((did) => did.startsWith('parameters'))).toEqual([
    'parameters 40',
    'parameters 42',
    'parameters 44',
    'parameters 40',
  ]);
});

test('a seat that is told of earlier rounds again has no parameters of later ones: they never were', async () => {
  const scene = new SeatScene();
  const chunk = evaluate(1, 0);
  const evaluated = (version: number, at: number, ...values: number[]) => ({
    header: { ...chunk.header, version, parameters: values.length > 0, tag: { term: 1, evaluation: at, chunk: 0 } },
    tensors: [...chunk.tensors, ...values.map((value) => Float32Array.of(value))],
  });
  const ordered = (round: number, value: number) => {
    const one = order(tag(round), [5], value);
    return { ...one, header: { ...one.header, version: round - 1 } };
  };
  await scene.send(evaluated(6, 1, 40));
  scene.worker.logits();
  await settle();
  // Rounds were undone, and done again until the same number.
  await scene.send(ordered(6, 41));
  scene.worker.done();
  await settle();
  await scene.send(evaluated(6, 2));
  await settle();
  expect(scene.worker.did.filter((did) => did.startsWith('parameters'))).toEqual(['parameters 40', 'parameters 41']);
});
