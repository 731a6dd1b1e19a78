import { describe, expect, it } from 'vitest';
import { campaign, inputOf } from './campaign.ts';
import { drawing, mutatedBytes, mutatedJson } from './mutate.ts';
import { isDeclared, TARGETS } from './targets.ts';

/** A share of what `npm run test:fuzz` reads. */
const INPUTS = 6000;

describe('mutated inputs', () => {
  it('end no reader, hold none up for a second, and leave nothing behind', async () => {
    const { tallies, failures } = await campaign(INPUTS, 20_261_130);
    expect(failures).toEqual([]);
    expect(tallies.reduce((sum, { inputs }) => sum + inputs, 0)).toBeGreaterThanOrEqual(INPUTS);
    // They are nearly right: some of what they are made of is still taken, and most is not.
    expect(tallies.reduce((sum, { accepted }) => sum + accepted, 0)).toBeGreaterThan(INPUTS / 50);
    expect(tallies.reduce((sum, { refused }) => sum + refused, 0)).toBeGreaterThan(INPUTS / 2);
  }, 60_000);

  it.each(TARGETS.map((target) => [target.name, target] as const))('are made of valid ones: %s', async (_, target) => {
    for (const input of target.valid) await target.read(Uint8Array.from(input), drawing(1));
  });

  it('are the same again for a seed and a number', () => {
    expect(inputOf('client messages', 5, 17)).toEqual(inputOf('client messages', 5, 17));
    expect(inputOf('client messages', 5, 17)).not.toEqual(inputOf('client messages', 5, 18));
  });

  it('hold what a reader could trip over', () => {
    const texts = Array.from({ length: 4000 }, (_, i) =>
      mutatedJson(drawing(i), { a: 'text', list: [1, { b: null }] }),
    );
    const some = (what: RegExp): number => texts.filter((text) => what.test(text)).length;
    for (const what of [/1e400/, /\[{40}/, /"a":.*"a":/, /\\u0000/, /__proto__/, /a{4000}/, /9007199254740993/])
      expect(some(what), String(what)).toBeGreaterThan(0);
    const seed = new Uint8Array(100).fill(7);
    const lengths = Array.from({ length: 400 }, (_, i) => mutatedBytes(drawing(i), seed, seed).length);
    expect(Math.min(...lengths)).toBeLessThan(20);
    expect(Math.max(...lengths)).toBeGreaterThan(100);
    expect([...seed].every((byte) => byte === 7)).toBe(true);
  });
});

describe('a declared error', () => {
  it('has one sentence, without a character that moves a cursor', () => {
    expect(isDeclared(new Error('The file ends.'))).toBe(true);
    expect(isDeclared(new Error('The file\u001b[31m ends.'))).toBe(false);
    expect(isDeclared(new Error(''))).toBe(false);
    expect(isDeclared(new TypeError('x is undefined'))).toBe(false);
    expect(isDeclared('text')).toBe(false);
  });
});
