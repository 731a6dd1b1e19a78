import { expect, it } from 'vitest';
import { Turns } from '../../web/session/training/turns.ts';

it('does one thing after the other in the order in which it was asked, also after one that fails', async () => {
  const turns = new Turns();
  const said: string[] = [];
  let release = (): void => undefined;
  const first = turns.take(async () => {
    said.push('first begins');
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    said.push('first ends');
    return 1;
  });
  const second = turns.take(async () => {
    said.push('second');
    throw new Error('It failed.');
  });
  const third = turns.take(async () => {
    said.push('third');
    return 3;
  });
  await Promise.resolve();
  await Promise.resolve();
  expect(said).toEqual(['first begins']);
  release();
  await expect(second).rejects.toThrow('It failed.');
  expect([await first, await third]).toEqual([1, 3]);
  expect(said).toEqual(['first begins', 'first ends', 'second', 'third']);
});
