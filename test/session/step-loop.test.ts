import { expect, it } from 'vitest';
import type { Step } from '../../signaling/protocol/round.ts';
import { StepLoop } from '../../web/session/rounds/step-loop.ts';

/** Counts, and has two effects an event. */
const count: Step<number, string, string> = (state, event) => ({
  state: state + 1,
  effects: [`first of ${event}`, `second of ${event}`],
});

it('an event that an effect brings about waits until the effects before it are done', () => {
  const performed: string[] = [];
  const loop = new StepLoop(count, 0, (effect: string) => {
    performed.push(`${effect} at ${loop.state}`);
    if (effect === 'first of a') loop.take('b');
  });
  loop.take('a');
  expect(performed).toEqual(['first of a at 1', 'second of a at 1', 'first of b at 2', 'second of b at 2']);
});

it('the effects of the beginning come before any event', () => {
  const performed: string[] = [];
  const loop = new StepLoop(count, 0, (effect: string) => {
    performed.push(effect);
    if (effect === 'begin') loop.take('a');
  });
  loop.begin(['begin', 'go on']);
  expect(performed).toEqual(['begin', 'go on', 'first of a', 'second of a']);
});

it('a loop that was stopped performs nothing more and changes no more', () => {
  const performed: string[] = [];
  const loop = new StepLoop(count, 0, (effect: string) => {
    performed.push(effect);
    if (effect !== 'first of a') return;
    loop.take('b');
    loop.stop();
  });
  loop.take('a');
  loop.take('c');
  expect([performed, loop.state]).toEqual([['first of a'], 1]);
});

it('an effect that throws leaves a loop that goes on', () => {
  const performed: string[] = [];
  const loop = new StepLoop(count, 0, (effect: string) => {
    if (effect === 'first of a') throw new Error('No.');
    performed.push(effect);
  });
  expect(() => loop.take('a')).toThrow('No.');
  loop.take('b');
  expect(performed).toEqual(['first of b', 'second of b']);
});
