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
