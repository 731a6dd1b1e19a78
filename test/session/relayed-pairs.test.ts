import { describe, expect, it } from 'vitest';
import { RelayedPairs } from '../../web/session/rounds/split/relayed-pairs.ts';
import type { SentBytes } from '../../web/session/view/view.ts';

/** What has gone between stages since the session began: from, to, directly, by way of the host. */
const sent = (...pairs: readonly (readonly [string, string, number, number])[]): readonly SentBytes[] =>
  pairs.map(([from, to, bytes, relayedBytes]) => ({ from, to, bytes, relayedBytes }));
const nobody = (): boolean => false;

describe('stages whose bytes come by way of the host', () => {
  it('cannot meet once that was so for two rounds, whichever of them says it, and are told again after each round', () => {
    const pairs = new RelayedPairs();
    expect(pairs.roundEnds(sent(['b', 'a', 0, 10], ['b', 'c', 5, 0]), nobody)).toBeNull();
    expect(pairs.roundEnds(sent(['a', 'b', 0, 7], ['b', 'a', 0, 10], ['b', 'c', 9, 0]), nobody)).toEqual([['a', 'b']]);
    // They are no neighbours any more, and nobody knows better.
    const after = sent(['a', 'b', 0, 7], ['b', 'a', 0, 10], ['b', 'c', 12, 0]);
    expect(pairs.roundEnds(after, nobody)).toEqual([['a', 'b']]);
  });

  it('that had not met yet in the first round are none, nor are those of which a part went by way of the host', () => {
    const pairs = new RelayedPairs();
    for (const round of [1, 2, 3, 4])
      expect(
        pairs.roundEnds(sent(['a', 'b', 10 * (round - 1), 10], ['b', 'c', 10 * round, 3 * round]), nobody),
      ).toBeNull();
  });

  it('have met when something goes directly, which the room is told once', () => {
    const pairs = new RelayedPairs();
    for (const round of [1, 2, 3]) pairs.roundEnds(sent(['a', 'b', 0, round]), nobody);
    expect(pairs.roundEnds(sent(['a', 'b', 1, 3]), nobody)).toEqual([]);
    expect(pairs.roundEnds(sent(['a', 'b', 2, 3]), nobody)).toBeNull();
  });

  it('are none where the host watches them, which says nothing of whether they can meet', () => {
    const pairs = new RelayedPairs();
    const isWatched = (a: string, b: string): boolean => [a, b].sort().join() === 'a,b';
    for (const round of [1, 2, 3]) expect(pairs.roundEnds(sent(['b', 'a', 0, round]), isWatched)).toBeNull();
  });

  it('are told up to a bound', () => {
    const pairs = new RelayedPairs();
    const all = (bytes: number) => sent(...Array.from({ length: 300 }, (_, i) => [`a${i}`, 'b', 0, bytes] as const));
    pairs.roundEnds(all(1), nobody);
    expect(pairs.roundEnds(all(2), nobody)).toHaveLength(256);
  });
});
