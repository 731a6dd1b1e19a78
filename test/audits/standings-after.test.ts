import { describe, expect, it } from 'vitest';
import { standingsAfter } from '../../web/session/own/standings-after.ts';
import { beginAudits } from '../../web/session/rounds/audits/audit-state.ts';
import { stepAudits } from '../../web/session/rounds/audits/audit-step.ts';
import { type Standings, toldOf } from '../../web/session/rounds/audits/standing.ts';

const [ANNA, BERT, CARL] = ['annaanna', 'bertbert', 'carlcarl'] as const;
const rounds = (...devices: (readonly string[])[]) =>
  devices.map((names, i) => ({ round: i + 1, devices: names.map((device) => ({ device })) }));
const firstUnaudited = (standings: Standings) =>
  Object.fromEntries([...standings].map(([device, { unaudited }]) => [device, unaudited[0]?.round ?? null]));

describe('what a host tells of its audits', () => {
  it('is of each device that is there how many rounds were right, three at most, and the first that nobody checked', () => {
    const standing = { pending: 1, confirmed: [], since: 4 };
    const standings: Standings = new Map([
      [ANNA, { ...standing, right: 17, unaudited: [7, 9].map((round) => ({ round, run: round })) }],
      [BERT, { ...standing, right: 2, unaudited: [] }],
      [CARL, { ...standing, right: 1, unaudited: [] }],
    ]);
    expect(toldOf(standings, [ANNA, BERT, 'somebody'])).toEqual([
      { device: ANNA, right: 3, since: 4, unaudited: 7 },
      { device: BERT, right: 2, since: 4, unaudited: null },
    ]);
  });
});

describe('whoever leads after a host', () => {
  const all = rounds([ANNA, BERT], [ANNA, BERT], [ANNA, BERT], [ANNA, CARL], [ANNA, CARL]);
  const told = {
    round: 3,
    devices: [
      { device: ANNA, right: 3, since: 1, unaudited: 2 },
      { device: BERT, right: 3, since: 0, unaudited: null },
    ],
  };

  it('goes by what that one told, and takes for unaudited what was given since', () => {
    const standings = standingsAfter({ told, round: 5, rounds: all });
    expect(firstUnaudited(standings)).toEqual({ [ANNA]: 2, [BERT]: null, [CARL]: 4 });
    expect([standings.get(ANNA)?.right, standings.get(ANNA)?.since, standings.get(CARL)?.right]).toEqual([3, 1, 0]);
  });

  it('that heard nothing, or of rounds that were undone, takes all for unaudited', () => {
    const everything = { [ANNA]: 1, [BERT]: 1, [CARL]: 4 };
    expect(firstUnaudited(standingsAfter({ told: null, round: 5, rounds: all }))).toEqual(everything);
    expect(firstUnaudited(standingsAfter({ told: { ...told, round: 9 }, round: 5, rounds: all }))).toEqual(everything);
    expect(standingsAfter({ told: { ...told, round: 9 }, round: 5, rounds: all }).get(ANNA)?.right).toBe(0);
  });

  it('of more rounds than can be undone asks for no more than those', () => {
    const many = rounds(...Array.from({ length: 100 }, () => [ANNA]));
    expect(firstUnaudited(standingsAfter({ told: null, round: 100, rounds: many }))).toEqual({ [ANNA]: 37 });
  });

  it('goes back to before what a liar gave to the one before it', () => {
    const standings = standingsAfter({ told, round: 5, rounds: all });
    const around = { host: BERT, able: [], atMs: 0, patienceMs: 1, least: () => 0 };
    const { effects } = stepAudits(beginAudits(0.08, 'f32', standings), {
      ...{ ...around, type: 'caught', device: ANNA, round: 6, by: [BERT] },
      mismatch: { of: 'cut' },
    });
    expect(effects).toMatchObject([{ type: 'liar', device: ANNA, undoTo: 1 }]);
  });
});
