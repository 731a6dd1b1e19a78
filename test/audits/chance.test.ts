import { describe, expect, it } from 'vitest';
import { DEFAULT_AUDITS, readAudits } from '../../signaling/protocol/words/audits.ts';
import { auditChance, drawn, longestGap } from '../../web/session/rounds/audits/chance.ts';

/** Of a device's rounds from one audit to the next: the chance that it is so many. */
function gaps(share: number): number[] {
  let left = 1;
  return Array.from({ length: longestGap(share) }, (_, i) => {
    const now = left * auditChance(i + 1, share);
    left -= now;
    return now;
  });
}

describe('the chance of an audit', () => {
  it('leads to gaps that are even over 1 to 24 rounds, 12.5 in the mean, at 8 % of the compute', () => {
    expect(DEFAULT_AUDITS).toBe(0.08);
    const all = gaps(DEFAULT_AUDITS);
    expect(all).toHaveLength(24);
    for (const chance of all) expect(chance).toBeCloseTo(1 / 24, 12);
    expect(all.reduce((sum, chance, i) => sum + chance * (i + 1), 0)).toBeCloseTo(12.5, 12);
  });

  it.each([0.01, 0.05, 0.08, 0.2, 0.3, 0.5])('takes no more than %d of the compute', (share) => {
    const mean = gaps(share).reduce((sum, chance, i) => sum + chance * (i + 1), 0);
    expect(1 / mean).toBeLessThanOrEqual(share + 1e-12);
    expect(1 / mean).toBeGreaterThan(0.85 * share);
  });

  it('is never 0, so that nobody is safe after an audit', () => {
    expect(auditChance(1, DEFAULT_AUDITS)).toBeCloseTo(1 / 24, 12);
    expect(auditChance(100, DEFAULT_AUDITS)).toBe(1);
  });
});

describe('what is drawn', () => {
  const key = new Uint8Array(32).fill(7);
  it('is even in 0 to 1', () => {
    const draws = Array.from({ length: 4000 }, (_, i) => drawn(key, 1, 0, i, 'due a'));
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...draws)).toBeLessThan(1);
    const tenths = Array.from({ length: 10 }, (_, t) => draws.filter((x) => Math.floor(10 * x) === t).length);
    // 400 each; five standard deviations are 95.
    for (const count of tenths) expect(Math.abs(count - 400)).toBeLessThan(95);
  });

  it('is the same for the same key and words, and another for others', () => {
    expect(drawn(key, 1, 2, 'a')).toBe(drawn(key, 1, 2, 'a'));
    const others = [drawn(key, 1, 2, 'b'), drawn(key, 1, 3, 'a'), drawn(new Uint8Array(32), 1, 2, 'a')];
    expect(new Set([drawn(key, 1, 2, 'a'), ...others]).size).toBe(4);
  });
});

it.each([
  ['off', 0],
  ['0.08', 0.08],
  ['0.5', 0.5],
  ['0', null],
  ['0.6', null],
  ['-1', null],
  ['', null],
  ['often', null],
])('a person who writes %j means %s', (text, share) => {
  expect(readAudits(text)).toBe(share);
});
